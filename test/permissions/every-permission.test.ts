import { createHash, randomBytes } from 'node:crypto';
import { App, CfnOutput, CfnResource, SecretValue } from 'aws-cdk-lib';
import { Key } from 'aws-cdk-lib/aws-kms';
import { Secret } from 'aws-cdk-lib/aws-secretsmanager';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { DemoIdentityProvider } from '../../local/identity-provider/start';
import { type LocalStack, Person, startLocalApp } from '../e2e/local-stack';
import { everyProp, everyProtectionProp, FLAGS, VariantStack } from '../template/variants';
import { report } from './report';
import { usesOf } from './uses';

const REDIRECT_URI = 'http://127.0.0.1/callback';
const CLIENT_ID = 'reports-cli';

let clientRegistration: string;

/** Every prop, as far as a machine without a domain can have it, and the client secret under a key of one's own. */
function synthesize(outdir: string, { issuer, clientId, clientSecret }: DemoIdentityProvider): void {
  const app = new App({ outdir, context: { ...FLAGS } });
  const stack = new VariantStack(app, 'EveryProp', {
    auth(scope) {
      const { customDomain: _, ...props } = everyProp(scope, {
        issuer,
        clientId,
        clientSecret: new Secret(scope, 'ClientSecret', {
          secretStringValue: SecretValue.unsafePlainText(clientSecret),
          encryptionKey: new Key(scope, 'Key'),
        }),
      });
      return { ...props, functionOptions: { ...props.functionOptions, environment: {} } };
    },
    protection: everyProtectionProp,
  });
  new CfnOutput(stack, 'Issuer', { value: stack.auth.issuer });
  const client = stack.node
    .findAll()
    .find((child) => CfnResource.isCfnResource(child) && child.cfnResourceType === 'Custom::McpOidcAuthClient');
  clientRegistration = stack.getLogicalId(client as CfnResource);
  app.synth();
}

let local: LocalStack;
beforeAll(async () => {
  local = await startLocalApp(synthesize);
});
afterAll(() => local?.[Symbol.asyncDispose]());

const post = (path: string, params: Record<string, string>) =>
  fetch(new URL(path, local.issuer), {
    method: 'POST',
    body: new URLSearchParams({ client_id: CLIENT_ID, ...params }),
  });

async function signIn(resource: string): Promise<Record<string, string>> {
  const codeVerifier = randomBytes(32).toString('base64url');
  const url = new URL('/authorize', local.issuer);
  url.search = new URLSearchParams({
    response_type: 'code',
    client_id: CLIENT_ID,
    redirect_uri: REDIRECT_URI,
    resource,
    scope: 'notes:use notes:read',
    code_challenge: createHash('sha256').update(codeVerifier).digest('base64url'),
    code_challenge_method: 'S256',
  }).toString();
  const answer = await new Person(local, local.identityProvider.users[0]!).authorize(url, REDIRECT_URI);
  const response = await post('/token', {
    grant_type: 'authorization_code',
    code: answer.get('code') ?? '',
    redirect_uri: REDIRECT_URI,
    code_verifier: codeVerifier,
  });
  expect(response.status).toBe(200);
  return response.json() as Promise<Record<string, string>>;
}

test('every permission of every role is used, and none is lacking', { timeout: 60_000 }, async () => {
  const { stack } = local;
  const httpOrigin = Object.entries(stack.origins).find(([id]) => id.startsWith('HttpApi'))?.[1];
  for (const [resource, url] of [
    ['https://mcp.example.com/v1/mcp', `${stack.mcpOrigin}/prod/v1/mcp`],
    ['https://mcp2.example.com/v1/mcp', `${httpOrigin}/v1/mcp`],
  ] as const) {
    const tokens = await signIn(resource);
    const call = await fetch(url, { headers: { authorization: `Bearer ${tokens.access_token}` } });
    expect(call.status, url).toBe(204);
    const refreshed = await post('/token', { grant_type: 'refresh_token', refresh_token: tokens.refresh_token! });
    expect(refreshed.status).toBe(200);
    const revoked = await post('/revoke', { token: tokens.refresh_token! });
    expect(revoked.status).toBe(200);
  }
  const metadata = await fetch(`${httpOrigin}/.well-known/oauth-protected-resource/v1/mcp`);
  expect(metadata.status).toBe(200);
  const keySet = stack.arns.find((arn) => arn.includes('AuthKeySetResource'));
  await stack.secrets.rotate(keySet!);
  await stack.deleteCustomResource(clientRegistration);

  const denied = stack.calls.filter(({ allowed }) => !allowed);
  expect(denied).toEqual([]);
  const uses = usesOf(stack.roleStatements(), stack.arns);
  expect(new Set(uses.map(({ role }) => role.replace(/Role[0-9A-F]{8}$/, '')))).toEqual(
    new Set([
      'AuthOnDeploy',
      'AuthKeyRotationFunction',
      'AuthProvider',
      'HttpApiMcpOidcAuthAuthorizerFunction',
      'HttpApiMcpOidcAuthMetadataFunction',
      'RestApiMcpOidcAuthAuthorizerFunction',
      'Server',
    ]),
  );
  expect(report([{ uses, denied: [] }]).problems).toEqual([]);
});
