import { appendFileSync, existsSync, readFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** In the directory that all tests of a run share: see temporary-files.ts. */
const file = () => join(tmpdir(), 'not-run');

/** Notes that tests cannot run here, for the end of the run. @throws in CI, where everything runs */
export function noteNotRun(reason: string): void {
  if (process.env.CI) throw new Error(`${reason}, and in CI all tests run`);
  appendFileSync(file(), `${reason}\n`);
}

/** What did not run, each reason once. */
export function notRun(): string[] {
  if (!existsSync(file())) return [];
  return [...new Set(readFileSync(file(), 'utf8').split('\n').filter(Boolean))];
}
