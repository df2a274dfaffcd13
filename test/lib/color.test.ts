import { describe, expect, test } from 'vitest';
import { contrast, readableOn, tintThatStandsOut } from '../../lib/color';

describe('the contrast of two colours', () => {
  // As https://www.w3.org/TR/WCAG22/#dfn-contrast-ratio gives it.
  test.each([
    ['#000000', '#ffffff', 21],
    ['#ffffff', '#ffffff', 1],
    ['#777777', '#ffffff', 4.478],
    ['#ff0000', '#ffffff', 3.998],
    ['#0000ff', '#ffffff', 8.592],
  ])('%s and %s is %d, either way round', (one, other, ratio) => {
    expect(contrast(one, other)).toBeCloseTo(ratio, 2);
    expect(contrast(other, one)).toBe(contrast(one, other));
  });
});

test('black or white is readable on every colour', () => {
  for (let value = 0; value < 0x1000000; value += 0x010309) {
    const color = `#${value.toString(16).padStart(6, '0')}`;
    expect(contrast(readableOn(color), color), color).toBeGreaterThanOrEqual(4.5);
  }
});

describe('a tint that stands out', () => {
  test('is the colour itself where that does', () => {
    expect(tintThatStandsOut('#8ab4ff', '#1b1e24', 3)).toBe('#8ab4ff');
  });

  test.each(['#000000', '#7a1fa2', '#0000ff'])('of %s stands out', (color) => {
    const tint = tintThatStandsOut(color, '#1b1e24', 3);
    expect(contrast(tint, '#1b1e24')).toBeGreaterThanOrEqual(3);
    expect(tint).not.toBe('#ffffff');
  });
});
