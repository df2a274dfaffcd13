import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { App, CfnOutput, CfnParameter, Stack } from 'aws-cdk-lib';
import { LambdaIntegration, RestApi } from 'aws-cdk-lib/aws-apigateway';
import { Role, ServicePrincipal } from 'aws-cdk-lib/aws-iam';
import { Architecture, Code, Function as LambdaFunction, Runtime } from 'aws-cdk-lib/aws-lambda';
import { LogGroup } from 'aws-cdk-lib/aws-logs';
import { Secret } from 'aws-cdk-lib/aws-secretsmanager';
import { build } from 'esbuild';
import { decodeJwt } from 'jose';
import { McpOidcAuth, UpstreamIdp } from 'mcp-oidc-auth';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { deniedCalls } from './clean-logs';
import { type LocalStack, Person, startLocalApp } from './local-stack';
import { OUR_EDITOR, tokensFor } from './our-editor';

/** Acts upstream as the caller: asks the identity provider who they are. */
const SERVER = `
import { upstreamToken } from 'mcp-oidc-auth/upstream';

export async function handler(event) {
  const { accessToken } = await upstreamToken(event);
  const answer = await fetch(process.env.USER_INFO, { headers: { authorization: 'Bearer ' + accessToken } });
  const { email } = await answer.json();
  return { statusCode: 200, body: JSON.stringify({ status: answer.status, email }) };
}`;

let local: LocalStack;
beforeAll(async () => {
  const code = await serverBundle();
  local = await startLocalApp((assembly) => {
    const app = new App({ outdir: assembly });
    actingServer(app, code);
    app.synth();
  });
});
afterAll(() => local?.[Symbol.asyncDispose]());

/** As a user of the package would bundle it; Lambda brings the SDK along, this machine does not. */
async function serverBundle(): Promise<string> {
  const directory = mkdtempSync(join(tmpdir(), 'mcp-oidc-auth-server-'));
  const entry = join(directory, 'index.mjs');
  writeFileSync(entry, SERVER);
  const outfile = join(directory, 'bundle', 'index.js');
  const alias = { 'mcp-oidc-auth/upstream': require.resolve('mcp-oidc-auth/upstream') };
  await build({ entryPoints: [entry], outfile, bundle: true, platform: 'node', format: 'cjs', alias });
  return join(directory, 'bundle');
}

/** An MCP server that acts for people at their identity provider, and its authorization server. */
function actingServer(app: App, code: string): void {
  const stack = new Stack(app, 'McpOidcAuth');
  const parameter = (name: string) => new CfnParameter(stack, name).valueAsString;
  const issuer = parameter('UpstreamIssuer');
  const auth = new McpOidcAuth(stack, 'Auth', {
    upstream: UpstreamIdp.oidc({
      issuer,
      clientId: parameter('UpstreamClientId'),
      clientSecret: Secret.fromSecretNameV2(stack, 'UpstreamSecret', parameter('UpstreamSecretName')),
    }),
    clients: [OUR_EDITOR],
  });
  // With no more than it needs, as the report on all permissions asks of every role.
  const logGroup = new LogGroup(stack, 'ServerLogs');
  const role = new Role(stack, 'ServerRole', { assumedBy: new ServicePrincipal('lambda.amazonaws.com') });
  logGroup.grantWrite(role);
  const server = new LambdaFunction(stack, 'Server', {
    role,
    logGroup,
    runtime: Runtime.NODEJS_24_X,
    architecture: Architecture.ARM_64,
    code: Code.fromAsset(code),
    handler: 'index.handler',
    memorySize: 256,
    environment: { USER_INFO: `${issuer}/me` },
  });
  const api = auth.protectRestApi(new RestApi(stack, 'Api', { cloudWatchRole: false }), {
    name: 'Directory',
    integration: new LambdaIntegration(server),
    scopes: [{ name: 'directory:read', description: 'Look people up' }],
    upstreamTokens: true,
  });
  auth.grantUpstreamTokens(server);
  new CfnOutput(stack, 'Issuer', { value: auth.issuer });
  new CfnOutput(stack, 'McpUrl', { value: api.url });
}

describe('an MCP server that acts upstream for people', () => {
  const given: string[] = [];

  it('is announced on the consent page, and does so for each of them', async () => {
    const users = local.identityProvider.users;
    for (const user of users) {
      const person = new Person(local, user);
      const { access_token: token = '' } = await tokensFor(local, person);
      given.push(token);
      expect(person.consentPage).toMatch(/Have <bdi>Directory<\/bdi> act for you at <bdi>127\.0\.0\.1:\d+<\/bdi>/);
      expect(decodeJwt(token)).toMatchObject({ grant_ref: expect.stringMatching(/^[\w-]{43}$/) });
      for (let call = 0; call < 3; call++) {
        const headers = { authorization: `Bearer ${token}` };
        const response = await fetch(local.mcpUrl, { method: 'POST', headers, body: '{}' });
        expect([response.status, await response.json()]).toEqual([200, { status: 200, email: user.username }]);
      }
    }
    expect(users.length).toBeGreaterThan(1);
    const exchanges = local.logs.filter((line) => line.includes('grant-type:token-exchange'));
    expect(exchanges).toHaveLength(users.length);
  });

  it('has a credential that is in no log, as no token is', async () => {
    expect(given.length).toBeGreaterThan(0);
    expect(local.logs.filter((line) => /eyJ[\w-]+\.|client_secret/.test(line))).toEqual([]);
  });

  it('takes no call that a role does not allow', () => expect(deniedCalls(local)).toEqual([]));
});
