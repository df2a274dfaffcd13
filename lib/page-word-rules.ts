import { checkLanguage } from './language-tag';
import { PAGE_LANGUAGES, PAGE_WORDS, type PageWords } from './page-words';
import { described, isText, type Refuse } from './refusal';

/** Refuses words that no page has, placeholders that no page fills in, and languages of which a page would say half in another. */
export function checkPageWords(refuse: Refuse, words: { readonly [language: string]: PageWords }): void {
  for (const [language, own] of Object.entries(words)) {
    checkLanguage(refuse, 'appearance.words', language);
    for (const [word, text] of Object.entries(own ?? {})) {
      checkWord(refuse, `appearance.words.${language}`, word, text);
    }
  }
  for (const language of Object.keys(words)) checkComplete(refuse, language, words);
}

function checkWord(refuse: Refuse, where: string, word: string, text: unknown): void {
  const placeholders = Object.hasOwn(PAGE_WORDS, word) ? PAGE_WORDS[word as keyof PageWords] : undefined;
  if (placeholders === undefined) refuse(where, described(word), 'words of the pages (PageWords)');
  else if (isText(text)) checkPlaceholders(refuse, `${where}.${word}`, text, placeholders);
  else refuse(`${where}.${word}`, described(text), 'a text');
}

function checkPlaceholders(refuse: Refuse, option: string, text: string, placeholders: readonly string[]): void {
  const unknown = [...text.matchAll(/\{(\w+)\}/g)]
    .map(([, name]) => name ?? '')
    .find((name) => !placeholders.includes(name));
  if (unknown !== undefined) {
    const known = placeholders.map((name) => `{${name}}`).join(', ') || '(none)';
    refuse(option, `'{${unknown}}'`, `a text with the placeholders ${known}`);
  }
}

/** Of a language that the pages do not speak by themselves no word may be missing: the page says which language it is in. */
function checkComplete(refuse: Refuse, language: string, words: { readonly [language: string]: PageWords }): void {
  const subtags = language.split('-');
  const ancestry = subtags.map((_, i) => subtags.slice(0, i + 1).join('-'));
  if (ancestry.some((each) => PAGE_LANGUAGES.some((own) => own === each))) return;
  const given = Object.assign({}, ...ancestry.map((each) => words[each]));
  const missing = Object.keys(PAGE_WORDS).filter((word) => given[word] === undefined);
  if (missing.length > 0) {
    const own = PAGE_LANGUAGES.join(', ');
    const needed = `all words, because the pages do not speak '${language}' by themselves (only ${own})`;
    refuse(`appearance.words.${language}`, `none for: ${missing.join(', ')}`, needed);
  }
}
