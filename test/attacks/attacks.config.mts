import { readFileSync } from 'node:fs';
import { defineConfig } from 'vitest/config';

const [, attacks = ''] = /^## Attacks$(.*?)^## /ms.exec(readFileSync('docs/security.md', 'utf8')) ?? [];
const files = [...new Set([...attacks.matchAll(/\(\.\.\/(test\/[^)]+)\)/g)].map(([, file = '']) => file))];

/** Those of test/hosts/attacked-hosts.ts, beside Lambda. */
const hosts = ['standalone', 'express'];

/** What is sent to a server; the others are about a part of it, or about AWS. */
const sent = files.filter((file) => /from '[./\w-]*\/harness'/.test(readFileSync(file, 'utf8')));

/**
 * The tests that the table of attacks cites, as a list of attacks: `npm run test:attacks` against each host, `npm run test:hosts` against
 * those that are not Lambda.
 */
export default defineConfig({
  test: {
    globalSetup: 'test/support/temporary-files.ts',
    testTimeout: 120_000,
    hookTimeout: 120_000,
    // As with SOON of test/support/soon.ts.
    expect: { poll: { timeout: 20_000 } },
    silent: true,
    reporters: ['./test/attacks/reporter.ts'],
    projects: [
      { extends: true, test: { name: 'Lambda', include: files } },
      ...hosts.map((host) => ({
        extends: true as const,
        test: { name: host, include: sent, env: { MCP_OIDC_AUTH_HOST: host } },
      })),
    ],
  },
});
