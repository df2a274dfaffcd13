import { App, Stack } from 'aws-cdk-lib';
import { Template } from 'aws-cdk-lib/assertions';
import { CfnGatewayResponse, type RestApi } from 'aws-cdk-lib/aws-apigateway';
import { HttpApi } from 'aws-cdk-lib/aws-apigatewayv2';
import { HttpLambdaIntegration } from 'aws-cdk-lib/aws-apigatewayv2-integrations';
import type { McpOidcAuth } from 'mcp-oidc-auth';
import { describe, expect, test } from 'vitest';
import { dependencyCycle } from './dependency-cycle';
import { FEATURE_FLAGS } from './feature-flags';
import { configOf, mcpServer, newAuth, ofType, resources, restApi, SCOPES, text } from './synth';

/** One authorization server with 50 resources of its own, and two MCP servers in stacks of theirs. */
function threeStacks(context: Record<string, unknown>) {
  const app = new App({ context });
  const authStack = new Stack(app, 'AuthStack');
  const auth = newAuth(authStack, {
    resources: Array.from({ length: 50 }, (_, index) => ({
      identifier: `https://mcp${index}.example.com/mcp`,
      scopes: SCOPES,
    })),
  });
  const restStack = new Stack(app, 'RestStack');
  const { api, integration } = restApi(restStack);
  auth.protectRestApi(api, { integration, scopes: SCOPES });
  const httpStack = new Stack(app, 'HttpStack');
  auth.protectHttpApi(new HttpApi(httpStack, 'Api'), {
    integration: new HttpLambdaIntegration('Server', mcpServer(httpStack)),
    scopes: SCOPES,
  });
  return { authStack, restStack, httpStack };
}

describe.each(FEATURE_FLAGS)('one authorization server, two MCP stacks and 50 resources with %s', (_, context) => {
  const { authStack, restStack, httpStack } = threeStacks(context);

  test('synthesize without a cycle, each resource registered from its own stack', () => {
    for (const [stack, registered] of [
      [authStack, 50],
      [restStack, 1],
      [httpStack, 1],
    ] as const) {
      expect(dependencyCycle(Template.fromStack(stack).toJSON() as never)).toBeUndefined();
      expect(ofType(stack, 'Custom::McpOidcAuthProtectedResource')).toHaveLength(registered);
    }
    expect(authStack.dependencies).toEqual([]);
  });

  test('let the MCP stacks know the issuer and the function that registers', () => {
    for (const stack of [restStack, httpStack]) {
      expect(configOf(stack, 'ApiMcpOidcAuthAuthorizerFunction').issuer).toMatch(/^<(import|output) .*ApiEndpoint/);
      const [[, registration]] = ofType(stack, 'Custom::McpOidcAuthProtectedResource') as [[string, never]];
      expect(text((registration as { Properties: Record<string, unknown> }).Properties.ServiceToken)).toMatch(
        /^<(import|output) .*OnDeploy/,
      );
    }
  });

  test('give each function its permissions before it can be called', () => {
    for (const stack of [authStack, restStack, httpStack]) {
      const all = resources(stack);
      const ours = ofType(stack, 'AWS::Lambda::Function').filter(
        ([, fn]) => fn.Properties.Environment?.Variables.CONFIG,
      );
      expect(ours.length).toBeGreaterThan(0);
      for (const [, fn] of ours) {
        const role = fn.Properties.Role['Fn::GetAtt'][0];
        const policies = ofType(stack, 'AWS::IAM::Policy').filter(([, { Properties }]) =>
          Properties.Roles.some((attached: { Ref: string }) => attached.Ref === role),
        );
        expect(policies).toHaveLength(1);
        expect(fn.DependsOn).toContain(policies[0]?.[0]);
        expect(all[role]?.Properties.ManagedPolicyArns).toBeUndefined();
      }
    }
  });

  test('leave room in the environment of every function', () => {
    for (const stack of [authStack, restStack, httpStack]) {
      for (const [, fn] of ofType(stack, 'AWS::Lambda::Function')) {
        const config = fn.Properties.Environment?.Variables.CONFIG;
        expect(config === undefined ? 0 : text(config).length).toBeLessThan(2048);
      }
    }
  });
});

