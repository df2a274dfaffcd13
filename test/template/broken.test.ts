import { mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { App } from 'aws-cdk-lib';
import { beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import { type RunningStack, startStack } from '../../local/start';
import { serverRoutes } from '../lambda/provider/engine-routes';
import { report } from '../permissions/report';
import { usesOf } from '../permissions/uses';
import { exampleStack, FLAGS } from './variants';

// biome-ignore lint/suspicious/noExplicitAny: what is broken in a template is of no type
type Resources = Record<string, any>;

/** The template of the example, and the rest of its assembly. */
let synthesized: { readonly directory: string; readonly template: string };
beforeAll(async () => {
  const app = new App({ context: { ...FLAGS } });
  await exampleStack(app);
  const { directory } = app.synth();
  const template = readFileSync(join(directory, 'McpOidcAuth.template.json'), 'utf8');
  synthesized = { directory, template };
});

/** The example with a mistake in it, deployed on this machine. */
async function deploy(change: (resources: Resources) => void): Promise<{ stack: RunningStack; logs: string[] }> {
  const template = JSON.parse(synthesized.template);
  change(template.Resources);
  writeFileSync(join(synthesized.directory, 'McpOidcAuth.template.json'), JSON.stringify(template));
  const logs: string[] = [];
  const stack = await startStack({
    assembly: synthesized.directory,
    parameters: { UpstreamIssuer: 'https://idp.example', UpstreamClientId: 'mcp', UpstreamSecretName: 'upstream' },
    secrets: { upstream: 'secret' },
    stateDirectory: mkdtempSync(join(tmpdir(), 'broken-')),
    onLog: (functionName, line) => logs.push(`${functionName} ${line}`),
  });
  onTestFinished(() => stack.close());
  return { stack, logs };
}

function find(resources: Resources, prefix: string): Resources[string] {
  const found = Object.keys(resources).filter((id) => new RegExp(`^${prefix}[0-9A-F]{8}$`).test(id));
  if (found.length !== 1) throw new Error(`${found.length} resources are called ${prefix}`);
  return resources[found[0]!];
}

const statements = (resources: Resources, role: string) =>
  find(resources, `${role}RoleDefaultPolicy`).Properties.PolicyDocument.Statement;

function without(resources: Resources, role: string, action: string): void {
  for (const statement of statements(resources, role)) {
    statement.Action = [statement.Action].flat().filter((allowed) => allowed !== action);
  }
}

const discovery = (stack: RunningStack) => fetch(`${stack.issuerOrigin}/.well-known/oauth-authorization-server`);
const denied = (stack: RunningStack) => stack.calls.filter(({ allowed }) => !allowed).map(({ action }) => action);
const problems = (stack: RunningStack) =>
  report([{ uses: usesOf(stack.roleStatements(), stack.arns), denied: [] }]).problems;

test('the same without a mistake answers, and is denied nothing', async () => {
  const { stack, logs } = await deploy(() => {});
  expect((await discovery(stack)).status).toBe(200);
  expect(denied(stack)).toEqual([]);
  expect(logs.join('\n')).not.toMatch(/On AWS|no AWS::Lambda::Permission/);
});

describe('a missing permission is caught', () => {
  test('of a role: the call that needs it is denied', async () => {
    const { stack } = await deploy((all) => without(all, 'AuthProvider', 'dynamodb:Query'));
    expect((await discovery(stack)).status).toBe(503);
    expect(new Set(denied(stack))).toEqual(new Set(['dynamodb:Query']));
  });

  test('of a role that CloudFormation needs: the deployment fails', async () => {
    await expect(deploy((all) => without(all, 'AuthOnDeploy', 'secretsmanager:PutSecretValue'))).rejects.toThrow(
      /not authorized to perform: secretsmanager:PutSecretValue/,
    );
  });

  test('of a role to write its log', async () => {
    const { stack, logs } = await deploy((all) => without(all, 'AuthProvider', 'logs:PutLogEvents'));
    await discovery(stack);
    expect(denied(stack)).toContain('logs:PutLogEvents');
    expect(logs.join('\n')).toContain('On AWS this function would have no log');
  });

  test('of API Gateway to invoke the function', async () => {
    const { stack, logs } = await deploy((all) => {
      for (const [id, { Type }] of Object.entries(all)) {
        if (Type === 'AWS::Lambda::Permission' && id.startsWith('AuthFrontDoor')) delete all[id];
      }
    });
    expect((await discovery(stack)).status).toBe(500);
    expect(logs.join('\n')).toContain('The template has no AWS::Lambda::Permission for this');
  });
});

describe('a permission that is too wide is caught', () => {
  const wider = (statement: object) =>
    deploy((all) => statements(all, 'AuthOnDeploy').push({ Effect: 'Allow', ...statement }));

  test('that no call uses', async () => {
    const { stack } = await wider({ Action: 's3:GetObject', Resource: 'arn:aws:s3:::bucket/key' });
    expect(problems(stack)).toContainEqual(expect.stringMatching(/OnDeploy.* s3:GetObject .* is not used by any call/));
  });

  test('on every table', async () => {
    const { stack } = await wider({
      Action: 'dynamodb:PutItem',
      Resource: 'arn:aws:dynamodb:us-east-1:123456789012:table/*',
    });
    expect(problems(stack)).toContainEqual(
      expect.stringMatching(/PutItem on .*table\/\* has a wildcard that no call needs/),
    );
  });

  test('on every log group', async () => {
    const { stack } = await wider({ Action: 'logs:PutLogEvents', Resource: '*' });
    expect(problems(stack)).toContainEqual(
      expect.stringMatching(/PutLogEvents on \* has a wildcard that no call needs/),
    );
  });

  test('for every action', async () => {
    const { stack } = await wider({ Action: 'secretsmanager:*', Resource: { Ref: 'AuthKeySetResource627368C4' } });
    expect(problems(stack)).toContainEqual(expect.stringMatching(/secretsmanager:\* .* has a wildcard for actions/));
  });

  test('but not the six characters that Secrets Manager adds to a name', async () => {
    const { stack } = await deploy(() => {});
    await discovery(stack);
    expect(problems(stack).join('\n')).not.toContain('wildcard');
  });
});

test('a cyclic reference is caught', async () => {
  const cyclic = deploy((all) => {
    find(all, 'AuthTable').DependsOn = Object.keys(all).filter((id) => id.startsWith('AuthFrontDoorStage'));
  });
  await expect(cyclic).rejects.toThrow(/depend on each other: .*AuthTable.*AuthFrontDoorStage/);
});

describe('a wrong header mapping is caught', () => {
  test('of a challenge without its quotes', async () => {
    const wrong = deploy((all) => {
      const responses = Object.values(all).filter(({ Type }) => Type === 'AWS::ApiGateway::GatewayResponse');
      const { Properties } = responses.find((response) => response.Properties.ResponseType === 'UNAUTHORIZED')!;
      Properties.ResponseParameters['gatewayresponse.header.WWW-Authenticate'] = 'Bearer';
    });
    await expect(wrong).rejects.toThrow(
      'The mapping gatewayresponse.header.WWW-Authenticate: Bearer is not known here',
    );
  });

  test('of a header that the method does not declare', async () => {
    const wrong = deploy((all) => {
      const mock = Object.values(all).find(
        ({ Type, Properties }) =>
          Type === 'AWS::ApiGateway::Method' &&
          Properties.HttpMethod === 'GET' &&
          Properties.Integration.Type === 'MOCK',
      )!;
      mock.Properties.Integration.IntegrationResponses[0].ResponseParameters['method.response.header.Link'] = "'x'";
    });
    await expect(wrong).rejects.toThrow(
      'maps method.response.header.Link, which the method response 200 does not declare',
    );
  });
});

describe('a route that the server has and the API has not is caught', () => {
  async function unrouted(change: (resources: Resources) => void = () => {}): Promise<string[]> {
    const { Resources: resources } = JSON.parse(synthesized.template) as { Resources: Resources };
    change(resources);
    const routed = Object.values(resources)
      .filter(({ Type }) => Type === 'AWS::ApiGatewayV2::Route')
      .map(({ Properties }) => Properties.RouteKey);
    return (await serverRoutes()).filter((route) => !routed.includes(route));
  }

  test('of the example there is none', async () => expect(await unrouted()).toEqual([]));

  test('by its name', async () => {
    const found = await unrouted((all) => {
      for (const [id, { Properties }] of Object.entries(all)) {
        if (Properties?.RouteKey === 'POST /token') delete all[id];
      }
    });
    expect(found).toEqual(['POST /token']);
  });
});
