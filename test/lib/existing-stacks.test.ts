import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { App, Stack } from 'aws-cdk-lib';
import { Template } from 'aws-cdk-lib/assertions';
import {
  AuthorizationType,
  HttpIntegration,
  LambdaIntegration,
  RestApi,
  TokenAuthorizer,
} from 'aws-cdk-lib/aws-apigateway';
import { HttpApi, HttpMethod } from 'aws-cdk-lib/aws-apigatewayv2';
import { HttpLambdaIntegration } from 'aws-cdk-lib/aws-apigatewayv2-integrations';
import { Certificate, CertificateValidation } from 'aws-cdk-lib/aws-certificatemanager';
import { SecurityGroup, SubnetType, Vpc } from 'aws-cdk-lib/aws-ec2';
import { ManagedPolicy, PermissionsBoundary } from 'aws-cdk-lib/aws-iam';
import { ARecord, HostedZone, RecordTarget } from 'aws-cdk-lib/aws-route53';
import { ApiGateway } from 'aws-cdk-lib/aws-route53-targets';
import { McpOidcAuth } from 'mcp-oidc-auth';
import { beforeAll, describe, expect, test } from 'vitest';
import { metadataUrl } from '../../lambda/authorizer/bearer-error';
import { checkResources } from '../../local/resources/check';
import { loadAssembly } from '../../local/template/assembly';
import { dependencyCycle } from './dependency-cycle';
import { methods } from './rest-template';
import {
  configOf,
  idOf,
  mcpServer,
  newAuth,
  newStack,
  ofType,
  permissionsOf,
  type Resource,
  resources,
  SCOPES,
  text,
  upstream,
} from './synth';

const ROOT = join(__dirname, '..', '..');
const docs = readFileSync(join(ROOT, 'docs', 'existing-stacks.md'), 'utf8');

