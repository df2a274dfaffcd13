/** An sRGB colour as the pages' style sheet spells it. */
export type Color = string;

const COLOR = /^#[0-9a-f]{6}$/i;

export function isColor(given: unknown): given is Color {
  return typeof given === 'string' && COLOR.test(given);
}

/** How far two colours stand apart, from 1 to 21 (WCAG 2.2, contrast ratio). */
export function contrast(one: Color, other: Color): number {
  const [darker, lighter] = [luminance(one), luminance(other)].sort((a, b) => a - b) as [number, number];
  return (lighter + 0.05) / (darker + 0.05);
}

/** Black or white, whichever is easier to read on a colour: 4.5:1 at least. */
export function readableOn(color: Color): Color {
  return contrast('#ffffff', color) >= contrast('#000000', color) ? '#ffffff' : '#000000';
}

/** The colour itself where it stands out enough from the ground, else the nearest tint of it that does. */
export function tintThatStandsOut(color: Color, ground: Color, atLeast: number): Color {
  for (let white = 0; white < 1; white += 0.05) {
    const tint = mixed(color, white);
    if (contrast(tint, ground) >= atLeast) {
      return tint;
    }
  }
  return '#ffffff';
}

function mixed(color: Color, white: number): Color {
  const channels = channelsOf(color).map((channel) => Math.round(channel + (255 - channel) * white));
  return `#${channels.map((channel) => channel.toString(16).padStart(2, '0')).join('')}`;
}

/** WCAG 2.2, relative luminance. */
function luminance(color: Color): number {
  const [red, green, blue] = channelsOf(color).map((channel) => {
    const share = channel / 255;
    return share <= 0.04045 ? share / 12.92 : ((share + 0.055) / 1.055) ** 2.4;
  }) as [number, number, number];
  return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
}

function channelsOf(color: Color): number[] {
  return [1, 3, 5].map((at) => Number.parseInt(color.slice(at, at + 2), 16));
}
