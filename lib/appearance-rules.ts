import { type Color, contrast, isColor, readableOn, tintThatStandsOut } from './color';
import { type Appearance, PAGE_SURFACE, type PageColors } from './page-appearance';
import { checkPageWords } from './page-word-rules';
import { described, isText, type Refuse } from './refusal';

/** The colours of the pages: `#` and six hexadecimal digits, sRGB. */
export interface AppearanceColors {
  /**
   * Of the main button, the marks and the focus ring, on white. It must stand out from it by 3:1 (WCAG 2.2, 1.4.11). What is written on it is
   * black or white, whichever is easier to read.
   */
  readonly accent: string;

  /**
   * The same where the browser asks for dark pages, on `#1b1e24`.
   *
   * @default - `accent`, made lighter until it stands out by 3:1
   */
  readonly accentDark?: string;
}

const LONGEST_NAME = 60;

/** Refuses what the pages cannot show, or people cannot read. */
export function checkAppearance(
  refuse: Refuse,
  given: Omit<Appearance, 'colors'> & { readonly colors?: AppearanceColors },
): void {
  const { name, logo, colors, supportUrl, words } = given;
  if (name !== undefined && !(isText(name) && name.length <= LONGEST_NAME && !/\p{Cc}/u.test(name))) {
    refuse('appearance.name', described(name), `a text of 1 to ${LONGEST_NAME} characters in one line`);
  }
  if (logo !== undefined && name === undefined) {
    refuse('appearance.name', 'nothing', 'the text alternative of appearance.logo');
  }
  if (supportUrl !== undefined && !isSupportUrl(supportUrl)) {
    const needed = "an address like 'https://help.example.com' or 'mailto:help@example.com'";
    refuse('appearance.supportUrl', described(supportUrl), needed);
  }
  if (colors !== undefined) checkColors(refuse, colors);
  if (words !== undefined) checkPageWords(refuse, words);
}

function isSupportUrl(given: unknown): boolean {
  return typeof given === 'string' && URL.canParse(given) && /^(https|mailto):$/.test(new URL(given).protocol);
}

export const LARGEST_LOGO = 32 * 1024;
const PNG = Buffer.from('\x89PNG\r\n\x1a\n', 'latin1');

/** The media type of an image that may be a logo. */
export function logoType(content: Buffer): 'image/png' | 'image/svg+xml' | undefined {
  if (content.subarray(0, PNG.length).equals(PNG)) return 'image/png';
  const [svg] = /<svg\b[^>]*>/.exec(content.toString('utf8')) ?? [];
  // Without its namespace browsers show no picture.
  return svg?.includes('http://www.w3.org/2000/svg') ? 'image/svg+xml' : undefined;
}

/** WCAG 2.2, 1.4.11. */
const STANDS_OUT = 3;

function checkColors(refuse: Refuse, { accent, accentDark }: AppearanceColors): void {
  checkAccent(refuse, 'accent', accent, PAGE_SURFACE.light, 'darker');
  if (accentDark !== undefined) checkAccent(refuse, 'accentDark', accentDark, PAGE_SURFACE.dark, 'lighter');
}

function checkAccent(refuse: Refuse, name: string, color: Color, ground: Color, remedy: string): void {
  const option = `appearance.colors.${name}`;
  const ratio = isColor(color) ? contrast(color, ground) : 0;
  if (!isColor(color)) refuse(option, described(color), "a colour like '#1f5fd0'");
  else if (ratio < STANDS_OUT) {
    const given = `'${color}' with ${(Math.floor(ratio * 100) / 100).toFixed(2)}:1`;
    const needed = `a ${remedy} colour, which stands out from ${ground} by at least ${STANDS_OUT}:1 (WCAG 2.2, 1.4.11)`;
    refuse(option, given, needed);
  }
}

/** All colours of the pages. */
export function pageColors({ accent, accentDark }: AppearanceColors): PageColors {
  const dark = accentDark ?? tintThatStandsOut(accent, PAGE_SURFACE.dark, STANDS_OUT);
  return { accent, onAccent: readableOn(accent), accentDark: dark, onAccentDark: readableOn(dark) };
}
