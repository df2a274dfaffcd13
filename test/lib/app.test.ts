import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { dependencyCycle } from './dependency-cycle';
import { text } from './synth';

const root = join(__dirname, '..', '..');
const directory = mkdtempSync(join(tmpdir(), 'mcp-oidc-auth-app-'));
afterAll(() => rmSync(directory, { recursive: true, force: true }));

/** Runs the app of cdk.json as the CDK command line does, without an account, a region and credentials. */
function synthesize(name: string, context: Record<string, string> = {}) {
  const out = join(directory, name);
  const { app, context: flags } = JSON.parse(readFileSync(join(root, 'cdk.json'), 'utf8'));
  const [, script] = app.split(' ');
  execFileSync(process.execPath, [script], {
    cwd: root,
    env: { PATH: process.env.PATH, CDK_OUTDIR: out, CDK_CONTEXT_JSON: JSON.stringify({ ...flags, ...context }) },
    stdio: 'ignore',
  });
  return JSON.parse(readFileSync(join(out, 'McpOidcAuth.template.json'), 'utf8'));
}

describe('the app that is deployed', () => {
  // biome-ignore lint/suspicious/noExplicitAny: the shape of a template is what the tests look at
  let template: any;
  beforeAll(() => {
    template = synthesize('deployed');
  });

  test('asks for the identity provider in parameters without defaults', () => {
    for (const name of ['UpstreamIssuer', 'UpstreamClientId', 'UpstreamSecretName']) {
      expect(template.Parameters[name]).toEqual({ Type: 'String', Description: expect.stringMatching(/\.$/) });
    }
  });

  test('says where everything is', () => {
    expect(Object.keys(template.Outputs)).toEqual(
      expect.arrayContaining(['Issuer', 'McpUrl', 'TableName', 'CallbackUrl']),
    );
    expect(text(template.Outputs.McpUrl.Value)).toMatch(/^https:\/\/<NotesApi\w+>\.execute-api\..*\/prod\/mcp$/);
    expect(text(template.Outputs.CallbackUrl.Value)).toBe(`${text(template.Outputs.Issuer.Value)}/callback`);
  });

  test('streams the answers of its MCP server', () => {
    const methods = Object.values<{ Type: string; Properties: { Integration: Record<string, string> } }>(
      template.Resources,
    ).filter(({ Type, Properties }) => Type === 'AWS::ApiGateway::Method' && Properties.Integration.Type !== 'MOCK');
    expect(methods.map(({ Properties }) => Properties.Integration.ResponseTransferMode)).toEqual([
      'STREAM',
      'STREAM',
      'STREAM',
    ]);
  });

  test('lets its MCP server log, read and add notes and no more', () => {
    const [policy] = Object.entries<{ Type: string; Properties: { PolicyDocument: { Statement: unknown[] } } }>(
      template.Resources,
    ).filter(([id, { Type }]) => Type === 'AWS::IAM::Policy' && id.startsWith('NotesServer'));
    expect(policy?.[1].Properties.PolicyDocument.Statement).toEqual([
      {
        Effect: 'Allow',
        Action: ['logs:CreateLogStream', 'logs:PutLogEvents'],
        Resource: { 'Fn::GetAtt': [expect.stringMatching(/^NotesServerLogs/), 'Arn'] },
      },
      {
        Effect: 'Allow',
        Action: ['dynamodb:PutItem', 'dynamodb:Query'],
        Resource: { 'Fn::GetAtt': [expect.stringMatching(/^Notes[0-9A-F]{8}$/), 'Arn'] },
      },
    ]);
  });

  test('has no cycle', () => expect(dependencyCycle(template)).toBeUndefined());
});

test('tests may make lifetimes short', () => {
  const { Resources } = synthesize('short', { lifetimes: '{"accessToken":5}' });
  const provider = Object.entries<{ Properties: { Environment: { Variables: { CONFIG: unknown } } } }>(Resources).find(
    ([id]) => /^AuthProvider[0-9A-F]{8}$/.test(id),
  );
  expect(JSON.parse(text(provider?.[1].Properties.Environment.Variables.CONFIG)).lifetimes).toMatchObject({
    accessToken: 5,
    authorizationCode: 60,
  });
});
