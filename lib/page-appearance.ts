/**
 * How the pages that people meet look: a part of the contract between the constructs (synth time) and the functions (request time). Nothing
 * here runs: constants and types only.
 */

import type { PageWords } from './page-words';

/** Beside the provider function's bundle, where the operator has said how its pages look: an Appearance as JSON. */
export const APPEARANCE_FILE = 'appearance.json';

/** What pages are drawn on, in the browser's light and dark scheme (#rrggbb): accents are checked against it. */
export const PAGE_SURFACE = { light: '#ffffff', dark: '#1b1e24' } as const;

/** #rrggbb. What stands on an accent is readable there, and an accent stands out from PAGE_SURFACE. */
export interface PageColors {
  readonly accent: string;
  readonly onAccent: string;
  readonly accentDark: string;
  readonly onAccentDark: string;
}

/** How the pages that people meet look and speak. */
export interface Appearance {
  /** What this server is called. */
  readonly name?: string;
  /** A data: URI of an image. Only with a name, which is its text alternative. */
  readonly logo?: string;
  readonly colors?: PageColors;
  /** https: or mailto: */
  readonly supportUrl?: string;
  /** Words instead of the pages' own, by BCP 47 tag. A tag in which the pages do not speak by themselves has all of them. */
  readonly words?: Readonly<Record<string, PageWords>>;
}
