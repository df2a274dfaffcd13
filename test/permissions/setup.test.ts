import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { expect, test } from 'vitest';

const ROOT = join(__dirname, '..', '..');

/** Runs the fixture's suite as `npm test` runs the whole one. */
function run(...args: string[]) {
  const { NODE_OPTIONS: _, ...env } = process.env;
  const vitest = join(ROOT, 'node_modules', 'vitest', 'vitest.mjs');
  const config = join(ROOT, 'test', 'permissions', 'fixture', 'fixture.config.mts');
  return spawnSync(process.execPath, [vitest, 'run', '--root', ROOT, '--config', config, ...args], {
    cwd: ROOT,
    env,
    encoding: 'utf8',
  });
}

test('a suite that passes fails over a permission that is not used, and one that is lacking', {
  timeout: 60_000,
}, () => {
  const { status, stdout, stderr } = run();
  expect(stdout).toMatch(/^ +Role\n +0 {2}s3:GetObject on \*$/m);
  expect(stderr).toContain('Role: s3:GetObject on * is not used by any call.');
  expect(stderr).toContain('fn: s3:PutObject on x is allowed by no statement of its role.');
  expect(status).toBe(1);
});

test('a part of the suite does not', { timeout: 60_000 }, () => {
  const { status, stdout, stderr } = run('-t', 'permission');
  expect(stdout).toContain('1 passed');
  expect(stderr).not.toContain('s3:GetObject');
  expect(status).toBe(0);
});
