/** Beside the quotation marks of Unicode what looks like one. An apostrophe is a part of many a name. */
const QUOTES =
  /(?!['’])[\p{Quotation_Mark}\u02ba\u02dd\u02ee\u2033\u2036\u275b-\u2760\u{1f676}-\u{1f678}]|(?<=['’])['’]+/gu;

/** What has no shape, or turns the direction of what stands around it. Blanks of Braille and music are no white space to Unicode. */
const INVISIBLE = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Default_Ignorable_Code_Point}\u2800\u{1d159}]/gu;

/** In code points, so that none is cut in two. */
const LONGEST = 100;

/**
 * What others wrote, without characters that hide, turn or cover what stands around them, without the quotation marks by which a page
 * would seem to speak again, and not too much of it. Empty where there is nothing to see.
 */
export function displayable(text: string): string {
  const shown = text
    .replace(INVISIBLE, '')
    .replace(QUOTES, '')
    // Of marks above and below one letter Hindi has three and Burmese four; a pile of them covers the lines around.
    .replace(/(\p{M}{4})\p{M}+/gu, '$1')
    // One at the beginning would be above a word of the page.
    .replace(/^[\s\p{M}]+/u, '');
  return [...shown].slice(0, LONGEST).join('').trim();
}