/** An MCP server with its RestApi, which has the same name in every stack of this shape. */
class McpStack extends Stack {
  readonly api: RestApi;

  constructor(scope: App, id: string, auth?: McpOidcAuth) {
    super(scope, id);
    const { api, integration } = restApi(this);
    this.api = api;
    (auth ?? newAuth(this)).protectRestApi(api, { integration, scopes: SCOPES });
  }
}

describe('stacks of the same shape in one app', () => {
  const challenges = (stack: Stack) => ofType(stack, 'AWS::ApiGateway::GatewayResponse').length;

  test('may be one stack twice, for development and production', () => {
    const app = new App();
    const stacks = [new McpStack(app, 'Dev'), new McpStack(app, 'Prod')];
    expect(stacks.map(challenges)).toEqual([4, 4]);
  });

  test('may be two MCP servers of one authorization server', () => {
    const app = new App();
    const auth = newAuth(new Stack(app, 'AuthStack'));
    const stacks = [new McpStack(app, 'Notes', auth), new McpStack(app, 'Reports', auth)];
    expect(stacks.map(challenges)).toEqual([4, 4]);
  });

  test('cannot have each other’s challenges', () => {
    const app = new App();
    const { api } = new McpStack(app, 'Notes');
    const elsewhere = new Stack(app, 'Elsewhere');
    new CfnGatewayResponse(elsewhere, 'Own', { restApiId: api.restApiId, responseType: 'UNAUTHORIZED' });
    expect(() => app.synth()).toThrow(
      'McpOidcAuth: Notes/Api must leave UNAUTHORIZED responses to protectRestApi, got one at Elsewhere/Own.',
    );
  });
});

describe('an API in another environment than its authorization server', () => {
  const env = { account: '111122223333', region: 'eu-west-1' };

  test.each([
    { ...env, region: 'us-east-1' },
    { ...env, account: '999999999999' },
  ])('is refused in %o, and told where to turn to', (other) => {
    const app = new App();
    const auth = newAuth(new Stack(app, 'AuthStack', { env }));
    const stack = new Stack(app, 'McpStack', { env: other });
    const { api, integration } = restApi(stack);
    const message =
      'McpOidcAuth: protectRestApi, protectHttpApi, addResource and grantUpstreamTokens need a stack or a function in the account and region of McpOidcAuth, 111122223333 and eu-west-1, ' +
      `got ${other.account} and ${other.region}. Elsewhere use McpOidcAuth.fromIssuer, and name the resource in 'resources' here.`;
    expect(() => auth.protectRestApi(api, { integration, scopes: SCOPES })).toThrow(message);
    const httpApi = new HttpApi(stack, 'HttpApi');
    const httpIntegration = new HttpLambdaIntegration('Server', mcpServer(new Stack(app, 'Server', { env: other })));
    expect(() => auth.protectHttpApi(httpApi, { integration: httpIntegration, scopes: SCOPES })).toThrow(message);
  });

  test('is not refused where nobody knows the environments', () => {
    const app = new App();
    const auth = newAuth(new Stack(app, 'AuthStack'));
    expect(() => new McpStack(app, 'McpStack', auth)).not.toThrow();
  });
});

describe('the search for cycles', () => {
  const fn = { Type: 'AWS::Lambda::Function' };

  test.each<[string, Record<string, object>]>([
    ['Ref', { A: { ...fn, Properties: { X: [{ Ref: 'B' }] } }, B: { ...fn, DependsOn: 'A' } }],
    ['Fn::GetAtt', { A: { ...fn, Properties: { X: { 'Fn::GetAtt': ['B', 'Arn'] } } }, B: { ...fn, DependsOn: ['A'] } }],
    [
      'Fn::Sub',
      { A: { ...fn, Properties: { X: { 'Fn::Sub': 'arn:\u0024{B.Arn}' } } }, B: { ...fn, Properties: { Ref: 'A' } } },
    ],
  ])('finds one through %s', (_, Resources) => {
    expect(dependencyCycle({ Resources })).toEqual(['A', 'B', 'A']);
  });

  test('finds none in a chain', () => {
    expect(
      dependencyCycle({ Resources: { A: { DependsOn: ['B', 'C'] }, B: { DependsOn: 'C' }, C: {} } }),
    ).toBeUndefined();
  });
});
