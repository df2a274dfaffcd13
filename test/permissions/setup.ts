import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestProject } from 'vitest/node';
import { type Journal, report } from './report';

declare module 'vitest' {
  interface ProvidedContext {
    /** The directory where the tests' stacks leave what their roles were used for. */
    permissionUses: string | undefined;
  }
}

/**
 * After the whole suite: a report of each statement of each role with the calls that used it. What no call used, and what
 * a role did not allow, fails the run. A part of the suite says nothing about permissions, so nothing is said after it.
 */
export default function setup(project: TestProject): () => Promise<void> {
  const directory = mkdtempSync(join(tmpdir(), 'permission-uses-'));
  project.provide('permissionUses', directory);
  return async () => {
    const journals = readdirSync(directory).map(
      (name): Journal => JSON.parse(readFileSync(join(directory, name), 'utf8')),
    );
    rmSync(directory, { recursive: true });
    if (!(await isWholeSuite(project))) return;
    const { lines, problems } = report(journals);
    process.stdout.write(`\nPermissions of the roles, and the calls that used them:\n  ${lines.join('\n  ')}\n`);
    if (problems.length === 0) return;
    process.stderr.write(`\nPermissions that are too wide or missing:\n  ${problems.join('\n  ')}\n`);
    process.exitCode = 1;
  };
}

/** Whether every file was run with every test in it, and none failed: then the run has failed anyway. */
async function isWholeSuite(project: TestProject): Promise<boolean> {
  if (project.config.testNamePattern) return false;
  const { testFiles } = await project.globTestFiles();
  const done = project.vitest.state
    .getTestModules()
    .filter((module) => module.state() === 'passed' || module.state() === 'skipped')
    .map(({ moduleId }) => moduleId);
  return testFiles.every((file) => done.includes(file));
}
