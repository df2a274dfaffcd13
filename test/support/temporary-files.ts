import { chmodSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { notRun } from './not-run';
import { RUNNING } from './server-process';

/** All that the tests, and what they run, leave in the directory for temporary files goes when they end. */
export default function setup(): () => void {
  const directory = mkdtempSync(join(tmpdir(), 'mcp-oidc-auth-tests-'));
  // PostgreSQL refuses to run as root: another user must get to the files of its own in there.
  chmodSync(directory, 0o711);
  process.env.TMPDIR = directory;
  return () => {
    for (const reason of notRun()) console.warn(`\nNOT RUN: ${reason}.`);
    for (const name of readdirSync(directory)) {
      if (name.startsWith(RUNNING)) stop(Number(name.slice(RUNNING.length)));
    }
    // What is stopping may still write.
    rmSync(directory, { recursive: true, force: true, maxRetries: 10 });
  };
}

function stop(pid: number): void {
  try {
    process.kill(pid, 'SIGINT');
  } catch {
    // It has ended by itself.
  }
}
