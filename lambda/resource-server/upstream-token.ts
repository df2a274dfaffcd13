import { createHash } from 'node:crypto';
import { credentialsOf } from '../authorizer/credentials';
import { type Credential, credentialOfEnvironment } from './credential';
import { type UpstreamToken, UpstreamTokenError } from './upstream-token-error';

export { type UpstreamToken, UpstreamTokenError };

/** Where the exchange is made, and as whom. */
export interface UpstreamTokenOptions {
  /** The issuer identifier of the authorization server. */
  readonly issuer: string;
  /** The `client_id` of this resource server, as `clients add --resource` printed it. */
  readonly clientId: string;
  /** The `client_secret` beside it. */
  readonly clientSecret: string;
}

/** A request as API Gateway, Express and Node have it. */
export interface RequestWithHeaders {
  readonly headers: Readonly<Record<string, string | readonly string[] | undefined>>;
}

/** Milliseconds. */
const TIMEOUT = 15_000;
/** A token that upstream sets no end to is asked for again after so many milliseconds, so that the end of a grant is noticed. */
const UNSAID_LIFETIME = 60_000;
/** Milliseconds before its end at which a token is no longer handed out, or a quarter of its life where that is shorter. */
const EARLY = 30_000;
/** Of the people that one instance remembers; the first to come is the first to go. */
const MOST_REMEMBERED = 1_000;

interface Remembered {
  readonly token: Promise<UpstreamToken>;
  /** Epoch milliseconds; later than everything until the answer has come. */
  until: number;
}

/** By the hash of the access token, never by the token. */
const remembered = new Map<string, Remembered>();

/**
 * Exchanges the access token of a request for one of the upstream identity provider's (RFC 8693), which acts there as the person. It is kept in memory until
 * shortly before it expires. Check the request first: `verifyBearer`, or the authorizer in front of the handler.
 *
 * @param request the event of the handler, or anything with `headers`
 * @param options by default what `grantUpstreamTokens` has given the function
 * @throws UpstreamTokenError
 */
export async function upstreamToken(
  request: RequestWithHeaders,
  options?: UpstreamTokenOptions,
): Promise<UpstreamToken> {
  const subject = accessTokenOf(request);
  const key = createHash('sha256')
    .update(JSON.stringify([subject, options]))
    .digest('base64url');
  const known = remembered.get(key);
  if (known && Date.now() < known.until) return known.token;

  const entry: Remembered = { token: exchanged(subject, options), until: Number.POSITIVE_INFINITY };
  remembered.delete(key);
  remembered.set(key, entry);
  for (const oldest of remembered.keys()) {
    if (remembered.size <= MOST_REMEMBERED) break;
    remembered.delete(oldest);
  }
  try {
    const token = await entry.token;
    const lifetime = token.expiresAt === undefined ? UNSAID_LIFETIME : token.expiresAt - Date.now();
    entry.until = Date.now() + lifetime - Math.min(EARLY, lifetime / 4);
    return token;
  } catch (error) {
    if (remembered.get(key) === entry) remembered.delete(key);
    throw error;
  }
}

function accessTokenOf({ headers }: RequestWithHeaders): string {
  const [header, ...more] = Object.entries(headers ?? {})
    .filter(([name]) => name.toLowerCase() === 'authorization')
    .flatMap(([, value]) => value ?? []);
  const token = header === undefined || more.length > 0 ? undefined : credentialsOf(header)?.token;
  if (token === undefined) throw new UpstreamTokenError('The request has no access token.', 401);
  return token;
}

async function exchanged(subject: string, options: UpstreamTokenOptions | undefined): Promise<UpstreamToken> {
  if (options) {
    const { issuer, clientId, clientSecret } = options;
    return ask(subject, { tokenEndpoint: `${issuer}/token`, clientId, clientSecret });
  }
  try {
    return await ask(subject, await credentialOfEnvironment());
  } catch (error) {
    // The secret has another value than when it was read.
    if (!(error instanceof UpstreamTokenError && error.error === 'invalid_client')) throw error;
    return ask(subject, await credentialOfEnvironment({ anew: true }));
  }
}

async function ask(subject: string, { tokenEndpoint, clientId, clientSecret }: Credential): Promise<UpstreamToken> {
  const credentials = [clientId, clientSecret].map(formEncoded).join(':');
  const asked = Date.now();
  const response = await fetch(tokenEndpoint, {
    method: 'POST',
    redirect: 'error',
    signal: AbortSignal.timeout(TIMEOUT),
    headers: { authorization: `Basic ${Buffer.from(credentials).toString('base64')}`, accept: 'application/json' },
    body: new URLSearchParams({
      grant_type: 'urn:ietf:params:oauth:grant-type:token-exchange',
      subject_token: subject,
      subject_token_type: 'urn:ietf:params:oauth:token-type:access_token',
    }),
  }).catch((cause) => {
    throw new UpstreamTokenError('The authorization server cannot be reached.', 503, undefined, { cause });
  });
  const answer: Readonly<Record<string, unknown>> = Object(await response.json().catch(() => ({})));
  if (!response.ok) throw refusal(response.status, answer);
  const { access_token: accessToken, token_type: tokenType, scope, expires_in: expiresIn } = answer;
  // The connection ended in the answer, or something else answered.
  if (typeof accessToken !== 'string' || typeof tokenType !== 'string') {
    throw new UpstreamTokenError('The authorization server answered without a token.', 503);
  }
  return {
    accessToken,
    tokenType,
    ...(typeof scope === 'string' ? { scope } : {}),
    ...(typeof expiresIn === 'number' ? { expiresAt: asked + expiresIn * 1000 } : {}),
  };
}

function refusal(status: number, { error, error_description }: Readonly<Record<string, unknown>>): UpstreamTokenError {
  const code = typeof error === 'string' ? error : undefined;
  const said = `The authorization server answered ${status} ${code ?? ''}: ${error_description ?? 'no description'}.`;
  if (status >= 500 || status === 429) return new UpstreamTokenError(said, 503, code);
  // The access token, or what it stands for, is not good any more.
  const isOver = code === 'invalid_grant' || code === 'invalid_request';
  return new UpstreamTokenError(said, isOver ? 401 : 500, code);
}

/** RFC 6749 section 2.3.1. */
function formEncoded(text: string): string {
  return new URLSearchParams([['', text]]).toString().slice(1);
}
