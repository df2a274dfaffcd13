import { describe, expect, it } from 'vitest';
import { Languages } from '../../../../lambda/provider/pages/languages';
import { de } from '../../../../lambda/provider/pages/words/de';
import { en } from '../../../../lambda/provider/pages/words/en';
import { fr } from '../../../../lambda/provider/pages/words/fr';
import { PAGE_LANGUAGES, PAGE_WORDS, type PageWords } from '../../../../lib/page-words';

const OWN = { en, de, fr };

const placeholders = (words: string) => [...words.matchAll(/\{(\w+)\}/g)].map(([, name]) => name).sort();

describe.each(PAGE_LANGUAGES)('the words in %s', (tag) => {
  const words = OWN[tag];

  it('are complete', () => {
    expect(Object.keys(words).sort()).toEqual(Object.keys(PAGE_WORDS).sort());
    expect(Object.values(words).filter((text) => text.trim() !== text || text === '')).toEqual([]);
  });

  it('have every placeholder that there is, once', () => {
    const found = Object.fromEntries(Object.entries(words).map(([word, text]) => [word, placeholders(text)]));
    expect(found).toEqual(PAGE_WORDS);
  });

  it('are not those of another language', () => {
    const others = PAGE_LANGUAGES.filter((other) => other !== tag).map((other) => OWN[other]);
    const same = Object.entries(words).filter(([word, text]) =>
      others.some((other) => other[word as keyof PageWords] === text),
    );
    expect(same).toEqual([]);
  });
});

describe('the language of a page', () => {
  it.each([
    [undefined, 'en'],
    ['', 'en'],
    ['de', 'de'],
    ['DE', 'de'],
    ['de-AT,de;q=0.9,en;q=0.8', 'de'],
    ['fr-CA;q=0.5, en;q=0.4', 'fr'],
    ['en-US,en;q=0.9,de;q=0.8', 'en'],
    ['it, fr;q=0.1', 'fr'],
    ['it', 'en'],
    ['de;q=0, *', 'en'],
    ['*', 'en'],
    ['de;q=nonsense', 'en'],
    [';;;,,,=', 'en'],
    ['\u0000\u{1F600}', 'en'],
    ['__proto__, constructor', 'en'],
    [`${'x-'.repeat(5000)}`, 'en'],
  ])('for %j is %s', (header, tag) => {
    expect(new Languages().choose(header).tag).toBe(tag);
  });

  it('can be one that the operator adds, and knows the direction of its script', () => {
    const languages = new Languages({ ar: { ...en, allow: 'متابعة' } });
    const arabic = languages.choose('ar-EG, en;q=0.5');
    expect([arabic.tag, arabic.direction, arabic.say('allow').text]).toEqual(['ar', 'rtl', 'متابعة']);
    expect(languages.choose('de').direction).toBe('ltr');
  });
});

describe('words of the operator', () => {
  const languages = new Languages({ de: { allow: 'Weiter' }, 'de-CH': { cancel: 'Abbräche' } });

  it('replace the pages’ own, and leave the others', () => {
    const german = languages.choose('de');
    expect([german.say('allow').text, german.say('cancel').text]).toEqual(['Weiter', de.cancel]);
    expect(languages.choose('en').say('allow').text).toBe(en.allow);
  });

  it('of a regional variant stand before those of the language', () => {
    const swiss = languages.choose('de-CH');
    expect([swiss.tag, swiss.say('allow').text, swiss.say('cancel').text, swiss.say('expiredTitle').text]).toEqual([
      'de-CH',
      'Weiter',
      'Abbräche',
      de.expiredTitle,
    ]);
  });

  it('are text, never markup', () => {
    const language = new Languages({ en: { cancel: '<b>No & "no"</b>' } }).choose('en');
    expect(language.say('cancel').text).toBe('&#60;b&#62;No &#38; &#34;no&#34;&#60;/b&#62;');
  });
});

describe('a text in several languages', () => {
  it.each([
    ['de', { de: 'a', fr: 'b' }, 'a'],
    ['de-CH', { de: 'a', fr: 'b' }, 'a'],
    ['de-CH', { de: 'a', 'de-CH': 'c' }, 'c'],
    ['de', { 'de-CH': 'c' }, undefined],
    ['en', undefined, undefined],
  ])('for a reader of %s is the nearest of %j', (tag, texts, picked) => {
    const languages = new Languages({ 'de-CH': {} });
    expect(languages.choose(tag).pick(texts as Record<string, string>)).toBe(picked);
  });
});
