import { checkLanguage } from './language-tag';
import { checkList, described, firstDuplicate, isObject, isText, type Refuse } from './refusal';
import { OPENID_SCOPES, SCOPE_TOKEN } from './scope-names';

/** One spelling of an identifier, for clients and tokens compare them as strings. A URL without a path may go without its slash. */
export function checkSpelling(refuse: Refuse, option: string, identifier: string, url: URL): void {
  const isBare = url.pathname === '/' && !identifier.endsWith('/');
  const canonical = isBare ? url.href.replace(/\/(?=$|\?)/, '') : url.href;
  if (canonical !== identifier) refuse(option, described(identifier), `the canonical spelling, '${canonical}'`);
}

interface Scope {
  readonly name: string;
  readonly descriptions?: unknown;
  readonly implies?: unknown;
}

/** Refuses what keeps scopes from being granted, or from being told to people in words. */
export function checkScopes(refuse: Refuse, option: string, scopes: readonly Scope[]): void {
  const names = scopes.map((scope) => scope?.name);
  const twice = firstDuplicate(names);
  if (twice !== undefined) refuse(option, `'${twice}' twice`, 'scopes of different names');
  for (const scope of scopes) {
    const { name, descriptions = {}, implies = [] } = Object(scope) as Scope;
    if (typeof name !== 'string' || !SCOPE_TOKEN.test(name) || OPENID_SCOPES.includes(name)) {
      const needed = `scope names without spaces, quotes and backslashes (RFC 6749 section 3.3), other than ${OPENID_SCOPES.join(', ')}`;
      refuse(option, described(name), needed);
      continue;
    }
    checkDescriptions(refuse, `descriptions of ${name} in ${option}`, descriptions);
    const others = names.filter((other) => other !== name);
    checkKnownScopes(refuse, `implies of ${name} in ${option}`, implies, others);
  }
}

function checkDescriptions(refuse: Refuse, option: string, descriptions: unknown): void {
  if (!isObject(descriptions)) refuse(option, described(descriptions), 'an object of texts by language');
  for (const [language, words] of Object.entries(isObject(descriptions) ? descriptions : {})) {
    checkLanguage(refuse, option, language);
    if (!isText(words)) refuse(option, described(words), `words for '${language}'`);
  }
}

/** Scopes that are named elsewhere must be scopes of the resource. */
export function checkKnownScopes(refuse: Refuse, option: string, named: unknown, known: readonly string[]): void {
  const needed = `scopes of the resource (${known.join(', ') || 'there is no other'})`;
  checkList(refuse, option, named, (name) => known.includes(name as string), needed);
}
