import { StartError } from '../start-error';

/** How long the identity provider has, in milliseconds. */
const TIMEOUT = 10_000;
const LOOPBACK = ['localhost', '127.0.0.1', '[::1]'];
const WELL_KNOWN = '/.well-known/openid-configuration';

/** OpenID Connect Discovery 1.0 section 3: a sign-in goes to each of them. */
const ENDPOINTS = ['authorization_endpoint', 'token_endpoint', 'jwks_uri'];

/** Where a provider says what it supports, it has to support one of these: they are what the authorization server uses. */
const NEEDED: readonly (readonly [name: string, values: readonly string[]])[] = [
  ['response_types_supported', ['code']],
  ['code_challenge_methods_supported', ['S256']],
  ['token_endpoint_auth_methods_supported', ['client_secret_basic', 'client_secret_post']],
];

/** @throws StartError where this cannot be an issuer, before anything is sent there */
export function checkIssuer(issuer: string): void {
  const url = URL.parse(issuer);
  const example = 'an issuer looks like https://login.example.com';
  if (!url) throw new StartError(`The identity provider must be given as a URL, got ${quoted(issuer)}: ${example}.`);
  if (issuer.includes('/.well-known/')) {
    throw new StartError(`Give the issuer, without /.well-known/ and what follows it, got ${quoted(issuer)}.`);
  }
  if (url.protocol !== 'https:' && !(url.protocol === 'http:' && LOOPBACK.includes(url.hostname))) {
    throw new StartError(`The issuer must be https (http on loopback only), got ${quoted(issuer)}: ${example}.`);
  }
  if (url.search || url.hash || url.username || url.password) {
    throw new StartError(`The issuer must have no query, fragment or user name: ${example}.`);
  }
}

/**
 * Whether people can be sent to this identity provider: that its discovery document answers, is about this issuer (OpenID
 * Connect Discovery 1.0 section 4.3), and offers what the authorization server uses.
 *
 * @throws StartError with what is in the way
 */
export async function checkDiscovery(issuer: string, signal: AbortSignal): Promise<void> {
  const address = `${issuer.replace(/\/$/, '')}${WELL_KNOWN}`;
  const metadata = await discover(address, signal);
  if (metadata.issuer !== issuer) {
    throw new StartError(
      `${address} spells the issuer ${quoted(metadata.issuer)}, and ${quoted(issuer)} was given. The two must be the same, also in the slash at the end (docs/identity-providers.md).`,
    );
  }
  const endpoint = ENDPOINTS.find((name) => typeof metadata[name] !== 'string');
  if (endpoint) throw new StartError(`${address} has no ${endpoint}: this is not an identity provider to sign in at.`);
  for (const [name, values] of NEEDED) {
    const supported = metadata[name];
    if (Array.isArray(supported) && !values.some((value) => supported.includes(value))) {
      throw new StartError(
        `The identity provider must support ${values.join(' or ')}; the ${name} of ${address} are ${quoted(supported)}.`,
      );
    }
  }
}

async function discover(address: string, signal: AbortSignal): Promise<Record<string, unknown>> {
  const timeout = AbortSignal.timeout(TIMEOUT);
  try {
    const response = await fetch(address, {
      headers: { accept: 'application/json' },
      // As the authorization server does it: an issuer is not elsewhere.
      redirect: 'manual',
      signal: AbortSignal.any([signal, timeout]),
    });
    if (response.status !== 200) {
      throw new StartError(
        `${address} answers with ${response.status}: is the issuer complete? It often has a path (docs/identity-providers.md).`,
      );
    }
    const metadata: unknown = await response.json();
    if (metadata !== null && typeof metadata === 'object') return { ...metadata };
  } catch (error) {
    if (error instanceof StartError) throw error;
    if (timeout.aborted) throw new StartError(`${address} does not answer within ${TIMEOUT / 1000} s.`);
    // fetch says only that it failed; the cause says why.
    const { message, cause } = error as Error;
    if (!(error instanceof SyntaxError)) {
      throw new StartError(`${address} cannot be reached: ${cause instanceof Error ? cause.message : message}`);
    }
  }
  throw new StartError(`${address} answers with something else than a JSON document.`);
}

/** Escapes what could play with the terminal. */
function quoted(value: unknown): string {
  return JSON.stringify(value) ?? 'not at all';
}
