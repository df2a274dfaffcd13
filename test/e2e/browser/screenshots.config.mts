import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: { include: ['test/e2e/browser/screenshots.ts'], globalSetup: 'test/support/temporary-files.ts' },
});