/** What docs/existing-stacks.md shows below a heading. */
function shownBelow(heading: string): string {
  const section = docs.split(/^## /m).find((each) => each.startsWith(`${heading}\n`)) ?? '';
  const [, code] = /```ts\n(.*?)```/s.exec(section) ?? [];
  if (code === undefined) throw new Error(`No code below ${heading}`);
  return code;
}

/** Runs it in a stack that has what it takes for granted. */
function run(heading: string, stack: Stack, given: Record<string, unknown> = {}): void {
  const names = {
    stack,
    scopes: SCOPES,
    integration: new HttpIntegration('https://backend.example.com'),
    ...{ ApiGateway, ARecord, Certificate, CertificateValidation, HostedZone, ManagedPolicy, McpOidcAuth },
    ...{ PermissionsBoundary, RecordTarget, RestApi, SubnetType },
    ...given,
  };
  new Function(...Object.keys(names), `{ ${shownBelow(heading)} }`)(...Object.values(names));
}

/** What a stack had before must be there afterwards, as it was; except for deployments, which are made anew. */
function expectUntouched(before: Record<string, Resource>, after: Record<string, Resource>): void {
  const withoutDeployments = (all: Record<string, Resource>) =>
    Object.entries(all).filter(
      ([, { Type }]) => !['AWS::ApiGateway::Deployment', 'AWS::ApiGateway::Stage'].includes(Type),
    );
  expect(Object.fromEntries(withoutDeployments(after))).toMatchObject(Object.fromEntries(withoutDeployments(before)));
}

function existingRestApi(stack: Stack): RestApi {
  const handler = mcpServer(stack);
  const api = new RestApi(stack, 'Api', { defaultCorsPreflightOptions: { allowOrigins: ['https://example.com'] } });
  api.root.addMethod('GET', new LambdaIntegration(handler));
  const authorizer = new TokenAuthorizer(stack, 'OwnAuthorizer', { handler });
  const items = api.root.addResource('items');
  items.addMethod('GET', new LambdaIntegration(handler), { authorizer });
  items.addResource('{id}').addMethod('ANY', new LambdaIntegration(handler), {
    authorizationType: AuthorizationType.IAM,
  });
  return api;
}

describe('an app that has a REST API', () => {
  test('keeps it as it was beside the MCP server', () => {
    const before = newStack();
    existingRestApi(before);
    const after = newStack();
    const api = existingRestApi(after);
    newAuth(after).protectRestApi(api, { integration: new HttpIntegration('https://mcp.example.com'), scopes: SCOPES });
    expectUntouched(resources(before), resources(after));
    expect(dependencyCycle(Template.fromStack(after).toJSON() as never)).toBeUndefined();
    expect([...methods(after).keys()]).toEqual(expect.arrayContaining(['GET /items', 'POST /mcp']));
  });

  test('may put methods of its own behind the same authorizer', () => {
    const stack = newStack();
    const api = existingRestApi(stack);
    run('APIs', stack, { api, auth: newAuth(stack), exporting: new HttpIntegration('https://backend.example.com') });
    const authorizer = { Ref: idOf(stack, 'AWS::ApiGateway::Authorizer', 'ApiMcpOidcAuth') };
    expect(methods(stack).get('GET /export')).toMatchObject({ AuthorizationType: 'CUSTOM', AuthorizerId: authorizer });
  });
});

test('an app that has an HTTP API keeps it as it was beside the MCP server', () => {
  const existing = (stack: Stack) => {
    const api = new HttpApi(stack, 'Api', { corsPreflight: { allowOrigins: ['https://example.com'] } });
    const integration = new HttpLambdaIntegration('Own', mcpServer(stack));
    api.addRoutes({ path: '/items', methods: [HttpMethod.GET], integration });
    api.addRoutes({ path: '/{proxy+}', methods: [HttpMethod.ANY], integration });
    return { api, integration };
  };
  const before = newStack();
  existing(before);
  const after = newStack();
  const { api, integration } = existing(after);
  newAuth(after).protectHttpApi(api, { integration, scopes: SCOPES });
  expectUntouched(resources(before), resources(after));
  expect(dependencyCycle(Template.fromStack(after).toJSON() as never)).toBeUndefined();
});

test('an app that has a hosted zone gives both sides a name in it', () => {
  const stack = newStack();
  run('A custom domain and a hosted zone', stack, { upstream: upstream(stack) });
  const records = ofType(stack, 'AWS::Route53::RecordSet').map(([, { Properties }]) => Properties.Name);
  expect(records.sort()).toEqual(['auth.example.com.', 'mcp.example.com.']);
  expect(configOf(stack, 'ApiMcpOidcAuthAuthorizerFunction')).toMatchObject({
    issuer: 'https://auth.example.com',
    audience: 'https://mcp.example.com/mcp',
  });
  expect(dependencyCycle(Template.fromStack(stack).toJSON() as never)).toBeUndefined();
});

describe('an app that has a VPC', () => {
  const network = (stack: Stack) =>
    Vpc.fromVpcAttributes(stack, 'Vpc', {
      vpcId: 'vpc-1',
      availabilityZones: ['eu-west-1a', 'eu-west-1b'],
      privateSubnetIds: ['subnet-1', 'subnet-2'],
    });

  test('puts the provider function into it, which then may have network interfaces; no other function', () => {
    const stack = newStack();
    run('A VPC', stack, { vpc: network(stack), upstream: upstream(stack) });
    const inside = ofType(stack, 'AWS::Lambda::Function').filter(([, { Properties }]) => Properties.VpcConfig);
    expect(inside.map(([, { Properties }]) => Properties.VpcConfig)).toEqual([
      {
        SubnetIds: ['subnet-1', 'subnet-2'],
        SecurityGroupIds: [{ 'Fn::GetAtt': [idOf(stack, 'AWS::EC2::SecurityGroup'), 'GroupId'] }],
      },
    ]);
    expect(inside[0]?.[0]).toMatch(/^AuthProvider[0-9A-F]{8}$/);
    const allowed = (role: string) => permissionsOf(stack, role).filter((line) => line.includes('ec2:'));
    expect(allowed('AuthProviderRole')).toEqual([
      'Allow ec2:AssignPrivateIpAddresses on *',
      'Allow ec2:CreateNetworkInterface on *',
      'Allow ec2:DeleteNetworkInterface on *',
      'Allow ec2:DescribeNetworkInterfaces on *',
      'Allow ec2:DescribeSubnets on *',
      'Allow ec2:UnassignPrivateIpAddresses on *',
    ]);
    expect(allowed('AuthOnDeployRole')).toEqual([]);
    // Lambda looks for them when it makes the function.
    expect(inside[0]?.[1].DependsOn).toContain(idOf(stack, 'AWS::IAM::Policy', 'AuthProviderRole'));
    expect(dependencyCycle(Template.fromStack(stack).toJSON() as never)).toBeUndefined();
  });

  test('allows none of it outside a VPC', () => {
    const stack = newStack();
    newAuth(stack);
    expect(permissionsOf(stack, 'AuthProviderRole').join()).not.toContain('ec2:');
  });

  test('may have security groups of its own', () => {
    const stack = newStack();
    const vpc = network(stack);
    const securityGroups = [SecurityGroup.fromSecurityGroupId(stack, 'Egress', 'sg-1')];
    newAuth(stack, { functionOptions: { vpc, securityGroups } });
    const [provider] = ofType(stack, 'AWS::Lambda::Function').filter(([, { Properties }]) => Properties.VpcConfig);
    expect(provider?.[1].Properties.VpcConfig.SecurityGroupIds).toEqual(['sg-1']);
  });

  test('is told that subnets and security groups are of a VPC', () => {
    for (const functionOptions of [{ vpcSubnets: {} }, { securityGroups: [] }]) {
      expect(() => newAuth(newStack(), { functionOptions })).toThrow(
        'McpOidcAuth: functionOptions must have vpc where they have vpcSubnets or securityGroups, which are in it.',
      );
    }
  });

  test('runs on a machine without one', () => {
    const directory = mkdtempSync(join(tmpdir(), 'mcp-oidc-auth-vpc-'));
    const stack = new Stack(new App({ outdir: directory }), 'Stack');
    newAuth(stack, { functionOptions: { vpc: network(stack) } });
    PermissionsBoundary.of(stack).apply(ManagedPolicy.fromManagedPolicyName(stack, 'Boundary', 'developers'));
    (stack.node.root as App).synth();
    for (const assembled of loadAssembly(directory)) expect(() => checkResources(assembled)).not.toThrow();
    rmSync(directory, { recursive: true });
  });
});

test('a permissions boundary holds for every role', () => {
  const stack = newStack();
  newAuth(stack).protectRestApi(existingRestApi(stack), {
    integration: new HttpIntegration('https://mcp.example.com'),
    scopes: SCOPES,
  });
  run('Permissions boundaries', stack);
  const roles = ofType(stack, 'AWS::IAM::Role');
  expect(roles.length).toBeGreaterThanOrEqual(4);
  for (const [id, { Properties }] of roles) {
    expect(JSON.stringify(Properties.PermissionsBoundary), id).toContain(':policy/developers');
  }
});

test('two authorization servers share a stack and nothing else', () => {
  const stack = newStack();
  for (const id of ['Employees', 'Customers']) {
    const api = new RestApi(stack, `${id}Api`);
    const auth = new McpOidcAuth(stack, id, { upstream: upstream(new Stack(stack, `${id}Secret`)) });
    auth.protectRestApi(api, { integration: new HttpIntegration('https://mcp.example.com'), scopes: SCOPES });
  }
  const all = resources(stack);
  const referring = Object.entries(all).filter(
    ([id, resource]) => id.startsWith('Employees') && JSON.stringify(resource).includes('"Customers'),
  );
  expect(referring).toEqual([]);
  expect(configOf(stack, 'EmployeesApiMcpOidcAuthAuthorizerFunction').issuer).toMatch(/<Employees.*ApiEndpoint>/);
  expect(configOf(stack, 'CustomersApiMcpOidcAuthAuthorizerFunction').issuer).toMatch(/<Customers.*ApiEndpoint>/);
  expect(dependencyCycle(Template.fromStack(stack).toJSON() as never)).toBeUndefined();
});

test('two apps name each other', () => {
  const [authStack, stack] = [new Stack(new App(), 'Auth'), newStack()];
  const certificate = Certificate.fromCertificateArn(
    authStack,
    'Certificate',
    'arn:aws:acm:eu-west-1:111122223333:certificate/a',
  );
  run('MCP servers in other stacks and apps', stack, {
    authStack,
    certificate,
    upstream: upstream(authStack),
    api: new RestApi(stack, 'Api'),
  });
  const [[, registration]] = ofType(authStack, 'Custom::McpOidcAuthProtectedResource') as [[string, Resource]];
  const { audience, issuer } = configOf(stack, 'ApiMcpOidcAuthAuthorizerFunction');
  expect(JSON.parse(text(registration.Properties.Resource)).identifier).toBe(audience);
  expect(configOf(authStack, 'AuthProvider').issuer).toBe(issuer);
});

describe('the examples', () => {
  test('in docs/existing-stacks.md are files that are checked and run', () => {
    const shown = [...docs.matchAll(/<!-- (\S+\.ts) -->\n```ts\n(.*?)```/gs)];
    expect(shown.map(([, file]) => file)).toEqual([
      'examples/agentcore-gateway.ts',
      'examples/load-balancer.ts',
      'examples/container-server.ts',
    ]);
    for (const [, file = '', code] of shown) expect(code).toBe(readFileSync(join(ROOT, file), 'utf8'));
  });

  /** Synthesizes the compiled example. */
  function synthesize(example: string, stack: string): { Resources: Record<string, Resource>; warnings: string[] } {
    const out = mkdtempSync(join(tmpdir(), 'mcp-oidc-auth-example-'));
    execFileSync(process.execPath, [`dist/examples/${example}.js`], {
      cwd: ROOT,
      env: { PATH: process.env.PATH, CDK_OUTDIR: out },
      stdio: 'ignore',
    });
    const read = (file: string) => JSON.parse(readFileSync(join(out, `${stack}.${file}.json`), 'utf8'));
    const template = read('template');
    const said: { type: string; data: string }[] = Object.values<never>(read('metadata')).flat();
    rmSync(out, { recursive: true });
    return { ...template, warnings: said.filter(({ type }) => type === 'aws:cdk:warning').map(({ data }) => data) };
  }
  const only = ({ Resources }: { Resources: Record<string, Resource> }, type: string) => {
    const found = Object.entries(Resources).filter(([, { Type }]) => Type === type);
    expect(found).toHaveLength(1);
    return found[0]!;
  };

  test('a Bedrock AgentCore Gateway finds the keys, and its own URL is the resource', () => {
    const template = synthesize('agentcore-gateway', 'AgentCore');
    const [gateway, { Properties }] = only(template, 'AWS::BedrockAgentCore::Gateway');
    const [api] = only(template, 'AWS::ApiGatewayV2::Api');
    expect(Properties.AuthorizerType).toBe('CUSTOM_JWT');
    const { DiscoveryUrl, AllowedScopes } = Properties.AuthorizerConfiguration.CustomJWTAuthorizer;
    expect(text(DiscoveryUrl)).toBe(`<${api}.ApiEndpoint>/.well-known/openid-configuration`);
    const [, registration] = only(template, 'Custom::McpOidcAuthProtectedResource');
    const { identifier, scopes } = JSON.parse(text(registration.Properties.Resource));
    expect(identifier).toBe(`<${gateway}.GatewayUrl>`);
    expect(scopes.map(({ name }: { name: string }) => name)).toEqual(AllowedScopes);
    expect(dependencyCycle(template)).toBeUndefined();
  });

  describe('a container behind a load balancer', () => {
    let template: ReturnType<typeof synthesize>;
    let identifier: string;
    beforeAll(() => {
      template = synthesize('load-balancer', 'LoadBalancer');
      const [, registration] = only(template, 'Custom::McpOidcAuthProtectedResource');
      ({ identifier } = JSON.parse(text(registration.Properties.Resource)));
    });

    test('knows the issuer and its own URL', () => {
      const [, { Properties }] = only(template, 'AWS::ECS::TaskDefinition');
      const [api] = only(template, 'AWS::ApiGatewayV2::Api');
      const environment = Object.fromEntries(
        Properties.ContainerDefinitions[0].Environment.map(({ Name, Value }: { Name: string; Value: unknown }) => [
          Name,
          text(Value),
        ]),
      );
      expect(environment).toMatchObject({ ISSUER: `<${api}.ApiEndpoint>`, MCP_URL: identifier });
      expect(dependencyCycle(template)).toBeUndefined();
    });

    test('is asked for its health where it answers without a token', () => {
      const [, { Properties }] = only(template, 'AWS::ElasticLoadBalancingV2::TargetGroup');
      // test/examples/container-server.test.ts: 200.
      expect(Properties.HealthCheckPath).toBe('/.well-known/oauth-protected-resource/mcp');
      expect(Properties.HealthCheckPath).toBe(new URL(metadataUrl(identifier)).pathname);
    });

    test('has an image that it may pull, and CDK has nothing to warn of', () => {
      expect(template.warnings).toEqual([]);
      const [image, ...others] = Object.values(template.Resources).filter(
        ({ Type, Properties }) =>
          Type === 'AWS::IAM::Policy' && JSON.stringify(Properties.PolicyDocument).includes('ecr:BatchGetImage'),
      );
      expect(others).toEqual([]);
      expect(JSON.stringify(image?.Properties.PolicyDocument)).toContain(':repository/reports');
    });
  });
});

describe('addResource', () => {
  test('registers from the stack that the resource is in', () => {
    const app = new App();
    const [authStack, stack] = [new Stack(app, 'Auth'), new Stack(app, 'Mcp')];
    const auth = newAuth(authStack);
    auth.addResource(stack, 'Registration', { identifier: 'https://mcp.example.com', scopes: SCOPES });
    expect(ofType(stack, 'Custom::McpOidcAuthProtectedResource')).toHaveLength(1);
    expect(ofType(authStack, 'Custom::McpOidcAuthProtectedResource')).toEqual([]);
    expect(authStack.dependencies).toEqual([]);
  });

  test('holds to the rules of resources', () => {
    const stack = newStack();
    const auth = newAuth(stack, { resources: [{ identifier: 'https://mcp.example.com', scopes: SCOPES }] });
    expect(() => auth.addResource(stack, 'Again', { identifier: 'https://mcp.example.com/', scopes: SCOPES })).toThrow(
      'resources must have identifiers that differ in more than slashes at their end',
    );
  });
});
