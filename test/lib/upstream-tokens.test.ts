import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { App, Stack } from 'aws-cdk-lib';
import { Template } from 'aws-cdk-lib/assertions';
import { LambdaIntegration, RestApi } from 'aws-cdk-lib/aws-apigateway';
import { describe, expect, test } from 'vitest';
import { dependencyCycle } from './dependency-cycle';
import {
  mcpServer,
  newAuth,
  newStack,
  ofType,
  permissionsOf,
  type Resource,
  resources,
  restApi,
  SCOPES,
  text,
} from './synth';

const URL = 'https://mcp.example.com/mcp';
const OTHER = 'https://other.example.com/mcp';
const resource = (identifier: string, upstreamTokens?: boolean) => ({ identifier, scopes: SCOPES, upstreamTokens });

const registered = (stack: Stack) =>
  ofType(stack, 'Custom::McpOidcAuthResourceServer').map(([, { Properties }]) => ({
    ...JSON.parse(text(Properties.ResourceServer)),
    secret: text(Properties.Secret),
  }));

/** The one resource of a type whose logical id begins so. */
function only(stack: Stack, type: string, id: string | RegExp = ''): [string, Resource] {
  const found = ofType(stack, type).filter(([logicalId]) =>
    typeof id === 'string' ? logicalId.startsWith(id) : id.test(logicalId),
  );
  expect(found).toHaveLength(1);
  return found[0]!;
}

describe('a resource', () => {
  test.each([
    [true, true],
    [false, undefined],
    [undefined, undefined],
  ])('with upstreamTokens: %s is registered with %s', (given, recorded) => {
    const stack = newStack();
    newAuth(stack, { resources: [resource(URL, given)] });
    const [, { Properties }] = only(stack, 'Custom::McpOidcAuthProtectedResource');
    expect(JSON.parse(text(Properties.Resource)).upstreamTokens).toBe(recorded);
  });
});

