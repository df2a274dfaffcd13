import { readFileSync } from 'node:fs';
import { defineConfig } from 'vitest/config';

const [, attacks = ''] = /^## Attacks$(.*?)^## /ms.exec(readFileSync('docs/security.md', 'utf8')) ?? [];
const files = [...attacks.matchAll(/\(\.\.\/(test\/[^)]+)\)/g)].map(([, file = '']) => file);

/** `npm run test:attacks`: the tests that the table of attacks cites, as a list of attacks. */
export default defineConfig({
  test: {
    include: [...new Set(files)],
    globalSetup: 'test/support/temporary-files.ts',
    testTimeout: 30_000,
    hookTimeout: 120_000,
    silent: true,
    reporters: ['./test/attacks/reporter.ts'],
  },
});
