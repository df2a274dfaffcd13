import type { RecordedCall } from './aws/access-control';
import type { LocalSecretsManager } from './aws/secrets-manager';
import { type CreatedStack, createStack } from './create-stack';
import { FunctionLogs } from './function-logs';
import type { JsonObject } from './json';
import { LocalApis } from './local-apis';
import { checkResources } from './resources/check';
import type { CreatedResource, Deployment } from './resources/resource-type';
import { type RoleStatement, roleStatements } from './role-statements';
import { startServices } from './services';
import { loadAssembly } from './template/assembly';

export interface StartOptions {
  /** The cloud assembly (`cdk.out`). */
  readonly assembly: string;
  /** Values of template parameters; each stack takes those that it declares. */
  readonly parameters?: Readonly<Record<string, string>>;
  /** Where the first HTTP API (`issuer`) and the first REST API (`mcp`) listen; 0, the default, for any free port. */
  readonly ports?: { readonly issuer?: number; readonly mcp?: number };
  /** Secrets that an operator creates beforehand: name to value. */
  readonly secrets?: Readonly<Record<string, string>>;
  /** An existing DynamoDB endpoint instead of the embedded one. */
  readonly dynamoDbEndpoint?: string;
  /** Tests only: ends each instance of a function after this many events, so that nothing can live in memory alone. */
  readonly eventsPerInstance?: number;
  /** Where `<function>.log` files go; `.local` where absent. */
  readonly stateDirectory?: string;
  /** Called with each step of the start. */
  onProgress?(line: string): void;
  /** Called with each line that a function logs. */
  onLog?(functionName: string, line: string): void;
}

export interface RunningStack {
  /** Outputs of every stack by name. */
  readonly outputs: Readonly<Record<string, string>>;
  /** Local origins of the APIs by logical id. */
  readonly origins: Readonly<Record<string, string>>;
  /** The origin of the first HTTP API. */
  readonly issuerOrigin: string | undefined;
  /** The origin of the first REST API. */
  readonly mcpOrigin: string | undefined;
  readonly secrets: LocalSecretsManager;
  /** Every AWS call of every function, allowed or not. */
  readonly calls: readonly RecordedCall[];
  /** Tests only: every statement of every role with the calls that it has allowed so far. */
  roleStatements(): RoleStatement[];
  /** Tests only: the ARNs that the templates' resources give to each other. */
  readonly arns: readonly string[];
  /**
   * Invokes a function with rights of one's own.
   *
   * @throws Error with the function's own error message
   */
  invoke(functionLogicalId: string, event: unknown): Promise<unknown>;
  /** Does to a custom resource what a later deployment would. */
  updateCustomResource(logicalId: string, properties: JsonObject): Promise<void>;
  deleteCustomResource(logicalId: string): Promise<void>;
  /** Tests only: moves the time of API Gateway's caches and of every instance that begins from now on. */
  setClockOffset(seconds: number): Promise<void>;
  close(): Promise<void>;
}

/**
 * Runs the stacks of a synthesized app on this machine: APIs, functions, tables, secrets and custom resources as their
 * templates declare them.
 *
 * @throws StartError where the template has what is not known here, a parameter is missing, or a resource cannot be created
 */
export async function startStack(options: StartOptions): Promise<RunningStack> {
  const progress = (line: string): void => options.onProgress?.(line);
  const stacks = loadAssembly(options.assembly);
  for (const stack of stacks) checkResources(stack);

  const logs = new FunctionLogs(options.stateDirectory ?? '.local');
  const apis = new LocalApis();
  const services = await startServices(options.dynamoDbEndpoint);
  const close = async (): Promise<void> => {
    await apis.close();
    await services.close();
    await logs.close();
  };
  try {
    await apis.listen(stacks, options.ports ?? {});
    for (const [name, value] of Object.entries(options.secrets ?? {}))
      services.secretsManager.createSecret({ name, value });
    const deployment: Deployment = {
      ...services,
      roles: new Map(),
      managedPolicies: new Map(),
      logGroups: new Set(),
      httpApis: new Map(),
      httpApiIntegrations: new Map(),
      httpApiAuthorizers: new Map(),
      restApis: new Map(),
      restApiDeployments: new Map(),
      restAuthorizers: new Map(),
      listener: (stack, logicalId) => apis.listener(stack, logicalId),
      ...(options.eventsPerInstance === undefined ? {} : { eventsPerInstance: options.eventsPerInstance }),
      onLog(functionName, line) {
        logs.write(functionName, line);
        options.onLog?.(functionName, line);
      },
    };
    const created: CreatedStack[] = [];
    for (const stack of stacks) {
      progress(`Creating stack ${stack.name}`);
      const { parameters = {} } = options;
      const { origins } = apis;
      created.push(
        await createStack(stack, { parameters, deployment, origins, others: created, onProgress: progress }),
      );
    }
    return running(created, apis, deployment, close);
  } catch (error) {
    await close();
    throw error;
  }
}

function running(
  stacks: readonly CreatedStack[],
  apis: LocalApis,
  deployment: Deployment,
  close: () => Promise<void>,
): RunningStack {
  const { accessControl, clock, customResources, functions, roles, secretsManager } = deployment;
  const outputs = stacks.flatMap((stack) => [...stack.outputs]).map(([name, value]) => [name, String(value)]);
  return {
    outputs: apis.origins.apply(Object.fromEntries(outputs)),
    origins: apis.byLogicalId(),
    issuerOrigin: apis.firstHttpApi,
    mcpOrigin: apis.firstRestApi,
    secrets: secretsManager,
    calls: accessControl.calls,
    roleStatements: () => roleStatements(roles.values(), accessControl.calls),
    arns: stacks.flatMap(({ resources }) => [...resources.values()].flatMap(arnsOf)),
    async invoke(functionLogicalId, event) {
      const found = stacks.map(({ resources }) => resources.get(functionLogicalId)?.attributes.Arn).find(Boolean);
      const result = await functions.behind(String(found ?? functionLogicalId)).invoke(event);
      if ('error' in result) throw new Error(result.error.errorMessage, { cause: result.error });
      return JSON.parse(result.payload.toString());
    },
    updateCustomResource: (logicalId, properties) => customResources.update(logicalId, properties),
    deleteCustomResource: (logicalId) => customResources.delete(logicalId),
    async setClockOffset(seconds) {
      clock.offsetSeconds = seconds;
      await Promise.all(functions.all().map((target) => target.retireInstances()));
    },
    close,
  };
}

function arnsOf({ ref, attributes }: CreatedResource): string[] {
  return [ref, ...Object.values(attributes)].map(String).filter((value) => value.startsWith('arn:'));
}
