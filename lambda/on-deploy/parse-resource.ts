import type { ResourceRecord, ScopeRecord } from '../../lib/contract';
import { isLoopback } from '../../lib/loopback';
import { SCOPE_TOKEN } from '../../lib/scope-names';
import { isText } from './property';

/**
 * Reads the `Resource` property of the custom resource. Most of it was checked when the app was synthesized; what CloudFormation filled
 * in since, such as the identifier of a new API, is checked here.
 *
 * @param text a ResourceRecord as JSON
 * @throws TypeError saying what was given and what is needed
 */
export function parseResource(text: unknown): ResourceRecord {
  const { identifier, name, scopes, default: isDefault, upstreamTokens } = record('Resource', parseJson(text));
  checkIdentifier(identifier);
  check(name === undefined || isText(name), 'name has to be a text', name);
  check(Array.isArray(scopes) && scopes.length > 0, 'scopes has to have at least one scope', scopes);
  check(typeof isDefault === 'boolean', 'default has to be true or false', isDefault);
  const needed = 'upstreamTokens has to be true, false or absent';
  check(upstreamTokens === undefined || typeof upstreamTokens === 'boolean', needed, upstreamTokens);

  const parsed = (scopes as unknown[]).map(parseScope);
  const names = parsed.map((scope) => scope.name);
  check(new Set(names).size === names.length, 'every scope needs a name of its own', names);
  for (const scope of parsed) {
    const unknown = scope.implies.filter((implied) => !names.includes(implied));
    check(unknown.length === 0, `${scope.name} can imply only scopes of the same resource`, unknown);
  }
  return {
    identifier: identifier as string,
    name: name as string | undefined,
    scopes: parsed,
    default: isDefault as boolean,
    ...(upstreamTokens === true ? { upstreamTokens } : {}),
  };
}

function parseJson(text: unknown): unknown {
  try {
    return JSON.parse(text as string);
  } catch {
    throw new TypeError(`Resource has to be the JSON of a protected resource; given: ${JSON.stringify(text)}.`);
  }
}

/** RFC 8707 section 2: an absolute URI without a fragment. Tokens go over TLS, save on loopback (RFC 8252 section 8.3). */
function checkIdentifier(identifier: unknown): void {
  const url = isText(identifier) ? URL.parse(identifier) : null;
  const needed = 'identifier has to be an absolute https URL without a fragment (http on loopback only)';
  check(url !== null && !(identifier as string).includes('#'), needed, identifier);
  const { protocol, hostname } = url!;
  check(protocol === 'https:' || (protocol === 'http:' && isLoopback(hostname)), needed, identifier);
}

function parseScope(value: unknown): ScopeRecord {
  const { name, description, descriptions, default: isDefault, implies } = record('each of scopes', value);
  check(
    isText(name) && SCOPE_TOKEN.test(name),
    'the name of a scope has to be a scope token (RFC 6749 section 3.3)',
    name,
  );
  check(isText(description), `the scope ${name} needs a description for the consent page`, description);
  if (descriptions !== undefined) {
    const texts = Object.values(record(`descriptions of the scope ${name}`, descriptions));
    check(texts.every(isText), `descriptions of the scope ${name} have to be texts`, descriptions);
  }
  check(typeof isDefault === 'boolean', `default of the scope ${name} has to be true or false`, isDefault);
  check(Array.isArray(implies) && implies.every(isText), `implies of the scope ${name} has to list scopes`, implies);
  return { name, description, descriptions, default: isDefault, implies } as ScopeRecord;
}

function record(what: string, value: unknown): Record<string, unknown> {
  check(typeof value === 'object' && value !== null && !Array.isArray(value), `${what} has to be an object`, value);
  return value as Record<string, unknown>;
}

function check(holds: boolean, needed: string, given: unknown): void {
  if (!holds) {
    throw new TypeError(`This protected resource cannot be registered: ${needed}; given: ${JSON.stringify(given)}.`);
  }
}
