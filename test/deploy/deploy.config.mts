import { defineConfig } from 'vitest/config';

/** `npm run test:deploy`: what usually breaks on the first deployment, as far as it takes longer than `npm test` may. */
export default defineConfig({
  test: {
    include: ['test/deploy/**/*.test.ts'],
    globalSetup: 'test/support/temporary-files.ts',
    testTimeout: 240_000,
    hookTimeout: 600_000,
    maxWorkers: '100%',
    silent: 'passed-only',
  },
});
