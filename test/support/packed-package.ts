import { execFile } from 'node:child_process';
import { mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { promisify } from 'node:util';

const run = promisify(execFile);
const REPOSITORY = resolve(__dirname, '..', '..');

/** The environment without what `npm test` says about this package, which a second npm would take for its own. */
export const CLEAN_ENVIRONMENT = Object.fromEntries(
  Object.entries(process.env).filter(([name]) => !/^npm_(package|lifecycle|command|config_local_prefix)/.test(name)),
);

export interface PackedPackage {
  /** Outside the repository; holds the tarball. */
  readonly directory: string;
  readonly tarball: string;
  readonly files: readonly string[];
}

/** What `npm publish` would upload. */
export async function packPackage(): Promise<PackedPackage> {
  const directory = await mkdtemp(join(tmpdir(), 'mcp-oidc-auth-package-'));
  // Without prepack, which would build dist/ and assets/ anew under the other tests.
  const options = ['pack', '--ignore-scripts', '--json', '--pack-destination', directory];
  const { stdout } = await run('npm', options, { cwd: REPOSITORY, env: CLEAN_ENVIRONMENT });
  const [{ filename, files }] = JSON.parse(stdout);
  return {
    directory,
    tarball: join(directory, filename),
    files: files.map(({ path }: { path: string }) => path),
  };
}
