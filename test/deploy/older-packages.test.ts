import { execFile } from 'node:child_process';
import { mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { CLEAN_ENVIRONMENT, type PackedPackage, packPackage } from '../support/packed-package';

let packed: PackedPackage;
beforeAll(async () => {
  packed = await packPackage();
});
afterAll(() => rm(packed.directory, { recursive: true, force: true }));

/** What the construct does not use is in nobody's way: where it is used, it says at run time what it needs. */
test.each([
  ['Express 4', { express: '^4.0.0' }],
  ['an older AWS SDK', { '@aws-sdk/client-dynamodb': '~3.1000.0' }],
  ['older clients of databases', { '@keyv/redis': '^4.0.0', pg: '~8.11.0' }],
])('npm installs the package in a CDK app that has %s', async (name, dependencies) => {
  const app = join(packed.directory, name.replaceAll(' ', '-'));
  await mkdir(app);
  const cdk = { 'aws-cdk-lib': '^2.276.0', constructs: '^10.5.0' };
  const description = { name: 'app', private: true, dependencies: { ...cdk, ...dependencies } };
  await writeFile(join(app, 'package.json'), JSON.stringify(description));
  const install = ['install', '--package-lock-only', '--prefer-offline', '--no-audit', '--no-fund', packed.tarball];
  await promisify(execFile)('npm', install, { cwd: app, env: CLEAN_ENVIRONMENT });
  const { packages } = JSON.parse(await readFile(join(app, 'package-lock.json'), 'utf8'));
  expect(Object.keys(packages)).toContain('node_modules/mcp-oidc-auth');
});
