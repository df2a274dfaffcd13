import { canonical } from '../lambda/provider/resources';
import { described, isObject, isText } from '../lib/refusal';
import { checkScopes, checkSpelling } from '../lib/resource-rules';
import { checkKnown } from './known-options';
import type { ResourceOption, ScopeOption } from './options';
import { isServed } from './resource-record';
import type { Settings } from './settings';

/**
 * Notes what keeps tokens from being issued for resources.
 *
 * @param own identifier of the MCP server that the authorization server is a part of
 */
export function checkResources(settings: Settings, resources: unknown, own?: string): void {
  if (!Array.isArray(resources)) {
    settings.refuse('resources', described(resources), 'a list of resources, each { identifier, name?, scopes? }');
    return;
  }
  const seen = new Set(own === undefined ? [] : [canonical(own)]);
  resources.forEach((resource, i) => {
    const option = `resources[${i}]`;
    if (!isObject(resource)) {
      settings.refuse(option, described(resource), "{ identifier: 'https://mcp.example.com/mcp' }");
      return;
    }
    checkResource(settings, option, resource as Partial<ResourceOption>);
    const identifier = canonical(String(resource.identifier));
    if (identifier !== undefined && seen.has(identifier)) {
      settings.refuse(`${option}.identifier`, `${described(resource.identifier)} a second time`, 'each resource once');
    }
    seen.add(identifier);
  });
  const defaults = resources.filter((resource) => Object(resource).default === true).length;
  if (defaults > 1) settings.refuse('resources', `${defaults} with default: true`, 'one default at most');
}

function checkResource(settings: Settings, option: string, resource: Partial<ResourceOption>): void {
  checkKnown(settings, 'resource', `${option}.`, resource);
  const { identifier, name, scopes, default: isDefault, upstreamTokens } = resource;
  const url = typeof identifier === 'string' ? URL.parse(identifier) : undefined;
  if (!url || !isServed(url) || url.hash || url.username || url.password) {
    settings.refuse(
      `${option}.identifier`,
      described(identifier),
      'the URL of an MCP endpoint: https (http on this machine), without a fragment and credentials (RFC 8707 section 2)',
    );
  } else {
    checkSpelling(settings.refuse, `${option}.identifier`, String(identifier), url);
  }
  checkName(settings, `${option}.name`, name);
  settings.checkBoolean(`${option}.default`, isDefault);
  settings.checkBoolean(`${option}.upstreamTokens`, upstreamTokens);
  if (scopes !== undefined) checkScopeOptions(settings, `${option}.scopes`, scopes);
}

/** What people read of a resource on the consent page. */
export function checkName(settings: Settings, option: string, name: unknown): void {
  if (name !== undefined && !isText(name))
    settings.refuse(option, described(name), 'what people read on the consent page');
}

/** Notes what keeps scopes from being granted. */
export function checkScopeOptions(settings: Settings, option: string, scopes: unknown): void {
  if (!Array.isArray(scopes) || !scopes.every(isObject)) {
    settings.refuse(option, described(scopes), "a list of scopes, each { name: 'reports:read', description? }");
    return;
  }
  for (const scope of scopes as Partial<ScopeOption>[]) {
    checkKnown(settings, 'scope', `${option}.`, scope);
    settings.checkBoolean(`${option}.default`, scope.default);
    if (scope.description !== undefined && !isText(scope.description)) {
      settings.refuse(`${option}.description`, described(scope.description), 'what people read on the consent page');
    }
  }
  checkScopes(settings.refuse, option, scopes as ScopeOption[]);
}
