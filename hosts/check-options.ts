import { LONGEST_LIFETIME } from '../lib/contract';
import { checkList, described } from '../lib/refusal';
import { checkGroups } from './check-groups';
import { checkIdpClient } from './check-idp-client';
import { checkResources } from './check-resources';
import { checkJwks } from './operator-keys';
import type { HostOptions } from './options';
import { isServed } from './resource-record';
import type { Settings } from './settings';

const SHORTEST_SECRET = 32;

/** Milliseconds. */
export const SESSION_MAX_AGE = { atLeast: 1000, atMost: LONGEST_LIFETIME * 1000 };

/**
 * Notes everything, but for the store, that keeps a server from starting with these options.
 *
 * @param own identifier of the MCP server that the authorization server is a part of
 */
export function checkOptions(settings: Settings, options: Partial<Omit<HostOptions, 'store'>>, own?: string): void {
  const base = checkOrigin(settings, 'baseUrl', options.baseUrl);
  checkIdpClient(settings, options.idpClient, base, own);
  checkSecret(settings, options.secret);
  checkKeys(settings, options);
  const { sessionMaxAge, additionalCorsOrigins, resources = [], trustedProxies = 0 } = options;
  const { refuse } = settings;
  const { atLeast, atMost } = SESSION_MAX_AGE;
  const isAge = typeof sessionMaxAge === 'number' && sessionMaxAge >= atLeast && sessionMaxAge <= atMost;
  if (sessionMaxAge !== undefined && !isAge) {
    refuse('sessionMaxAge', described(sessionMaxAge), 'milliseconds, from a second to 400 days');
  }
  const origins = "origins, for example 'https://app.example.com'";
  checkList(refuse, 'additionalCorsOrigins', additionalCorsOrigins, isOrigin, origins);
  checkResources(settings, resources, own);
  if (!Number.isInteger(trustedProxies) || trustedProxies < 0) {
    refuse('trustedProxies', described(trustedProxies), 'the number of reverse proxies before this server');
  }
  for (const name of ['singleProcess', 'isProduction', 'dpop'] as const) {
    settings.checkBoolean(name, (options as Partial<HostOptions>)[name]);
  }
  checkGroups(settings, options);
}

export function isProduction({ isProduction }: Pick<HostOptions, 'isProduction'>): boolean {
  return isProduction ?? process.env.NODE_ENV === 'production';
}

/** @returns the public URL of a server, where it can be one */
export function checkOrigin(settings: Settings, option: string, given: unknown): URL | undefined {
  const url = typeof given === 'string' ? URL.parse(given) : undefined;
  if (url && isServed(url) && [url.origin, `${url.origin}/`].includes(String(given))) return url;
  settings.refuse(
    option,
    described(given),
    "the public URL of the server: https, or http on this machine, without a path, for example 'https://auth.example.com'",
  );
  return undefined;
}

function isOrigin(given: unknown): boolean {
  return typeof given === 'string' && URL.parse(given)?.origin === given;
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
