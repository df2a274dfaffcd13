import { described, type Refuse } from './refusal';

/** A BCP 47 tag in its usual spelling, so that tags can be compared as strings. */
export function checkLanguage(refuse: Refuse, option: string, language: string): void {
  const canonical = canonicalTag(language);
  if (canonical === language) return;
  const example = canonical === undefined ? "such as 'pt-BR' (BCP 47)" : `in their usual spelling, '${canonical}'`;
  refuse(option, described(language), `tags of languages ${example}`);
}

function canonicalTag(language: string): string | undefined {
  try {
    return Intl.getCanonicalLocales(language)[0];
  } catch {
    return undefined;
  }
}
