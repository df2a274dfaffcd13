import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** All that the tests, and what they run, leave in the directory for temporary files goes when they end. */
export default function setup(): () => void {
  const directory = mkdtempSync(join(tmpdir(), 'mcp-oidc-auth-tests-'));
  process.env.TMPDIR = directory;
  return () => rmSync(directory, { recursive: true, force: true });
}
