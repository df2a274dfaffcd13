import type {
  APIGatewayAuthorizerResult,
  APIGatewayRequestAuthorizerEvent,
  APIGatewayRequestAuthorizerEventV2,
  APIGatewaySimpleAuthorizerResult,
} from 'aws-lambda';
import type { AuthorizerConfig } from '../../lib/contract';
import { AUTHORIZER_METRICS, DIMENSIONS } from '../../lib/counted-events';
import { embeddedMetrics } from '../embedded-metrics';
import { credentialsOf } from './credentials';
import type { ProofOfPossession } from './dpop-proof';
import { handedOver } from './handed-over';
import { headerValues } from './header-values';
import { InvalidTokenError } from './invalid-token-error';
import { KeySetUnavailableError, remoteKeySet } from './remote-key-set';
import { missingScopes } from './scopes';
import { scopesOfTool } from './tool-scopes';
import { type AccessToken, verifyToken } from './verify-token';

/** REST APIs send this event; HTTP APIs with payload format 2.0 the other one. */
type RestEvent = APIGatewayRequestAuthorizerEvent;
type HttpEvent = APIGatewayRequestAuthorizerEventV2;
type HttpResult = APIGatewaySimpleAuthorizerResult & { context?: Record<string, string> };

/** What becomes of a request. `invalid_token` comes before scopes: a client whose token expired must refresh, not ask for more. */
type Decision =
  | { readonly outcome: 'allowed'; readonly token: AccessToken }
  | { readonly outcome: 'invalid_token'; readonly reason: string }
  | { readonly outcome: 'insufficient_scope'; readonly token: AccessToken; readonly missing: readonly string[] };

/**
 * A Lambda authorizer for REST APIs (REQUEST) and HTTP APIs (payload 2.0, simple responses).
 *
 * @returns answers one event. It throws `Unauthorized` to make a REST API answer 401, and KeySetUnavailableError while the issuer's keys
 * cannot be had, which API Gateway reports as a failure of the authorizer and never as an invalid token
 */
export function authorizer(config: AuthorizerConfig) {
  const keySet = remoteKeySet(config.jwksUri);

  return async function authorize(event: RestEvent | HttpEvent): Promise<APIGatewayAuthorizerResult | HttpResult> {
    const decision = await decide(event);
    if (decision.outcome !== 'allowed') {
      logDenial(decision, event.requestContext.requestId, config);
    }
    return 'routeArn' in event ? httpResult(decision) : restResult(decision, event.methodArn);
  };

  async function decide(event: RestEvent | HttpEvent): Promise<Decision> {
    const [authorization, ...further] = headerValues(event, 'authorization');
    if (authorization === undefined) {
      return { outcome: 'invalid_token', reason: 'missing' };
    }
    const presented = credentialsOf(authorization);
    if (presented === undefined || further.length > 0) {
      return { outcome: 'invalid_token', reason: 'authorization' };
    }
    const { scheme } = presented;
    if (scheme === 'dpop' && !config.dpop) {
      return { outcome: 'invalid_token', reason: 'scheme' };
    }
    try {
      const possession = scheme === 'dpop' ? { possession: possessionOf(event, config.audience) } : {};
      const token = await verifyToken(presented.token, { ...config, keySet, ...possession });
      const ofTool = scopesOfTool(
        headerValues(event, 'mcp-method'),
        headerValues(event, 'mcp-name'),
        config.toolScopes,
      );
      if (ofTool === undefined) {
        return { outcome: 'insufficient_scope', token, missing: [] };
      }
      const missing = missingScopes(token.scope, [...config.scopes, ...ofTool]);
      return missing.length === 0 ? { outcome: 'allowed', token } : { outcome: 'insufficient_scope', token, missing };
    } catch (error) {
      if (error instanceof InvalidTokenError) {
        return { outcome: 'invalid_token', reason: error.reason };
      }
      if (error instanceof KeySetUnavailableError) {
        const { requestId } = event.requestContext;
        logEvent(
          'ERROR',
          { event: 'key_set_unavailable', requestId, cause: String(error.cause) },
          dimensionsOf(config),
        );
      }
      throw error;
    }
  }

  function httpResult(decision: Decision): HttpResult {
    return decision.outcome === 'allowed'
      ? { isAuthorized: true, context: handedOver(decision.token, config.claims) }
      : { isAuthorized: false };
  }

  function restResult(decision: Decision, methodArn: string): APIGatewayAuthorizerResult {
    if (decision.outcome === 'invalid_token') {
      // API Gateway answers 401 to exactly this message.
      throw new Error('Unauthorized');
    }
    const allowed = decision.outcome === 'allowed';
    return {
      principalId: decision.token.sub,
      policyDocument: {
        Version: '2012-10-17',
        Statement: [
          { Action: 'execute-api:Invoke', Effect: allowed ? 'Allow' : 'Deny', Resource: wholeStage(methodArn) },
        ],
      },
      context: allowed ? handedOver(decision.token, config.claims) : {},
    };
  }
}

/** Behind a custom domain the event does not know the whole path, so the resource itself counts too. */
function possessionOf(event: RestEvent | HttpEvent, audience: string): ProofOfPossession {
  const [proof, ...further] = headerValues(event, 'dpop');
  const { method, path } =
    'routeArn' in event
      ? { method: event.requestContext.http.method, path: event.rawPath }
      : { method: event.httpMethod, path: event.requestContext.path };
  return {
    proof: further.length === 0 ? proof : undefined,
    method,
    urls: [audience, `${new URL(audience).origin}${path}`],
  };
}

/** API Gateway reuses the policy for every method of the API while it is cached, so it has to speak about all of them. */
function wholeStage(methodArn: string): string {
  const [api, stage] = methodArn.split('/');
  return `${api}/${stage}/*/*`;
}

function logDenial(
  decision: Exclude<Decision, { outcome: 'allowed' }>,
  requestId: string,
  config: AuthorizerConfig,
): void {
  const { outcome: event } = decision;
  const [reason, why] =
    event === 'invalid_token' ? [decision.reason, { reason: decision.reason }] : [event, { missing: decision.missing }];
  const dimensions = dimensionsOf(config);
  logEvent('INFO', { event, requestId, ...why }, dimensions, { ...dimensions, [DIMENSIONS.reason]: reason });
}

function dimensionsOf({ issuer, audience }: AuthorizerConfig): Record<string, string> {
  return { [DIMENSIONS.issuer]: issuer, [DIMENSIONS.resource]: audience };
}

/**
 * One line of JSON, as the authorization server writes them, without the token and without what it says about a person. Not by
 * `console.log`, before whose line Lambda puts the time: CloudWatch reads metrics only from a line that is JSON from its first character.
 */
function logEvent(
  level: 'INFO' | 'ERROR',
  fields: { readonly event: string } & Readonly<Record<string, unknown>>,
  ...dimensions: readonly Readonly<Record<string, string>>[]
): void {
  const counted = embeddedMetrics(fields, AUTHORIZER_METRICS, ...dimensions);
  process.stdout.write(`${JSON.stringify({ level, timestamp: new Date().toISOString(), ...fields, ...counted })}\n`);
}
