import type { Appearance } from '../../../lib/page-appearance';
import { type Language, Languages } from './languages';
import { Style } from './style';

/** How a page looks, and the language that it speaks to one reader. */
export interface Presentation extends Pick<Appearance, 'name' | 'logo' | 'supportUrl'> {
  readonly style: Style;
  readonly language: Language;
}

/** The presentations of one server, which differ in their language. */
export class Presentations {
  readonly #style: Style;
  readonly #languages: Languages;

  constructor(private readonly appearance: Appearance = {}) {
    this.#style = new Style(appearance.colors);
    this.#languages = new Languages(appearance.words);
  }

  /** @param acceptLanguage the Accept-Language header of the request */
  for(acceptLanguage: string | undefined): Presentation {
    const { name, logo, supportUrl } = this.appearance;
    return { name, logo, supportUrl, style: this.#style, language: this.#languages.choose(acceptLanguage) };
  }
}
