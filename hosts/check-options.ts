import { type AllowRule, LONGEST_LIFETIME, ROUTES } from '../lib/contract';
import type { OidcClient } from './oidc-client';
import { checkJwks } from './operator-keys';
import type { HostOptions } from './options';
import { checkResource, isServed } from './resource-record';
import { described, type Settings } from './settings';

const SHORTEST_SECRET = 32;

/** Notes everything, but for the store, that keeps a server from starting with these options. */
export function checkOptions(settings: Settings, options: Partial<Omit<HostOptions, 'store'>>): void {
  const base = checkOrigin(settings, 'baseUrl', options.baseUrl);
  checkUpstream(settings, options.idpClient, base);
  checkSecret(settings, options.secret);
  checkKeys(settings, options);
  const { sessionMaxAge, additionalCorsOrigins = [], resources = [], trustedProxies = 0 } = options;
  if (sessionMaxAge !== undefined && !(sessionMaxAge >= 1000 && sessionMaxAge <= LONGEST_LIFETIME * 1000)) {
    settings.refuse('sessionMaxAge', described(sessionMaxAge), 'milliseconds, from a second to 400 days');
  }
  for (const origin of additionalCorsOrigins) {
    if (typeof origin !== 'string' || URL.parse(origin)?.origin !== origin) {
      settings.refuse('additionalCorsOrigins', described(origin), "origins, for example 'https://app.example.com'");
    }
  }
  resources.forEach((resource, i) => {
    checkResource(settings, `resources[${i}]`, resource);
  });
  if (!Number.isInteger(trustedProxies) || trustedProxies < 0) {
    settings.refuse('trustedProxies', described(trustedProxies), 'the number of reverse proxies before this server');
  }
}

export function isProduction({ isProduction }: Pick<HostOptions, 'isProduction'>): boolean {
  return isProduction ?? process.env.NODE_ENV === 'production';
}

/** @returns the public URL of a server, where it can be one */
export function checkOrigin(settings: Settings, option: string, given: unknown): URL | undefined {
  const url = typeof given === 'string' ? URL.parse(given) : undefined;
  const isOrigin = url && isServed(url) && [url.origin, `${url.origin}/`].includes(String(given));
  if (isOrigin) return url;
  settings.refuse(
    option,
    described(given),
    "the public URL of the server: https, or http on this machine, without a path, for example 'https://auth.example.com'",
  );
  return undefined;
}

function checkUpstream(settings: Settings, client: unknown, base: URL | undefined): void {
  // By its shape: it may come from another copy of this package.
  const { config } = (client ?? {}) as Partial<OidcClient>;
  if (typeof config !== 'object' || config === null) {
    const isOther = typeof client === 'object' && client !== null && 'createAuthorizationUrl' in client;
    settings.refuse(
      'idpClient',
      isOther ? 'a client with an implementation of its own' : described(client),
      'a new OidcClient({ issuer, clientId, clientSecret, redirectUri })',
    );
    return;
  }
  const { issuer, clientId, clientSecret, redirectUri, extractCustomData, allow } = config;
  const address = URL.parse(issuerOf(issuer ?? ''));
  if (!issuer || !address || !isServed(address)) {
    settings.refuse(
      'idpClient.issuer',
      described(issuer),
      "your identity provider's issuer, as its discovery document spells it",
    );
  }
  if (!clientId) {
    settings.refuse('idpClient.clientId', described(clientId), 'the id of your client at the identity provider');
  }
  if (!clientSecret) settings.refuse('idpClient.clientSecret', 'nothing', 'the secret of that client');
  // Without a URL of this server there is nothing to compare with, and that has been noted.
  if (base && !isRedirectUri(redirectUri, base)) {
    settings.refuse(
      'idpClient.redirectUri',
      described(redirectUri),
      `a URL of this server, as it is registered at the identity provider, for example '${base.origin}/oauth/callback'`,
    );
  }
  if (extractCustomData !== undefined && typeof extractCustomData !== 'function') {
    settings.refuse('idpClient.extractCustomData', described(extractCustomData), 'a function of the claims');
  }
  if (allow !== undefined && !(Array.isArray(allow) && allow.every(isRule))) {
    settings.refuse('idpClient.allow', described(allow), 'rules such as [{"claim":"email","values":["@example.com"]}]');
  }
}

/** At a path of this server that is for nothing else. */
function isRedirectUri(given: unknown, base: URL): boolean {
  const url = typeof given === 'string' ? URL.parse(given) : null;
  if (url?.origin !== base.origin || url.search || url.hash) return false;
  const [first] = url.pathname.slice(1).split('/');
  return !ROUTES.some(({ path }) => path !== '/callback' && path.slice(1).split('/')[0] === first);
}

/** A text in the place of the list would be taken letter by letter. */
function isRule(rule: unknown): boolean {
  const { claim, values } = (rule ?? {}) as Partial<AllowRule>;
  if (typeof claim !== 'string' || !Array.isArray(values)) return false;
  return values.length > 0 && values.every((value) => typeof value === 'string' && value !== '');
}

/** A host alone stands for its https URL. */
export function issuerOf(given: string): string {
  return /^https?:/.test(given) ? given : `https://${given}`;
}

function checkSecret(settings: Settings, given: unknown): void {
  const secrets = Array.isArray(given) ? given : [given];
  const needed = `at least ${SHORTEST_SECRET} random characters, for example of \`openssl rand -base64 32\``;
  if (secrets.length === 0) settings.refuse('secret', 'an empty list', needed);
  for (const secret of secrets) {
    if (typeof secret !== 'string' || secret === '')
      settings.refuse('secret', secret ? described(typeof secret) : 'nothing', needed);
    else if (secret.length < SHORTEST_SECRET) settings.refuse('secret', `${secret.length} characters`, needed);
  }
}

function checkKeys(settings: Settings, options: Partial<Omit<HostOptions, 'store'>>): void {
  const { jwks } = options;
  if (jwks === 'store') return;
  if (jwks !== undefined) {
    checkJwks(settings, jwks);
  } else if (isProduction(options)) {
    settings.refuse(
      'jwks',
      'nothing',
      "in production the output of `npx mcp-oidc-auth keys generate`, or 'store', so that this server keeps its keys in the store and rotates them by itself",
    );
  }
}
