import { PAGE_LANGUAGES, PAGE_WORDS, type PageWords } from './page-words';
import { checkLanguage, described, refuse } from './validation';

/** Refuses words that no page has, placeholders that no page fills in, and languages of which a page would say half in another. */
export function checkPageWords(words: { readonly [language: string]: PageWords }): void {
  for (const [language, own] of Object.entries(words)) {
    checkLanguage('appearance.words', language);
    for (const [word, text] of Object.entries(own)) {
      checkWord(`appearance.words.${language}`, word, text);
    }
  }
  for (const language of Object.keys(words)) {
    checkComplete(language, words);
  }
}

function checkWord(where: string, word: string, text: unknown): void {
  const placeholders = Object.hasOwn(PAGE_WORDS, word) ? PAGE_WORDS[word as keyof PageWords] : undefined;
  if (placeholders === undefined) {
    refuse(`${where} must have words of the pages (PageWords), got '${word}'.`);
  }
  if (typeof text !== 'string' || text.trim() === '') {
    refuse(`${where}.${word} must be a text, got ${described(text)}.`);
  }
  const unknown = [...text.matchAll(/\{(\w+)\}/g)]
    .map(([, name]) => name ?? '')
    .find((name) => !placeholders.includes(name));
  if (unknown !== undefined) {
    const known = placeholders.map((name) => `{${name}}`).join(', ') || '(none)';
    refuse(`${where}.${word} can have the placeholders ${known}, got '{${unknown}}'.`);
  }
}

/** Of a language that the pages do not speak by themselves no word may be missing: the page says which language it is in. */
function checkComplete(language: string, words: { readonly [language: string]: PageWords }): void {
  const subtags = language.split('-');
  const ancestry = subtags.map((_, i) => subtags.slice(0, i + 1).join('-'));
  if (ancestry.some((each) => PAGE_LANGUAGES.some((own) => own === each))) {
    return;
  }
  const given = Object.assign({}, ...ancestry.map((each) => words[each]));
  const missing = Object.keys(PAGE_WORDS).filter((word) => given[word] === undefined);
  if (missing.length > 0) {
    refuse(
      `appearance.words.${language} must have all words, because the pages do not speak '${language}' by themselves ` +
        `(only ${PAGE_LANGUAGES.join(', ')}); missing: ${missing.join(', ')}.`,
    );
  }
}
