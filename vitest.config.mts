import { configDefaults, defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    include: ['test/**/*.test.ts'],
    // Have commands of their own: npm run test:rotation, npm run test:deploy.
    exclude: [...configDefaults.exclude, 'test/rotation/**', 'test/deploy/**'],
    globalSetup: ['test/support/temporary-files.ts', 'test/permissions/setup.ts'],
    // No assertion depends on it: it is there for a machine that is busy with something else.
    testTimeout: 120_000,
    hookTimeout: 120_000,
    // As with SOON of test/support/soon.ts.
    expect: { poll: { timeout: 20_000 } },
    // All cores: much of the time goes by in processes that a test has started and waits for.
    maxWorkers: '100%',
    silent: 'passed-only',
  },
});
