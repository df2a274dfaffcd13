import { chmodSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { notRun } from './not-run';

/** All that the tests, and what they run, leave in the directory for temporary files goes when they end. */
export default function setup(): () => void {
  const directory = mkdtempSync(join(tmpdir(), 'mcp-oidc-auth-tests-'));
  // PostgreSQL refuses to run as root: another user must get to the files of its own in there.
  chmodSync(directory, 0o711);
  process.env.TMPDIR = directory;
  return () => {
    for (const reason of notRun()) console.warn(`\nNOT RUN: ${reason}.`);
    rmSync(directory, { recursive: true, force: true });
  };
}