describe('grantUpstreamTokens', () => {
  function granted() {
    const stack = newStack();
    const auth = newAuth(stack, { resources: [resource(OTHER)] });
    const { api, integration } = restApi(stack);
    const protectedApi = auth.protectRestApi(api, { integration, scopes: SCOPES, upstreamTokens: true });
    const server = stack.node.findChild('Server') as ReturnType<typeof mcpServer>;
    return { stack, auth, server, protectedApi, grant: auth.grantUpstreamTokens(server) };
  }

  test('makes a secret that the template does not have, and registers who has it', () => {
    const { stack, protectedApi } = granted();
    const [secretId, secret] = only(stack, 'AWS::SecretsManager::Secret', 'Server');
    const { GenerateSecretString, SecretString } = secret.Properties;
    expect(SecretString).toBeUndefined();
    expect(GenerateSecretString).toMatchObject({ GenerateStringKey: 'client_secret', PasswordLength: 64 });
    const [server, ...more] = registered(stack);
    expect(more).toEqual([]);
    expect(JSON.parse(String(GenerateSecretString.SecretStringTemplate))).toEqual({ client_id: server.clientId });
    expect(server).toEqual({
      clientId: expect.stringMatching(/^resource-server-[0-9a-f]{42}$/),
      name: 'Stack/Server',
      resources: [text(stack.resolve(protectedApi.identifier))],
      secret: `<${secretId}>`,
    });
  });

  test('lets the function and the one behind the custom resources read that secret, and nothing else', () => {
    const { stack, grant } = granted();
    const [secretId] = only(stack, 'AWS::SecretsManager::Secret', 'Server');
    grant.assertSuccess();
    expect(permissionsOf(stack, 'ServerServiceRole')).toEqual([`Allow secretsmanager:GetSecretValue on <${secretId}>`]);
    const onDeploy = permissionsOf(stack, 'AuthOnDeployRole').filter((line) => line.includes(`<${secretId}>`));
    expect(onDeploy).toEqual([`Allow secretsmanager:GetSecretValue on <${secretId}>`]);
    const [, registration] = only(stack, 'Custom::McpOidcAuthResourceServer');
    expect(registration.DependsOn).toEqual([expect.stringMatching(/ReadByOnDeploy/)]);
  });

  test('tells the function where to ask, and which secret it has', () => {
    const { stack, auth } = granted();
    const [, server] = only(stack, 'AWS::Lambda::Function', /^Server[0-9A-F]{8}$/);
    const { Variables } = server.Properties.Environment;
    expect(text(Variables.MCP_UPSTREAM_TOKEN_ENDPOINT)).toBe(`${text(stack.resolve(auth.issuer))}/token`);
    expect(text(Variables.MCP_UPSTREAM_TOKEN_SECRET_ARN)).toMatch(/^<Server.*Secret/);
  });

  test('is used as docs/upstream-tokens.md shows it', () => {
    const text = readFileSync(join(__dirname, '../../docs/upstream-tokens.md'), 'utf8');
    const [, code = ''] = /```ts\n(auth\.protectRestApi.*?)```/s.exec(text) ?? [];
    const stack = newStack();
    const [auth, server] = [newAuth(stack), mcpServer(stack)];
    const run = new Function('auth', 'api', 'server', 'LambdaIntegration', code);
    run(auth, new RestApi(stack, 'Api'), server, LambdaIntegration);
    expect(registered(stack)).toHaveLength(1);
  });

  test('makes another secret and another client of another name', () => {
    const one = newStack();
    const server = mcpServer(one);
    newAuth(one, { resources: [resource(URL, true)] }).grantUpstreamTokens(server, { credential: 'Second' });
    const { stack } = granted();
    expect(registered(one)[0].clientId).not.toBe(registered(stack)[0].clientId);
    expect(registered(one)[0]).toMatchObject({ resources: [URL], secret: expect.stringContaining('Second') });
  });

  test('works across stacks, without a cycle among stacks or resources', () => {
    const app = new App();
    const authStack = new Stack(app, 'AuthStack');
    const auth = newAuth(authStack);
    const mcpStack = new Stack(app, 'McpStack');
    const server = mcpServer(mcpStack);
    auth.protectRestApi(new RestApi(mcpStack, 'Api'), {
      integration: new LambdaIntegration(server),
      scopes: SCOPES,
      upstreamTokens: true,
    });
    auth.grantUpstreamTokens(server);
    app.synth();
    for (const stack of [authStack, mcpStack]) {
      expect(dependencyCycle(Template.fromStack(stack).toJSON() as never)).toBeUndefined();
    }
    expect(Object.values(resources(authStack)).map(({ Type }) => Type)).not.toContain(
      'Custom::McpOidcAuthResourceServer',
    );
    expect(registered(mcpStack)).toHaveLength(1);
  });

  test.each<[string, (auth: ReturnType<typeof newAuth>, server: ReturnType<typeof mcpServer>) => void, string]>([
    [
      'no resource has upstream tokens',
      (auth, server) => auth.grantUpstreamTokens(server),
      'grantUpstreamTokens needs a protected resource with upstreamTokens: true',
    ],
    [
      'the named one has none',
      (auth, server) => auth.grantUpstreamTokens(server, { resource: 'https://plain.example.com/mcp' }),
      'got https://plain.example.com/mcp.',
    ],
  ])('is refused where %s', (_, grant, message) => {
    const stack = newStack();
    const auth = newAuth(stack, { resources: [resource('https://plain.example.com/mcp')] });
    expect(() => grant(auth, mcpServer(stack))).toThrow(message);
  });

  test('wants to know which of several resources is meant, and serves one for each function', () => {
    const stack = newStack();
    const auth = newAuth(stack, { resources: [resource(URL, true), resource(OTHER, true)] });
    const server = mcpServer(stack);
    expect(() => auth.grantUpstreamTokens(server)).toThrow(`one of ${URL}, ${OTHER}.`);
    auth.grantUpstreamTokens(server, { resource: OTHER });
    expect(registered(stack)).toEqual([expect.objectContaining({ resources: [OTHER] })]);
    expect(() => auth.grantUpstreamTokens(server, { resource: URL })).toThrow(
      'Stack/Server must get upstream tokens for one protected resource.',
    );
  });
});
