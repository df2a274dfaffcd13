import { configDefaults, defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    include: ['test/**/*.test.ts'],
    // Have commands of their own: npm run test:rotation, npm run test:deploy.
    exclude: [...configDefaults.exclude, 'test/rotation/**', 'test/deploy/**'],
    globalSetup: ['test/support/temporary-files.ts', 'test/permissions/setup.ts'],
    testTimeout: 30_000,
    hookTimeout: 120_000,
    // All cores: much of the time goes by in processes that a test has started and waits for.
    maxWorkers: '100%',
    silent: 'passed-only',
  },
});
