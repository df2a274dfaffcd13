import { App, Stack } from 'aws-cdk-lib';
import { Topic } from 'aws-cdk-lib/aws-sns';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { metricsOf } from '../support/embedded-metrics';
import type { LogLine } from '../support/log-lines';
import { type LocalStack, Person, startLocalStack } from './local-stack';
import { McpApp } from './mcp-app';

let local: LocalStack;
let app: McpApp;
beforeAll(async () => {
  const topic = Topic.fromTopicArn(
    new Stack(new App(), 'Elsewhere'),
    'Topic',
    'arn:aws:sns:us-east-1:123456789012:alarms',
  );
  local = await startLocalStack({}, { alarms: { topic }, dashboard: true, tracingEnabled: true });
  app = new McpApp(local.mcpUrl, new Person(local, local.identityProvider.users[0]!));
});
afterAll(() => local?.[Symbol.asyncDispose]());

/** What the functions whose name has this in it have logged; not what Lambda adds, such as the error that a REST API's 401 is. */
function logged(name: string): LogLine[] {
  const lines = local.logs.map((line) => /^(\S+) (.*)/s.exec(line) ?? []);
  return lines
    .filter(([, functionName, line]) => functionName?.includes(name) && line?.startsWith('{'))
    .map(([, , line = '']) => JSON.parse(line));
}

const named = (lines: LogLine[], event: string) => lines.filter((line) => line.event === event);

describe('a sign-in of an app', () => {
  beforeAll(async () => {
    await app.connect();
    await app.call('whoami');
    await app.close();
  });

  it('is in the log, each decision once', () => {
    const decisions = logged('AuthProvider').filter(({ event }) => event !== 'request.answered');
    expect(decisions.map(({ event }) => event)).toEqual([
      'client.registered',
      'sign_in.started',
      'consent.given',
      'person.signed_in',
      'code.issued',
      'token.issued',
    ]);
  });

  it('has the id of its request on each line, by which API Gateway logs it too', () => {
    const answered = new Map(
      named(logged('AuthProvider'), 'request.answered').map(({ requestId, path }) => [requestId, path]),
    );
    const paths = logged('AuthProvider')
      .filter(({ event }) => event !== 'request.answered')
      .map(({ requestId }) => answered.get(requestId));
    expect(paths).toEqual(['/register', '/authorize', '/interaction/{uid}', '/callback', '/callback', '/token']);
  });

  it('counts, each metric once, for the issuer', () => {
    const dimensions = { Issuer: local.issuer };
    expect(metricsOf(logged('AuthProvider'))).toEqual(
      ['ClientsRegistered', 'SignInsStarted', 'SignInsCompleted', 'TokensIssued'].map((name) => ({
        name,
        value: 1,
        dimensions,
      })),
    );
  });
});

it('a call with a token that is none is a denial, for issuer, resource and reason', async () => {
  const before = metricsOf(logged('AuthorizerFunction')).length;
  await fetch(local.mcpUrl, { method: 'POST', headers: { authorization: 'Bearer nonsense' } });
  const dimensions = { Issuer: local.issuer, Resource: local.mcpUrl };
  expect(metricsOf(logged('AuthorizerFunction')).slice(before)).toEqual([
    { name: 'Denials', value: 1, dimensions },
    { name: 'Denials', value: 1, dimensions: { ...dimensions, Reason: 'malformed' } },
  ]);
});

it('a rotation of the keys is in the log of its function, with the version that it has made', async () => {
  const keySet = local.stack.calls.find(({ service }) => service === 'secretsmanager')?.resource ?? '';
  await local.stack.secrets.rotate(keySet);
  expect(logged('KeyRotation')).toEqual([
    {
      level: 'INFO',
      timestamp: expect.any(String),
      event: 'key_set.rotated',
      requestId: expect.stringMatching(/^[\w-]{32,64}$/),
    },
  ]);
});
