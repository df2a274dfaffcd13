import { spawnSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { App, type Stack, Validations } from 'aws-cdk-lib';
import { CfnPolicy } from 'aws-cdk-lib/aws-iam';
import type { CfnFunction } from 'aws-cdk-lib/aws-lambda';
import { CfnSecret } from 'aws-cdk-lib/aws-secretsmanager';
import { AwsSolutionsChecks } from 'cdk-nag';
import { beforeAll, describe, expect, test } from 'vitest';
import { noteNotRun } from '../support/not-run';
import { addServersElsewhere, addVariants, exampleStack, FLAGS } from './variants';

interface Violation {
  readonly ruleName: string;
  readonly violatingConstructs: readonly { readonly constructPath: string }[];
  readonly acknowledgedId?: string;
  readonly acknowledgedAt?: string;
}
interface Report {
  readonly pluginName: string;
  readonly violations: readonly Violation[];
  readonly suppressedViolations?: readonly Violation[];
}

/** Findings of CDK's own rules are errors. */
const STRICT = { ...FLAGS, '@aws-cdk/core:validateAgainstDefaultRules': true };
const NAG = 'AwsSolutions';
const CDK = 'CloudFormation Validate';

const MISSING = 'No template went through cfn-lint, which is not installed (pip install cfn-lint)';
const isMissing = spawnSync('cfn-lint', ['--version']).error !== undefined;
if (isMissing) noteNotRun(MISSING);

/** Synthesizes the app under cdk-nag's AwsSolutions and CDK's own rules. */
function judge(app: App): { refused: boolean; reports: readonly Report[] } {
  Validations.of(app).addPlugins(new AwsSolutionsChecks(app));
  let refused = false;
  try {
    app.synth();
  } catch (error) {
    if ((error as Error).name !== 'ValidationFailed') throw error;
    refused = true;
  }
  return {
    refused,
    reports: JSON.parse(readFileSync(join(app.outdir, 'validation-report.json'), 'utf8')).pluginReports,
  };
}

function reportOf(reports: readonly Report[], plugin: string): Report {
  const report = reports.find(({ pluginName }) => pluginName === plugin);
  if (!report) throw new Error(`${plugin} has not run`);
  return report;
}

/** What a set of rules finds, as `rule at construct`. */
function findings(reports: readonly Report[], plugin: string): string[] {
  return reportOf(reports, plugin).violations.flatMap(({ ruleName, violatingConstructs }) =>
    violatingConstructs.map(({ constructPath }) => `${ruleName} at ${constructPath}`),
  );
}

describe('in the example and in every variant', () => {
  let app: App;
  let judged: ReturnType<typeof judge>;
  let templates: string[];
  beforeAll(async () => {
    app = new App({ context: STRICT });
    const example = await exampleStack(app);
    const variants = addVariants(app);
    addServersElsewhere(app, variants.get('no prop')!.auth);
    judged = judge(app);
    // All kinds of resources, with all their properties, are in these three; cfn-lint takes a second for each.
    templates = [example, variants.get('no prop')!, variants.get('every prop')!].map(({ templateFile }) =>
      join(app.outdir, templateFile),
    );
  });

  test('cdk-nag finds nothing that is not acknowledged', () => expect(findings(judged.reports, NAG)).toEqual([]));

  test('the rules of the CDK find nothing', () => {
    expect(findings(judged.reports, CDK)).toEqual([]);
    expect(judged.refused).toBe(false);
  });

  test('each acknowledgement has a reason and is of something that a rule finds', () => {
    const used = judged.reports.flatMap(({ suppressedViolations = [] }) =>
      suppressedViolations.map(({ acknowledgedId, acknowledgedAt }) => `${acknowledgedId} at ${acknowledgedAt}`),
    );
    const written = app.node.findAll().flatMap(({ node }) =>
      node.metadata
        .filter(({ type }) => type === Validations.ACKNOWLEDGED_RULES_METADATA_KEY)
        .flatMap(({ data }) => Object.entries(data as Record<string, string>))
        .map(([id, reason]) => {
          expect(reason, id).toMatch(/^[A-Z].{20,}\.$/);
          return `${id} at ${node.path}`;
        }),
    );
    expect(written.length).toBeGreaterThan(5);
    expect(written.filter((acknowledgement) => !used.includes(acknowledgement))).toEqual([]);
  });

  test('cfn-lint finds nothing', { timeout: 120_000 }, (context) => {
    if (isMissing) context.skip(MISSING);
    expect(lint(templates)).toBe('');
  });
});

/** W3005: the L2 construct of a function names its role in DependsOn as well. */
function lint(templates: readonly string[]): string {
  const { status, stdout, stderr, error } = spawnSync('cfn-lint', ['--ignore-checks', 'W3005', '--', ...templates], {
    encoding: 'utf8',
  });
  if (error || (status !== 0 && stdout === '')) throw error ?? new Error(stderr);
  return stdout;
}

describe('what is wrong on purpose is found', () => {
  /** The example, made worse. */
  async function worse(change: (stack: Stack) => void) {
    const app = new App({ context: STRICT });
    const stack = await exampleStack(app);
    change(stack);
    return { app, ...judge(app) };
  }

  test('a permission for everything, by cdk-nag', async () => {
    const { refused, reports } = await worse((stack) => {
      const policies = stack.node.findAll().filter((child) => child instanceof CfnPolicy);
      policies[0]!.policyDocument = {
        Version: '2012-10-17',
        Statement: [{ Effect: 'Allow', Action: 'dynamodb:*', Resource: '*' }],
      };
    });
    expect(refused).toBe(true);
    expect(findings(reports, NAG).join('\n')).toMatch(/IAM5\[Action::dynamodb:\*\] at .*\n.*IAM5\[Resource::\*\] at /);
  });

  test('a secret that nothing rotates, by cdk-nag', async () => {
    const { reports } = await worse((stack) => new CfnSecret(stack, 'Forgotten'));
    expect(findings(reports, NAG)).toEqual(['AwsSolutions-SMG4 at McpOidcAuth/Forgotten']);
  });

  test('a property that a function does not have, by the rules of the CDK', async () => {
    const { refused, reports } = await worse((stack) => {
      (stack.node.findChild('NotesServer').node.defaultChild as CfnFunction).addPropertyOverride('Colour', 'blue');
    });
    expect(refused).toBe(true);
    expect(findings(reports, CDK).join('\n')).toMatch(/ at McpOidcAuth\/NotesServer/);
  });

  test('an attribute that a table does not have, by cfn-lint', { timeout: 60_000 }, async (context) => {
    if (isMissing) context.skip(MISSING);
    const { app } = await worse(() => {});
    const file = join(app.outdir, 'McpOidcAuth.template.json');
    writeFileSync(file, readFileSync(file, 'utf8').replace(/("AuthTable\w+",\s+)"Arn"/, '$1"TableArn"'));
    expect(lint([file])).toMatch(/E1010/);
  });
});
