import { relative } from 'node:path';
import type { Reporter, TestCase, TestModule } from 'vitest/node';
import { type Attack, attacks, type Citation, ROOT } from './attack-list';

/** Prints the attacks of docs/security.md, each with the result of the tests that it cites. An attack without a test fails. */
export default class AttackReporter implements Reporter {
  onTestRunEnd(modules: readonly TestModule[]): void {
    const tests = modules.flatMap((module) => [...module.children.allTests()]);
    const broken = modules.filter((module) => module.errors().length > 0);
    const results = attacks().map((attack) => ({ attack, ...resultOf(attack, tests) }));
    for (const { attack, failed, cited } of results) {
      console.log(
        `${failed.length === 0 ? '✓' : '✗'} ${attack.name} (${cited.length} ${cited.length === 1 ? 'test' : 'tests'})`,
      );
      for (const reason of failed) console.log(`    ${reason}`);
    }
    for (const module of broken) console.log(`✗ ${module.moduleId}: ${module.errors()[0]?.message}`);
    const withstood = results.filter(({ failed }) => failed.length === 0);
    console.log(`\n${withstood.length} of ${results.length} attacks withstood`);
    if (withstood.length < results.length || broken.length > 0) process.exitCode = 1;
  }
}

function resultOf({ citations }: Attack, tests: readonly TestCase[]): { cited: TestCase[]; failed: string[] } {
  // On databases that are not here, tests are skipped, which the end of the run says.
  const run = tests.filter((test) => test.result().state !== 'skipped');
  const found = citations.map((citation) => run.filter((test) => isCited(test, citation)));
  const missing = citations
    .filter((_, i) => found[i]?.length === 0)
    .map(({ title, file }) => `not run: ${title} (${file})`);
  const cited = [...new Set(found.flat())];
  const failed = cited
    .filter((test) => test.result().state !== 'passed')
    .map((test) => `${test.fullName}: ${test.result().errors?.[0]?.message ?? test.result().state}`);
  return { cited, failed: [...missing, ...failed] };
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
