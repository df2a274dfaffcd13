import { relative } from 'node:path';
import type { Reporter, SerializedError, TestCase, TestModule } from 'vitest/node';
import { type Attack, attacks, type Citation, ROOT } from './attack-list';

/** The host that every cited test runs against. Of the others some have no part in an attack: it is on something that stands before them. */
const COMPLETE = 'Lambda';

/** Prints the attacks of docs/security.md, each with the result of the tests that it cites, on each host. An attack without a test fails. */
export default class AttackReporter implements Reporter {
  onTestRunEnd(modules: readonly TestModule[], unhandled: readonly SerializedError[]): void {
    const broken = modules.flatMap((module) => [
      ...module.errors().map((error) => `${module.moduleId}: ${error.message}`),
      ...[...module.children.allSuites()].flatMap((suite) =>
        suite.errors().map((error) => `${suite.fullName}: ${error.message}`),
      ),
    ]);
    // Vitest fails the run for these, and leaves it to the reporter to say so.
    const outside = unhandled.map((error) => `Outside any test: ${error.stack ?? error.message}`);
    let failures = broken.length + outside.length;
    for (const host of new Set(modules.map(({ project }) => project.name))) {
      console.log(`\n${host}:`);
      const ofHost = modules.filter(({ project }) => project.name === host);
      failures += report(host, [...ofHost.flatMap((module) => [...module.children.allTests()])]);
    }
    for (const reason of [...broken, ...outside]) console.log(`✗ ${reason}`);
    if (failures > 0) process.exitCode = 1;
  }
}

/** @returns how many attacks were not withstood, and how many other tests failed */
function report(host: string, tests: readonly TestCase[]): number {
  const results = attacks()
    .map((attack) => ({ attack, ...resultOf(attack, host, tests) }))
    .filter(({ cited, failed }) => cited.length + failed.length > 0);
  for (const { attack, failed, cited } of results) {
    console.log(
      `${failed.length === 0 ? '✓' : '✗'} ${attack.name} (${cited.length} ${cited.length === 1 ? 'test' : 'tests'})`,
    );
    for (const reason of failed) console.log(`    ${reason}`);
  }
  const cited = new Set(results.flatMap((result) => result.cited));
  const others = tests.filter((test) => !cited.has(test) && test.result().state === 'failed');
  for (const test of others) console.log(`✗ not cited: ${reasonOf(test)}`);
  const withstood = results.filter(({ failed }) => failed.length === 0).length;
  console.log(`${withstood} of ${results.length} attacks withstood`);
  return results.length - withstood + others.length;
}

function resultOf({ citations }: Attack, host: string, tests: readonly TestCase[]) {
  // On databases that are not here, tests are skipped, which the end of the run says.
  const run = host === COMPLETE ? tests.filter((test) => !isSkipped(test)) : tests;
  const found = citations.map((citation) => run.filter((test) => isCited(test, citation)));
  const missing = citations
    .filter((_, i) => host === COMPLETE && found[i]?.length === 0)
    .map(({ title, file }) => `not run: ${title} (${file})`);
  const cited = [...new Set(found.flat())].filter((test) => host === COMPLETE || !isSkipped(test));
  const failed = cited.filter((test) => test.result().state !== 'passed').map(reasonOf);
  return { cited, failed: [...missing, ...failed] };
}

/** Vitest calls a test skipped also where what stands around it could not begin: that one has withstood nothing. */
function isSkipped(test: TestCase): boolean {
  for (let around = test.parent; ; around = around.parent) {
    if (around.errors().length > 0) return false;
    if (around.type === 'module') return test.result().state === 'skipped';
  }
}

function reasonOf(test: TestCase): string {
  const { state, errors } = test.result();
  return `${test.fullName}: ${errors?.[0]?.message ?? state}`;
}

/** A title may be one of many (`%s`), and that of a suite around the test. */
function isCited(test: TestCase, { title, file }: Citation): boolean {
  if (relative(ROOT, test.module.moduleId) !== file) return false;
  const fixed = title.split(/%[a-z]/).map(escaped);
  const pattern = new RegExp(`^${fixed.join('.*')}$`, 's');
  const names = [test.name];
  for (let suite = test.parent; suite.type === 'suite'; suite = suite.parent) names.push(suite.name);
  return names.some((name) => pattern.test(name));
}

function escaped(text: string): string {
  return text.replace(/[\\^$.*+?()[\]{}|]/g, '\\$&');
}
