import type { JWTVerifyGetKey } from 'jose';
import { DPOP_ALGORITHMS } from '../../lib/contract';
import { credentialsOf } from './credentials';
import { InvalidTokenError } from './invalid-token-error';
import { KeySetUnavailableError, remoteKeySet } from './remote-key-set';
import { missingScopes } from './scopes';
import { type AccessToken, verifyToken } from './verify-token';

export { type KeySetCache, remoteKeySet } from './remote-key-set';

/** A verified access token: `sub`, `client_id`, `scope` and all `claims`. */
export type Bearer = AccessToken;

/** A request must be refused. Answer it with `status` and, where there is one, `challenge` as the `WWW-Authenticate` header. */
export class BearerError extends Error {
  override readonly name: string = 'BearerError';

  /**
   * @param message what is wrong and what is needed, for people
   * @param status 401: no valid token. 403: a valid token that may not do this. 503: the issuer's keys cannot be had, try again
   * @param error the error code of RFC 6750 section 3.1; none where the request carried no token, or nothing is wrong with it
   * @param challenge the value of the `WWW-Authenticate` header (RFC 6750 section 3, RFC 9728 section 5.1); none with 503
   */
  constructor(
    message: string,
    readonly status: 401 | 403 | 503,
    readonly error: 'invalid_token' | 'insufficient_scope' | undefined,
    readonly challenge: string | undefined,
    options?: ErrorOptions,
  ) {
    super(message, options);
  }
}

/** The token is valid and lacks scopes. The challenge asks for those that it has as well, so that a client loses none by stepping up. */
export class InsufficientScopeError extends BearerError {
  override readonly name = 'InsufficientScopeError';

  /**
   * @param missing the scopes that were not granted
   * @param granted those that were, separated by spaces
   * @param audience the resource identifier, where it is known
   */
  constructor(
    readonly missing: readonly string[],
    granted: string,
    audience?: string,
  ) {
    const scopes = [...granted.split(' ').filter(Boolean), ...missing];
    super(
      `The access token lacks the scope ${missing.join(' ')}.`,
      403,
      'insufficient_scope',
      challenge({
        error: 'insufficient_scope',
        scope: scopes.join(' '),
        resource_metadata: audience === undefined ? '' : metadataUrl(audience),
      }),
    );
  }
}

export interface VerifyBearerOptions {
  /** The issuer identifier of the authorization server, `McpOidcAuth.issuer`. Its key set is read from `<issuer>/jwks`. */
  readonly issuer: string;
  /** The identifier of this protected resource, the only `aud` that is accepted. Its metadata is announced at the well-known path. */
  readonly audience: string;
  /** Scopes that the token must have. */
  readonly scopes?: readonly string[];
  /** The issuer's keys, where they are not to be kept as `remoteKeySet` does by itself: `remoteKeySet('<issuer>/jwks', { cacheMaxAge })`. */
  readonly keySet?: JWTVerifyGetKey;
  /** Of the request, where tokens that are bound to a key (RFC 9449) are accepted as well as bearer tokens; `McpOidcAuth.dpop`. */
  readonly dpop?: DpopRequest;
}

/** What a proof of possession is about. */
export interface DpopRequest {
  /** The value of the `DPoP` header; undefined where there is not exactly one. */
  readonly proof: string | undefined;
  /** The method of the request. */
  readonly method: string;
  /** The URL that the client used, built from configuration rather than from the `Host` header; the audience where absent. */
  readonly url?: string;
}

/** One per issuer, so that its keys are fetched once for all requests. */
const keySets = new Map<string, JWTVerifyGetKey>();

/**
 * Validates the access token of a request (RFC 6750 section 2.1, RFC 9068 section 4) against the issuer's published keys.
 *
 * @param authorization the value of the `Authorization` header
 * @throws BearerError with status 401 without a valid token, 403 (InsufficientScopeError) without the scopes, 503 while the issuer's
 * keys cannot be had
 */
export async function verifyBearer(authorization: string | undefined, options: VerifyBearerOptions): Promise<Bearer> {
  const { audience, scopes = [], dpop } = options;
  const offered = dpop ? `, DPoP algs="${DPOP_ALGORITHMS.join(' ')}"` : '';
  const needed = { scope: scopes.join(' '), resource_metadata: metadataUrl(audience) };
  if (authorization === undefined || !/^(bearer|dpop)\b/i.test(authorization)) {
    throw new BearerError('An access token is needed.', 401, undefined, challenge(needed) + offered);
  }
  try {
    const bearer = await verified(authorization, options);
    requireScope(bearer, ...scopes);
    return bearer;
  } catch (error) {
    if (error instanceof InvalidTokenError) {
      const refusal = { error: 'invalid_token', error_description: error.message, ...needed };
      throw new BearerError(error.message, 401, 'invalid_token', challenge(refusal) + offered, { cause: error });
    }
    if (error instanceof KeySetUnavailableError) {
      throw new BearerError(`${error.message} Try again later.`, 503, undefined, undefined, { cause: error });
    }
    throw error;
  }
}

/**
 * Demands scopes inside a handler, for what nobody in front of it can see.
 *
 * @param granted what `verifyBearer` returned, or `event.requestContext.authorizer` (`.lambda` on HTTP APIs) behind the authorizer
 * @param scopes all of them are needed
 * @throws InsufficientScopeError naming those that are missing
 */
export function requireScope(granted: Bearer | { readonly scope?: string } | undefined, ...scopes: string[]): void {
  const has = granted?.scope ?? '';
  const missing = missingScopes(has, scopes);
  if (missing.length > 0) {
    const audience = granted !== undefined && 'claims' in granted ? granted.claims.aud : undefined;
    throw new InsufficientScopeError(missing, has, typeof audience === 'string' ? audience : undefined);
  }
}

async function verified(authorization: string, options: VerifyBearerOptions): Promise<Bearer> {
  const { issuer, audience, dpop } = options;
  const credentials = credentialsOf(authorization);
  if (credentials === undefined) {
    throw new InvalidTokenError('malformed');
  }
  const { scheme, token } = credentials;
  if (scheme === 'dpop' && dpop === undefined) {
    throw new InvalidTokenError('scheme');
  }
  const keySet = options.keySet ?? publishedBy(issuer);
  const possession = scheme === 'dpop' && dpop ? { possession: { ...dpop, urls: [dpop.url ?? audience] } } : {};
  return verifyToken(token, { issuer, audience, keySet, ...possession });
}

function publishedBy(issuer: string): JWTVerifyGetKey {
  const keySet = keySets.get(issuer) ?? remoteKeySet(`${issuer}/jwks`);
  keySets.set(issuer, keySet);
  return keySet;
}

/** Where clients find the metadata: the well-known path goes between host and path of the identifier (RFC 9728 section 3.1). */
export function metadataUrl(audience: string): string {
  const { origin, pathname, search } = new URL(audience);
  return `${origin}/.well-known/oauth-protected-resource${pathname === '/' ? '' : pathname}${search}`;
}

/** Parameters without a value are left out. None needs escaping: scope tokens, URLs and our own descriptions have no quotes in them. */
function challenge(parameters: Readonly<Record<string, string>>): string {
  const list = Object.entries(parameters).filter(([, value]) => value !== '');
  return `Bearer ${list.map(([name, value]) => `${name}="${value}"`).join(', ')}`;
}
