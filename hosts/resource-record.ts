import type { ResourceRecord } from '../lib/contract';
import { isLoopback } from '../lib/loopback';
import { OPENID_SCOPES } from '../lib/scope-names';
import type { ResourceOption, ScopeOption } from './options';

/** Where nobody says what there is to ask for. */
const DEFAULT_SCOPE: ScopeOption = { name: 'mcp:use', description: 'Use this server for you' };

export function isOpenIdScope(name: string): boolean {
  return OPENID_SCOPES.includes(name);
}

/** https, or http on this machine. */
export function isServed({ protocol, hostname }: URL): boolean {
  return protocol === 'https:' || (protocol === 'http:' && isLoopback(hostname));
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
