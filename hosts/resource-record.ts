import type { ResourceRecord } from '../lib/contract';
import { OPENID_SCOPES, SCOPE_TOKEN } from '../lib/scope-names';
import type { ResourceOption, ScopeOption } from './options';
import { described, type Settings } from './settings';

/** Where nobody says what there is to ask for. */
const DEFAULT_SCOPE: ScopeOption = { name: 'mcp:use', description: 'Use this server for you' };

/** Notes what keeps tokens from being issued for a resource. */
export function checkResource(settings: Settings, option: string, resource: ResourceOption): void {
  const { identifier, scopes = [DEFAULT_SCOPE] } = resource ?? {};
  const url = typeof identifier === 'string' ? URL.parse(identifier) : undefined;
  if (!url || !isServed(url) || url.hash || url.username || url.password) {
    settings.refuse(
      `${option}.identifier`,
      described(identifier),
      'the URL of an MCP endpoint: https (http on this machine), without a fragment and credentials (RFC 8707 section 2)',
    );
  }
  checkScopes(settings, `${option}.scopes`, scopes);
}

/** Notes what keeps scopes from being granted. */
export function checkScopes(settings: Settings, option: string, scopes: readonly ScopeOption[]): void {
  for (const { name } of scopes) {
    if (typeof name !== 'string' || !SCOPE_TOKEN.test(name) || isOpenIdScope(name)) {
      settings.refuse(
        option,
        described(name),
        `names without spaces, quotes and backslashes (RFC 6749 section 3.3), other than ${OPENID_SCOPES.join(', ')}`,
      );
    }
  }
}

export function isOpenIdScope(name: string): boolean {
  return OPENID_SCOPES.includes(name);
}

/** https, or http on this machine. */
export function isServed({ protocol, hostname }: URL): boolean {
  return protocol === 'https:' || (protocol === 'http:' && ['localhost', '127.0.0.1', '[::1]'].includes(hostname));
}

/** The record of a protected resource, its defaults filled in. */
export function resourceRecord(option: ResourceOption): ResourceRecord {
  const { identifier, name, scopes = [], default: isDefault = false, upstreamTokens } = option;
  const given = scopes.length > 0 ? scopes : [DEFAULT_SCOPE];
  const marked = given.some((scope) => scope.default);
  return {
    identifier,
    ...(name === undefined ? {} : { name }),
    scopes: given.map((scope, i) => ({
      name: scope.name,
      description: scope.description ?? scope.name,
      ...(scope.descriptions ? { descriptions: scope.descriptions } : {}),
      default: marked ? scope.default === true : i === 0,
      implies: scope.implies ?? [],
    })),
    default: isDefault,
    ...(upstreamTokens ? { upstreamTokens } : {}),
  };
}
