import { runSimulation } from '@cloud-copilot/iam-simulate';
import { ACCOUNT, arn } from '../account';
import type { Clock } from '../clock';
import { isObject, type JsonObject } from '../json';
import type { LambdaFunction } from '../lambda/function';
import { InvokeError } from '../lambda/invoke-error';
import { AuthorizerCache } from './authorizer-cache';
import type { GatewayError } from './gateway-response';
import { headerValues } from './request';
import { baseEvent, methodArn, type RestCall } from './rest-api-call';
import { within } from './time-limit';

/** API Gateway waits as long as for an integration. */
const TIMEOUT_MILLISECONDS = 29_000;

interface Refusal {
  readonly error: GatewayError;
}

/** The context of an allowed call for its integration, or why it is not allowed. */
export type RestAuthorization = { readonly context: Readonly<Record<string, unknown>> } | Refusal;

interface Decision {
  readonly policy: JsonObject;
  readonly context: Readonly<Record<string, string>>;
}

const CONFIGURATION_ERROR: Refusal = { error: { type: 'AUTHORIZER_CONFIGURATION_ERROR', message: null } };
const UNAUTHORIZED: Refusal = { error: { type: 'UNAUTHORIZED', message: 'Unauthorized' } };

/** A REQUEST authorizer of a REST API. */
export class RestAuthorizer {
  readonly #cache: AuthorizerCache<Decision>;

  constructor(
    readonly id: string,
    readonly target: LambdaFunction,
    /** `method.request.header.X`, `method.request.querystring.X` or `context.X` */
    readonly identitySources: readonly string[],
    /** Seconds that a policy is used for further calls of the whole API. */
    readonly timeToLive: number,
    clock: Clock,
  ) {
    this.#cache = new AuthorizerCache(clock, timeToLive);
  }

  async authorize(call: RestCall): Promise<RestAuthorization> {
    const identity = this.identitySources.map((source) => identityValue(source, call));
    // Without a cache the sources are not required.
    if (this.timeToLive > 0 && !identity.every(Boolean)) return UNAUTHORIZED;
    const cached = this.#cache.get(identity as string[]);
    const decision = cached ?? (await this.#decide(call));
    if ('error' in decision) return decision;
    if (!cached) this.#cache.set(identity as string[], decision);
    const { policy, context } = decision;
    return evaluate(policy, methodArn(call), context);
  }

  async #decide(call: RestCall): Promise<Decision | Refusal> {
    const event = { type: 'REQUEST', methodArn: methodArn(call), ...baseEvent(call) };
    const invoker = {
      service: 'apigateway.amazonaws.com',
      sourceArn: arn('execute-api', `${call.apiId}/authorizers/${this.id}`),
    };
    try {
      const result = await within(TIMEOUT_MILLISECONDS, this.target.invoke(event, invoker));
      if (!result) return { error: { type: 'AUTHORIZER_FAILURE', message: null } };
      if ('error' in result) {
        if (result.error.errorMessage === 'Unauthorized') return UNAUTHORIZED;
        return { error: { type: 'AUTHORIZER_FAILURE', message: null } };
      }
      return readDecision(JSON.parse(result.payload.toString())) ?? CONFIGURATION_ERROR;
    } catch (error) {
      if (!(error instanceof InvokeError)) throw error;
      return CONFIGURATION_ERROR;
    }
  }
}

function identityValue(source: string, call: RestCall): string | undefined {
  const [, place, name] = /^(?:method\.request\.(header|querystring)|context)\.(.+)$/.exec(source)!;
  if (place === 'header') return headerValues(call.request, name!)[0];
  if (place === 'querystring') return new URLSearchParams(call.request.query).get(name!) ?? undefined;
  return { httpMethod: call.request.method, path: `/${call.stage}${call.path}`, stage: call.stage }[name!];
}

/** `undefined` where the answer is not of the form that API Gateway asks for. */
function readDecision(answer: unknown): Decision | undefined {
  if (!isObject(answer) || typeof answer.principalId !== 'string' || !isObject(answer.policyDocument)) return undefined;
  const context: Record<string, string> = { principalId: answer.principalId };
  for (const [name, value] of Object.entries(isObject(answer.context) ? answer.context : {})) {
    if (!['string', 'number', 'boolean'].includes(typeof value)) return undefined;
    context[name] = String(value);
  }
  return { policy: answer.policyDocument, context };
}

async function evaluate(
  policy: JsonObject,
  resource: string,
  context: Readonly<Record<string, string>>,
): Promise<RestAuthorization> {
  const result = await runSimulation(
    {
      request: {
        action: 'execute-api:Invoke',
        resource: { resource, accountId: ACCOUNT },
        principal: `arn:aws:iam::${ACCOUNT}:user/caller`,
        contextVariables: {},
      },
      identityPolicies: [{ name: 'authorizer', policy }],
      serviceControlPolicies: [],
      resourceControlPolicies: [],
    },
    {},
  );
  if (result.resultType === 'error') return CONFIGURATION_ERROR;
  if (result.overallResult === 'Allowed') return { context };
  const explicit = result.overallResult === 'ExplicitlyDenied' ? ' with an explicit deny' : '';
  const message = `User is not authorized to access this resource${explicit}`;
  return { error: { type: 'ACCESS_DENIED', message, authorizer: context } };
}
