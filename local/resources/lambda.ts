import { statSync } from 'node:fs';
import { arn } from '../account';
import { functionEnvironment, RESERVED, RUNTIME } from '../lambda/environment';
import { LambdaFunction } from '../lambda/function';
import { platformCalls } from '../lambda/platform-calls';
import { StartError } from '../start-error';
import { physicalName } from './physical-id';
import type { DeclaredResource, Deployment, ResourceType, Role } from './resource-type';

/** Of all environment variables of a function together, in bytes. */
const ENVIRONMENT_LIMIT = 4096;

export const LAMBDA: Record<string, ResourceType> = {
  'AWS::Lambda::Function': {
    properties: [
      'Code.S3Bucket',
      'Code.S3Key',
      'Environment.Variables',
      'FunctionName',
      'Handler',
      'LoggingConfig.LogGroup',
      'MemorySize',
      'ReservedConcurrentExecutions',
      'Role',
      'Runtime',
      'Timeout',
      'TracingConfig.Mode',
    ],
    create: createFunction,
  },
  'AWS::Lambda::Permission': {
    properties: ['Action', 'FunctionName', 'Principal', 'SourceAccount', 'SourceArn'],
    create({ stack, logicalId, properties }, deployment) {
      const { Action, FunctionName, Principal, SourceAccount, SourceArn } = properties as Record<string, string>;
      const name = String(FunctionName);
      const target = deployment.functions.get(name.startsWith('arn:') ? name : arn('lambda', `function:${name}`));
      if (!target) throw new StartError(`There is no function ${name} to add a permission to.`);
      target.permissions.push({
        action: String(Action),
        principal: String(Principal),
        ...(SourceAccount === undefined ? {} : { sourceAccount: SourceAccount }),
        ...(SourceArn === undefined ? {} : { sourceArn: SourceArn }),
      });
      return { ref: physicalName(stack.name, logicalId, 100), attributes: {} };
    },
  },
};

function createFunction(resource: DeclaredResource, deployment: Deployment) {
  const { stack, logicalId, properties } = resource;
  const name = String(properties.FunctionName ?? physicalName(stack.name, logicalId, 64));
  if (properties.Runtime !== RUNTIME) {
    throw new StartError(`The function is for ${properties.Runtime}, and this is ${RUNTIME}.`);
  }
  const role = deployment.roles.get(String(properties.Role));
  if (!role) throw new StartError(`There is no role ${properties.Role}.`);
  checkAssumable(role);
  const variables = environmentVariables(resource);
  const functionArn = arn('lambda', `function:${name}`);
  const handler = String(properties.Handler);
  const memorySize = Number(properties.MemorySize ?? 128);
  const logGroupName = String((properties.LoggingConfig as { LogGroup?: string })?.LogGroup ?? `/aws/lambda/${name}`);
  const taskRoot = assetDirectory(resource);
  const credentials = deployment.accessControl.addCaller({
    functionName: name,
    roleArn: String(properties.Role),
    policies: role.policies,
  });
  const isTraced = (properties.TracingConfig as { Mode?: string } | undefined)?.Mode === 'Active';
  const onInstance = async () => {
    const groupExists = deployment.logGroups.has(logGroupName);
    for (const access of platformCalls({ logGroupName, groupExists, isTraced })) {
      await deployment.accessControl.authorize(credentials, access).catch((error: Error) => {
        deployment.onLog(
          name,
          `On AWS this function would have ${access.action.startsWith('logs:') ? 'no log' : 'no traces'}: ${error.message}`,
        );
      });
    }
  };
  deployment.functions.add(
    functionArn,
    new LambdaFunction({
      name,
      arn: functionArn,
      taskRoot,
      handler,
      memorySize,
      timeout: Number(properties.Timeout ?? 3),
      ...(properties.ReservedConcurrentExecutions === undefined
        ? {}
        : { reservedConcurrency: Number(properties.ReservedConcurrentExecutions) }),
      logGroupName,
      environment: functionEnvironment({
        functionName: name,
        handler,
        memorySize,
        taskRoot,
        logGroupName,
        credentials,
        variables,
        dynamoDbEndpoint: deployment.dynamoDb.endpoint,
        secretsManagerEndpoint: deployment.secretsManager.endpoint,
      }),
      clock: deployment.clock,
      ...(deployment.eventsPerInstance === undefined ? {} : { eventsPerInstance: deployment.eventsPerInstance }),
      onInstance,
      onLog: (line) => deployment.onLog(name, line),
    }),
  );
  return { ref: name, attributes: { Arn: functionArn } };
}

function assetDirectory({ stack, properties }: DeclaredResource): string {
  const { S3Key } = properties.Code as { S3Key?: string };
  const directory = stack.assets.get(String(S3Key));
  if (!directory || !statSync(directory, { throwIfNoEntry: false })?.isDirectory()) {
    throw new StartError(`The code ${S3Key} is no directory among the assets of stack ${stack.name}.`);
  }
  return directory;
}

function environmentVariables({ properties }: DeclaredResource): Record<string, string> {
  const { Variables = {} } = (properties.Environment ?? {}) as { Variables?: Record<string, string> };
  const size = Object.entries(Variables).reduce(
    (sum, [name, value]) => sum + Buffer.byteLength(name) + Buffer.byteLength(value),
    0,
  );
  if (size > ENVIRONMENT_LIMIT) {
    throw new StartError(`The environment variables have ${size} bytes. Lambda takes ${ENVIRONMENT_LIMIT}.`);
  }
  const reserved = Object.keys(Variables).find((name) => RESERVED.includes(name));
  if (reserved) throw new StartError(`The environment variable ${reserved} is reserved by Lambda.`);
  return Variables;
}

function checkAssumable(role: Role): void {
  const { Statement = [] } = role.assumeRolePolicy as { Statement?: object[] };
  const byLambda = [Statement].flat().some((statement) => {
    const { Effect, Action, Principal } = statement as { Effect?: string; Action?: string; Principal?: object };
    const services = [(Principal as { Service?: string | string[] })?.Service ?? []].flat();
    return (
      Effect === 'Allow' && [Action].flat().includes('sts:AssumeRole') && services.includes('lambda.amazonaws.com')
    );
  });
  if (!byLambda) throw new StartError(`The role ${role.name} cannot be assumed by Lambda.`);
}
