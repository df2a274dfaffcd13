import { DPOP_ALGORITHMS } from '../../lib/contract';
import type { Credentials } from './credentials';
import { InvalidProofError, InvalidTokenError } from './invalid-token-error';
import { KeySetUnavailableError } from './remote-key-set';

/** A request must be refused. Answer it with `status`, `headers` and, as JSON, `body`. */
export class BearerError extends Error {
  override readonly name: string = 'BearerError';

  /**
   * @param message what is wrong and what is needed, for people
   * @param status 401: no valid token. 403: a valid token that may not do this. 503: the issuer's keys cannot be had, try again
   * @param error the error code of RFC 6750 section 3.1 or RFC 9449 section 7.1; none where the request carried no token, or nothing is wrong with it
   * @param challenge the value of the `WWW-Authenticate` header (RFC 6750 section 3, RFC 9728 section 5.1); none with 503
   */
  constructor(
    message: string,
    readonly status: 401 | 403 | 503,
    readonly error: 'invalid_token' | 'invalid_dpop_proof' | 'insufficient_scope' | undefined,
    readonly challenge: string | undefined,
    options?: ErrorOptions,
  ) {
    super(message, options);
  }

  get headers(): Record<string, string> {
    return {
      ...(this.challenge === undefined ? {} : { 'WWW-Authenticate': this.challenge }),
      ...(this.status === 503 ? { 'Retry-After': '5' } : {}),
    };
  }

  /** As OAuth has its errors (RFC 6749 section 5.2). */
  get body(): { readonly error: string; readonly error_description: string } {
    const error = this.error ?? (this.status === 503 ? 'temporarily_unavailable' : 'invalid_token');
    return { error, error_description: this.message };
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
      challenge('Bearer', {
        error: 'insufficient_scope',
        scope: scopes.join(' '),
        resource_metadata: audience === undefined ? '' : metadataUrl(audience),
      }),
    );
  }
}

/** What a request to a protected resource needs. */
export interface Needed {
  /** The resource identifier. */
  readonly audience: string;
  readonly scopes: readonly string[];
  /** Whether tokens that are bound to a key (RFC 9449) are accepted as well as bearer tokens. */
  readonly dpop: boolean;
}

/** The request carried no token. */
export function tokenNeeded(needed: Needed): BearerError {
  return new BearerError('An access token is needed.', 401, undefined, challengeFor(needed));
}

/**
 * What becomes of a request whose token was looked at in vain; the error itself, where that is no reason to refuse it.
 *
 * @param scheme with which the token was presented
 */
export function refusalOf(error: unknown, needed: Needed, scheme?: Credentials['scheme']): unknown {
  if (error instanceof InvalidTokenError) {
    const code = error instanceof InvalidProofError ? 'invalid_dpop_proof' : 'invalid_token';
    const asked = challengeFor(needed, { error: code, error_description: error.message }, scheme);
    return new BearerError(error.message, 401, code, asked, { cause: error });
  }
  if (error instanceof KeySetUnavailableError) {
    return new BearerError(`${error.message} Try again later.`, 503, undefined, undefined, { cause: error });
  }
  return error;
}

/** The error is that of the scheme that was used (RFC 9449 sections 7.1 and 7.2). */
function challengeFor(
  { audience, scopes, dpop }: Needed,
  why: Readonly<Record<string, string>> = {},
  scheme: Credentials['scheme'] = 'bearer',
): string {
  const [ofBearer, ofDpop] = dpop && scheme === 'dpop' ? [{}, why] : [why, {}];
  const bearer = { ...ofBearer, scope: scopes.join(' '), resource_metadata: metadataUrl(audience) };
  const offered = dpop ? [challenge('DPoP', { ...ofDpop, algs: DPOP_ALGORITHMS.join(' ') })] : [];
  return [challenge('Bearer', bearer), ...offered].join(', ');
}

/** Where clients find the metadata: the well-known path goes between host and path of the identifier (RFC 9728 section 3.1). */
export function metadataUrl(audience: string): string {
  const { origin, pathname, search } = new URL(audience);
  return `${origin}/.well-known/oauth-protected-resource${pathname === '/' ? '' : pathname}${search}`;
}

/** Parameters without a value are left out. None needs escaping: scope tokens, URLs and our own descriptions have no quotes in them. */
function challenge(scheme: 'Bearer' | 'DPoP', parameters: Readonly<Record<string, string>>): string {
  const list = Object.entries(parameters).filter(([, value]) => value !== '');
  return `${scheme} ${list.map(([name, value]) => `${name}="${value}"`).join(', ')}`;
}
