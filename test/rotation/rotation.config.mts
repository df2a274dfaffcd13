import { defineConfig } from 'vitest/config';

/** `npm run test:rotation`: by itself, because it takes a minute and a half of all cores. */
export default defineConfig({
  test: {
    include: ['test/rotation/*.test.ts'],
    globalSetup: 'test/support/temporary-files.ts',
    testTimeout: 600_000,
    hookTimeout: 120_000,
    silent: 'passed-only',
  },
});
