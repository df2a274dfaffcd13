import { describe, expect, it } from 'vitest';
import { displayable } from '../../../lambda/provider/displayable';

describe('what others wrote', () => {
  it.each([
    'Claude Code',
    'O’Brien & Söhne (2.0)',
    "Ada's editor",
    // Marks: Hindi with three on one letter, Burmese with four, Thai, Hebrew with points, Vietnamese and its decomposed form.
    'ज़िंदगी',
    'ချွေးတပ်',
    'ที่อยู่',
    'שָּׁלוֹם',
    'Tiếng Việt',
    'Tiếng Việt'.normalize('NFD'),
    'ارتباط',
    '東京エディタ',
    'ארה״ב',
    '🦊 Fox',
  ])('is shown as it is: %s', (name) => {
    expect(displayable(name)).toBe(name);
  });

  it.each([
    ['Safe\u202Eapp\u200B\u0007', 'Safeapp'],
    ['a\u3164b\u2800c\uffa0d\u034fe\ufe0ff\u17b4g\u{1d159}h\u{e0100}i', 'abcdefghi'],
    ['a” “b" «c» ‹d› „e‟ ‘f ‚g 「h」 ＂i″ ❝j❞ ʺk', 'a b c d e f g h i j k'],
    ["Claude'' is ’’good’", "Claude' is ’good’"],
    ['\u0338\u0338 \u0301A', 'A'],
    [`Z${'\u0301'.repeat(50)}algo`, `Z${'\u0301'.repeat(4)}algo`],
    ['x'.repeat(200), 'x'.repeat(100)],
    [`${'x'.repeat(99)}🦊 Fox`, `${'x'.repeat(99)}🦊`],
    [`${'x'.repeat(99)} Fox`, 'x'.repeat(99)],
  ])('has nothing that hides, turns, covers or takes over the words around it: %j', (name, shown) => {
    expect(displayable(name)).toBe(shown);
  });

  it.each(['', ' \u00a0\u3000', '\u3164', '\u2800', '\uffa0', '\u034f', '\ufe0f', '\u115f\u1160', '\u0301', '“„"'])(
    'is nothing where there is nothing to see: %j',
    (name) => {
      expect(displayable(name)).toBe('');
    },
  );
});
