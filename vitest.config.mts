import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    include: ['test/**/*.test.ts'],
    // Has a command of its own: npm run test:rotation.
    exclude: ['test/rotation/**'],
    globalSetup: 'test/support/temporary-files.ts',
    testTimeout: 30_000,
    hookTimeout: 120_000,
    // All cores: much of the time goes by in processes that a test has started and waits for.
    maxWorkers: '100%',
    silent: 'passed-only',
  },
});
