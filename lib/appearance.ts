import { readFileSync } from 'node:fs';
import { Token } from 'aws-cdk-lib';
import { checkPageWords } from './check-page-words';
import { type Color, contrast, isColor, readableOn, tintThatStandsOut } from './color';
import { type Appearance, PAGE_SURFACE, type PageColors } from './contract';
import type { PageWords } from './page-words';
import { described, refuse } from './validation';

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

/** How the pages that people meet look and speak: the consent page, the error pages, and the page at the issuer's root. */
export interface AppearanceProps {
  /**
   * What this server is called, for example the name of your company. It stands on every page. At most 60 characters.
   *
   * @default - the pages name nobody
   */
  readonly name?: string;

  /**
   * The path of an SVG or PNG file, at most 32 KiB. It stands on every page instead of the name, which is its text alternative, and is the icon
   * of the browser's tab. The pages have a light and a dark ground.
   *
   * @default - the name as text
   */
  readonly logo?: string;

  /**
   * @default - a blue
   */
  readonly colors?: AppearanceColors;

  /**
   * Where people get help, `https:` or `mailto:`. Every error page and the page at the root link to it.
   *
   * @default - no link
   */
  readonly supportUrl?: string;

  /**
   * Words instead of the pages' own, by language (BCP 47, for example `de` or `pt-BR`). The pages speak English, German and French by themselves,
   * so a few words are enough for these and their regional variants; another language needs all of them.
   *
   * @default - English, German and French
   */
  readonly words?: { [language: string]: PageWords };
}

/** What the functions must know, all of it checked. Throws where the props are wrong. */
export function appearance(props: AppearanceProps): Appearance {
  checkConcrete('appearance', props);
  const { name, logo, colors, supportUrl, words } = props;
  if (name !== undefined) {
    checkName(name);
  }
  if (logo !== undefined && name === undefined) {
    refuse('appearance.logo needs appearance.name, which is its text alternative.');
  }
  if (supportUrl !== undefined) {
    checkSupportUrl(supportUrl);
  }
  if (words !== undefined) {
    checkPageWords(words);
  }
  return {
    name,
    logo: logo === undefined ? undefined : dataUri(logo),
    colors: colors === undefined ? undefined : pageColors(colors),
    supportUrl,
    words,
  };
}

/** It is written into the function's code at synth, where CloudFormation fills in nothing. */
function checkConcrete(name: string, value: unknown): void {
  if (Token.isUnresolved(value)) {
    refuse(`${name} must be known at synth, got a token.`);
  }
  if (typeof value === 'object' && value !== null) {
    for (const [member, inside] of Object.entries(value)) {
      checkConcrete(`${name}.${member}`, inside);
    }
  }
}

const LONGEST_NAME = 60;

function checkName(name: unknown): void {
  if (typeof name !== 'string' || name.trim() === '' || name.length > LONGEST_NAME || /\p{Cc}/u.test(name)) {
    refuse(`appearance.name must be a text of 1 to ${LONGEST_NAME} characters in one line, got ${described(name)}.`);
  }
}

function checkSupportUrl(supportUrl: string): void {
  const protocol = URL.canParse(supportUrl) ? new URL(supportUrl).protocol : undefined;
  if (protocol !== 'https:' && protocol !== 'mailto:') {
    refuse(
      `appearance.supportUrl must be like 'https://help.example.com' or 'mailto:help@example.com', got ${described(supportUrl)}.`,
    );
  }
}

const LARGEST_LOGO = 32 * 1024;
const PNG = Buffer.from('\x89PNG\r\n\x1a\n', 'latin1');

function dataUri(path: string): string {
  // A number would be an open file of this process, from which reading may never end.
  if (typeof path !== 'string') {
    refuse(`appearance.logo must be the path of a file, got ${described(path)}.`);
  }
  let content: Buffer;
  try {
    content = readFileSync(path);
  } catch (error) {
    return refuse(`appearance.logo must be the path of a file that can be read: ${(error as Error).message}.`);
  }
  if (content.length > LARGEST_LOGO) {
    refuse(`appearance.logo must have at most ${LARGEST_LOGO} bytes, got '${path}' with ${content.length}.`);
  }
  return `data:${mediaType(path, content)};base64,${content.toString('base64')}`;
}

function mediaType(path: string, content: Buffer): string {
  if (content.subarray(0, PNG.length).equals(PNG)) {
    return 'image/png';
  }
  const [svg] = /<svg\b[^>]*>/.exec(content.toString('utf8')) ?? [];
  if (svg === undefined) {
    return refuse(`appearance.logo must be an SVG or a PNG file, got '${path}', which is neither.`);
  }
  // Without it browsers show no picture.
  if (!svg.includes('http://www.w3.org/2000/svg')) {
    refuse(`appearance.logo must be an SVG with xmlns="http://www.w3.org/2000/svg", got '${path}' without.`);
  }
  return 'image/svg+xml';
}

/** WCAG 2.2, 1.4.11. */
const STANDS_OUT = 3;

function pageColors({ accent, accentDark }: AppearanceColors): PageColors {
  checkAccent('accent', accent, PAGE_SURFACE.light, 'darker');
  if (accentDark !== undefined) {
    checkAccent('accentDark', accentDark, PAGE_SURFACE.dark, 'lighter');
  }
  const dark = accentDark ?? tintThatStandsOut(accent, PAGE_SURFACE.dark, STANDS_OUT);
  return { accent, onAccent: readableOn(accent), accentDark: dark, onAccentDark: readableOn(dark) };
}

function checkAccent(name: string, color: Color, ground: Color, remedy: string): void {
  if (!isColor(color)) {
    refuse(`appearance.colors.${name} must be like '#1f5fd0', got ${described(color)}.`);
  }
  const ratio = contrast(color, ground);
  if (ratio < STANDS_OUT) {
    refuse(
      `appearance.colors.${name} must stand out from ${ground} by at least ${STANDS_OUT}:1 (WCAG 2.2, 1.4.11), ` +
        `got '${color}' with ${(Math.floor(ratio * 100) / 100).toFixed(2)}:1. Take a ${remedy} one.`,
    );
  }
}
