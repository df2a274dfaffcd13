import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';

const root = join(__dirname, '..');
const readme = readFileSync(join(root, 'README.md'), 'utf8');

describe('the README', () => {
  it('shows the code of files that the tests synthesize, or run', () => {
    const shown = [...readme.matchAll(/<!-- (\S+\.ts) -->\n```ts\n(.*?)```/gs)];
    expect(shown.map(([, file]) => file)).toEqual([
      'examples/own-app.ts',
      'examples/standalone.ts',
      'examples/integrated.ts',
    ]);
    for (const [, file = '', code] of shown) expect(code).toBe(readFileSync(join(root, file), 'utf8'));
  });

  it('names scripts and files that exist', () => {
    const { scripts } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));
    for (const [, script = ''] of readme.matchAll(/npm run ([\w:-]+)/g)) expect(scripts).toHaveProperty([script]);
    for (const [, path = ''] of readme.matchAll(/\]\(((?:docs|LICENSE)[^)#]*)/g)) {
      expect(() => readFileSync(join(root, path))).not.toThrow();
    }
  });
});
