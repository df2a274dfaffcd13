import Negotiator from 'negotiator';
import { PAGE_LANGUAGES, type PageWords } from '../../../lib/page-words';
import { bdi, Html, html, isolated } from './html';
import { de } from './words/de';
import { en } from './words/en';
import { fr } from './words/fr';

type Texts<T> = Readonly<Record<string, T>>;

const OWN: Readonly<Record<(typeof PAGE_LANGUAGES)[number], Required<PageWords>>> = { en, de, fr };

/** One language that pages speak. */
export class Language {
  /**
   * @param tag BCP 47
   * @param words all of them
   */
  constructor(
    readonly tag: string,
    private readonly words: Required<PageWords>,
  ) {}

  get direction(): 'ltr' | 'rtl' {
    return new Intl.Locale(this.tag).getTextInfo().direction ?? 'ltr';
  }

  /** Words for the page. What is filled in comes from others: it neither becomes markup nor turns the words around it. */
  say(word: keyof PageWords, values: Texts<string | Html> = {}): Html {
    return html`${this.#parts(word, values).map(({ part, filled }) => {
      if (part instanceof Html) return part;
      return filled ? bdi(part) : html`${part}`;
    })}`;
  }

  /** The same where there can be no markup. */
  sayPlainly(word: keyof PageWords, values: Texts<string> = {}): string {
    return this.#parts(word, values)
      .map(({ part, filled }) => (filled ? isolated(part) : part))
      .join('');
  }

  /** Of one text in several languages the one that a reader of this language understands best, if any. */
  pick(texts: Texts<string> = {}): string | undefined {
    const tag = [...ancestry(this.tag)].reverse().find((each) => Object.hasOwn(texts, each));
    return tag === undefined ? undefined : texts[tag];
  }

  #parts<V>(word: keyof PageWords, values: Texts<V>): { readonly part: V | string; readonly filled: boolean }[] {
    // Splitting at a group puts the names of placeholders at the odd places.
    return this.words[word].split(/\{(\w+)\}/).map((part, i) => {
      if (i % 2 === 0) return { part, filled: false };
      return Object.hasOwn(values, part) ? { part: values[part]!, filled: true } : { part: `{${part}}`, filled: false };
    });
  }
}

/** The languages that the pages of one server speak. */
export class Languages {
  readonly #byTag: ReadonlyMap<string, Language>;

  /** @param words of the operator, by BCP 47 tag: instead of the pages' own, or for more languages */
  constructor(words: Texts<PageWords> = {}) {
    const tags = [...new Set([...PAGE_LANGUAGES, ...Object.keys(words)])];
    const own: Texts<PageWords> = OWN;
    this.#byTag = new Map(
      tags.map((tag) => {
        const merged = Object.assign({}, ...ancestry(tag).flatMap((each) => [own[each], words[each]]));
        return [tag, new Language(tag, { ...en, ...merged })];
      }),
    );
  }

  /**
   * The language for whoever sent this header (RFC 9110 section 12.5.4); English where there is none that fits.
   *
   * @param acceptLanguage as it came: it may be missing or broken
   */
  choose(acceptLanguage: string | undefined): Language {
    const tags = [...this.#byTag.keys()];
    const chosen = new Negotiator({ headers: { 'accept-language': acceptLanguage } }).language(tags);
    return this.#byTag.get(chosen ?? PAGE_LANGUAGES[0])!;
  }
}

/** `de-Latn-AT` is a kind of `de-Latn`, which is a kind of `de` (RFC 4647 section 3.4). */
function ancestry(tag: string): string[] {
  const subtags = tag.split('-');
  return subtags.map((_, i) => subtags.slice(0, i + 1).join('-'));
}
