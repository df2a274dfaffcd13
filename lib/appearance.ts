import { readFileSync } from 'node:fs';
import { Token } from 'aws-cdk-lib';
import { type AppearanceColors, checkAppearance, LARGEST_LOGO, logoType, pageColors } from './appearance-rules';
import type { Appearance } from './page-appearance';
import type { PageWords } from './page-words';
import { described } from './refusal';
import { mustBe, refuse } from './validation';

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
   * Of the main button, the marks and the focus ring, for light and for dark pages.
   *
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
  checkAppearance(mustBe, props);
  const { name, logo, colors, supportUrl, words } = props;
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
  const type = logoType(content);
  if (type === undefined) {
    refuse(`appearance.logo must be a PNG file, or an SVG with xmlns="http://www.w3.org/2000/svg", got '${path}'.`);
  }
  return `data:${type};base64,${content.toString('base64')}`;
}
