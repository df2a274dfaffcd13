import type { JWTVerifyGetKey } from 'jose';
import { InsufficientScopeError, refusalOf, tokenNeeded } from './bearer-error';
import { credentialsOf } from './credentials';
import { InvalidTokenError } from './invalid-token-error';
import { remoteKeySet } from './remote-key-set';
import { missingScopes } from './scopes';
import { type AccessToken, verifyToken } from './verify-token';

export { BearerError, InsufficientScopeError } from './bearer-error';
export { type KeySetCache, remoteKeySet } from './remote-key-set';

/** A verified access token: `sub`, `client_id`, `scope` and all `claims`. */
export type Bearer = AccessToken;

/** What a token has to be. */
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
 * @param authorization the value of the `Authorization` header; undefined where there is none, or more than one
 * @param options who has to have issued the token, for whom, and what it has to allow
 * @returns the verified token: `sub`, `client_id`, `scope` and all `claims`
 * @throws BearerError with status 401 without a valid token, 403 (InsufficientScopeError) without the scopes, 503 while the issuer's
 * keys cannot be had
 */
export async function verifyBearer(authorization: string | undefined, options: VerifyBearerOptions): Promise<Bearer> {
  const { audience, scopes = [], dpop } = options;
  const needed = { audience, scopes, dpop: dpop !== undefined };
  if (authorization === undefined || !/^(bearer|dpop)\b/i.test(authorization)) throw tokenNeeded(needed);
  try {
    const bearer = await verified(authorization, options);
    requireScope(bearer, ...scopes);
    return bearer;
  } catch (error) {
    throw refusalOf(error, needed, credentialsOf(authorization)?.scheme);
  }
}

/** What is known of the scopes that were granted. */
export type Granted =
  | Bearer
  | { readonly scope?: string }
  /** `AuthInfo` of the official SDK. */
  | { readonly scopes: readonly string[]; readonly resource?: URL };

/**
 * Demands scopes inside a handler, for what nobody in front of it can see.
 *
 * @param granted what `verifyBearer` returned; `event.requestContext.authorizer` (`.lambda` on HTTP APIs) behind the authorizer; `req.auth`, or
 * a tool's `authInfo`, with the official SDK
 * @param scopes all of them are needed
 * @throws InsufficientScopeError naming those that are missing
 */
export function requireScope(granted: Granted | undefined, ...scopes: string[]): void {
  const has = scopeOf(granted);
  const missing = missingScopes(has, scopes);
  if (missing.length > 0) throw new InsufficientScopeError(missing, has, audienceOf(granted));
}

function scopeOf(granted: Granted = {}): string {
  return 'scopes' in granted ? granted.scopes.join(' ') : (granted.scope ?? '');
}

function audienceOf(granted: Granted = {}): string | undefined {
  if ('scopes' in granted) return granted.resource?.href;
  const audience = 'claims' in granted ? granted.claims.aud : undefined;
  return typeof audience === 'string' ? audience : undefined;
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
