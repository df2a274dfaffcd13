import { describe, expect, it } from 'vitest';
import { Style } from '../../../../lambda/provider/pages/style';
import { contrast } from '../../../../lib/color';

/** The colours of the light and of the dark pages, by the names that the style sheet gives them. */
function palettes(style: Style): Record<string, string>[] {
  const [light, dark] = [...style.text.matchAll(/:root\{([^}]*)\}/g)].map(([, declarations = '']) =>
    Object.fromEntries(
      [...declarations.matchAll(/--([\w-]+):(#[0-9a-f]+)/g)].map(([, name, color]) => [name, full(color!)]),
    ),
  );
  return [light!, dark!];
}

const full = (color: string) => (color.length === 4 ? color.replace(/[0-9a-f]/g, '$&$&') : color);

describe.each(palettes(new Style()).map((palette, i) => [['light', 'dark'][i]!, palette] as const))(
  'on %s pages',
  (_, palette) => {
    it.each([
      ['ink', 'card', 4.5],
      ['quiet', 'card', 4.5],
      ['quiet', 'ground', 4.5],
      ['on-accent', 'accent', 4.5],
      ['warn-ink', 'warn', 4.5],
      ['accent', 'card', 3],
      ['edge', 'card', 3],
    ])('%s stands out from %s by %d:1', (one, other, ratio) => {
      expect(contrast(palette[one]!, palette[other]!)).toBeGreaterThanOrEqual(ratio);
    });
  },
);
