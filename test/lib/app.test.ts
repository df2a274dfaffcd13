import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
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

/** Of its one REST API. An edge-optimized one, which CDK makes by default, ends a stream that is silent for 30 s. */
function endpointTypes({ Resources }: { Resources: object }): string[] {
  const [api, ...others] = Object.values(Resources).filter(({ Type }) => Type === 'AWS::ApiGateway::RestApi');
  expect(others).toEqual([]);
  return api.Properties.EndpointConfiguration?.Types ?? ['EDGE'];
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
    expect(endpointTypes(template)).toEqual(['REGIONAL']);
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

describe('the app in the README', () => {
  // biome-ignore lint/suspicious/noExplicitAny: the shape of a template is what the tests look at
  let template: any;
  const readme = readFileSync(join(root, 'README.md'), 'utf8');
  const steps = readme.split('\n## Deploy\n')[1]?.split('\n## ')[0] ?? '';
  beforeAll(() => {
    const app = join(directory, 'own-app');
    mkdirSync(join(app, 'server'), { recursive: true });
    writeFileSync(join(app, 'server', 'index.js'), 'exports.handler = async () => {};');
    execFileSync(process.execPath, [join(root, 'dist', 'examples', 'own-app.js')], {
      cwd: app,
      env: { PATH: process.env.PATH, CDK_OUTDIR: app },
      stdio: 'ignore',
    });
    template = JSON.parse(readFileSync(join(app, 'MyMcpServer.template.json'), 'utf8'));
  });

  test('asks for what the deployment hands over', () => {
    const handed = [...steps.matchAll(/--parameters (\w+)=/g)].map(([, name]) => name);
    expect(handed).toHaveLength(3);
    expect(Object.keys(template.Parameters).filter((name) => name !== 'BootstrapVersion')).toEqual(handed);
  });

  test('prints what the steps that follow, and the commands of operators, name', () => {
    expect(Object.keys(template.Outputs)).toEqual(
      expect.arrayContaining(['CallbackUrl', 'Issuer', 'McpUrl', 'TableName', 'KeySetSecretArn']),
    );
    const named = [...steps.matchAll(/printed `(\w+)`(?: and `(\w+)`)?/g)].flatMap(([, ...names]) => names);
    expect(named).toContain('CallbackUrl');
    for (const name of named.filter(Boolean)) expect(Object.keys(template.Outputs)).toContain(name);
  });

  test('streams for as long as API Gateway does', () => {
    expect(endpointTypes(template)).toEqual(['REGIONAL']);
    const integrations = Object.values<{ Type: string; Properties: { Integration: Record<string, unknown> } }>(
      template.Resources,
    )
      .filter(({ Type, Properties }) => Type === 'AWS::ApiGateway::Method' && Properties.Integration.Type !== 'MOCK')
      .map(({ Properties }) => Properties.Integration);
    expect(integrations).toHaveLength(3);
    for (const integration of integrations) {
      expect(integration).toMatchObject({ ResponseTransferMode: 'STREAM', TimeoutInMillis: 300_000 });
    }
    const [, server] = Object.entries<{ Properties: object }>(template.Resources).find(([id]) =>
      /^Server[0-9A-F]{8}$/.test(id),
    )!;
    expect(server.Properties).toMatchObject({ Timeout: 300 });
  });
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
