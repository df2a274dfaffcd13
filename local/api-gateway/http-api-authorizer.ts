import { arn } from '../account';
import type { Clock } from '../clock';
import { isObject } from '../json';
import type { LambdaFunction } from '../lambda/function';
import { AuthorizerCache } from './authorizer-cache';
import { baseEvent, type HttpApiCall } from './http-api-event';
import { headerValues, queryPairs } from './request';
import { within } from './time-limit';

const TIMEOUT_MILLISECONDS = 10_000;

export type HttpAuthorization =
  | { readonly outcome: 'allowed'; readonly context: object }
  | { readonly outcome: 'unauthorized' | 'forbidden' | 'failed' };

/** A Lambda authorizer of an HTTP API: payload format 2.0, simple responses. */
export class HttpApiAuthorizer {
  readonly #cache: AuthorizerCache<HttpAuthorization>;

  constructor(
    readonly id: string,
    readonly target: LambdaFunction,
    /** `$request.header.X`, `$request.querystring.X` or `$context.routeKey` */
    readonly identitySources: readonly string[],
    timeToLive: number,
    clock: Clock,
  ) {
    this.#cache = new AuthorizerCache(clock, timeToLive);
  }

  async authorize(call: HttpApiCall): Promise<HttpAuthorization> {
    const identity = this.identitySources.map((source) => identityValue(source, call));
    if (!identity.every((value) => value !== undefined && value !== '')) return { outcome: 'unauthorized' };
    const cached = this.#cache.get(identity as string[]);
    if (cached) return cached;

    const { apiId, request, stage } = call;
    const event = {
      ...baseEvent(call),
      type: 'REQUEST',
      routeArn: arn('execute-api', `${apiId}/${stage}/${request.method}${request.path}`),
      identitySource: identity,
    };
    const invoker = {
      service: 'apigateway.amazonaws.com',
      sourceArn: arn('execute-api', `${apiId}/authorizers/${this.id}`),
    };
    const result = await within(TIMEOUT_MILLISECONDS, this.target.invoke(event, invoker)).catch(() => undefined);
    if (!result || 'error' in result) return { outcome: 'failed' };
    const answer: unknown = JSON.parse(result.payload.toString());
    if (!isObject(answer) || typeof answer.isAuthorized !== 'boolean') return { outcome: 'failed' };
    const context = isObject(answer.context) ? answer.context : {};
    const authorization: HttpAuthorization = answer.isAuthorized
      ? { outcome: 'allowed', context }
      : { outcome: 'forbidden' };
    this.#cache.set(identity as string[], authorization);
    return authorization;
  }
}

function identityValue(source: string, call: HttpApiCall): string | undefined {
  const [, place, name] = /^\$request\.(header|querystring)\.(.+)$/.exec(source) ?? [];
  if (place === 'header') return headerValues(call.request, name!).join(',') || undefined;
  if (place === 'querystring') return queryPairs(call.request.query).find(([given]) => given === name)?.[1];
  return call.routeKey;
}
