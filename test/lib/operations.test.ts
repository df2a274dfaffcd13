import { App, Stack } from 'aws-cdk-lib';
import { HttpApi } from 'aws-cdk-lib/aws-apigatewayv2';
import { HttpUrlIntegration } from 'aws-cdk-lib/aws-apigatewayv2-integrations';
import { Metric } from 'aws-cdk-lib/aws-cloudwatch';
import { Topic } from 'aws-cdk-lib/aws-sns';
import { type AlarmThresholds, McpOidcAuth } from 'mcp-oidc-auth';
import { describe, expect, test } from 'vitest';
import { AUTHORIZER_METRICS, SERVER_METRICS } from '../../lib/counted-events';
import { dependencyCycle } from './dependency-cycle';
import { newAuth, newStack, ofType, type Resource, resources, restApi, SCOPES, text } from './synth';

const ISSUER = 'https://auth.example.com';
const METRICS = Object.keys({ ...SERVER_METRICS, ...AUTHORIZER_METRICS });

/** Every prop of operations in use. */
function watched(thresholds?: AlarmThresholds): { stack: Stack; auth: McpOidcAuth } {
  const stack = newStack();
  const topic = new Topic(stack, 'Topic');
  const auth = newAuth(stack, { alarms: { topic, thresholds }, dashboard: true, tracingEnabled: true });
  return { stack, auth };
}

const protectRest = (auth: McpOidcAuth, stack: Stack) => {
  const { api, integration } = restApi(stack);
  return auth.protectRestApi(api, { integration, scopes: SCOPES });
};

function alarms(stack: Stack): Record<string, Resource['Properties']> {
  return Object.fromEntries(
    ofType(stack, 'AWS::CloudWatch::Alarm').map(([id, { Properties }]) => [
      /(\w+)Alarm[0-9A-F]{8}$/.exec(id)?.[1]?.replace(/^(AuthAlarms|ApiMcpOidcAuth)/, ''),
      Properties,
    ]),
  );
}

describe('metrics', () => {
  const { auth } = watched();

  test('have a method for each name of the contract, and no other', () => {
    const methods = Object.getOwnPropertyNames(Object.getPrototypeOf(Object.getPrototypeOf(McpOidcAuth.prototype)));
    const named = methods.filter((name) => name.startsWith('metric') && name !== 'metric');
    expect(named.sort()).toEqual(
      Object.keys(SERVER_METRICS)
        .map((name) => `metric${name}`)
        .sort(),
    );
  });

  test.each(Object.keys(SERVER_METRICS))('%s is a sum for the issuer, unless its options say otherwise', (name) => {
    const method = `metric${name}` as 'metricRefreshes';
    const common = { namespace: 'McpOidcAuth', metricName: name, dimensions: { Issuer: auth.issuer } };
    expect(auth[method]()).toMatchObject({ ...common, statistic: 'Sum' });
    expect(auth[method]({ statistic: 'n', label: 'refreshes' })).toMatchObject({
      ...common,
      statistic: 'SampleCount',
      label: 'refreshes',
    });
  });

  test('of an authorization server in another app are there by their names', () => {
    const imported = McpOidcAuth.fromIssuer(newStack(), 'Imported', { issuer: ISSUER });
    expect(imported.metric('Refreshes')).toMatchObject({ metricName: 'Refreshes', dimensions: { Issuer: ISSUER } });
  });

  test('of an authorizer are there for the issuer and the resource, and by reason', () => {
    const stack = newStack();
    const imported = McpOidcAuth.fromIssuer(stack, 'Imported', { issuer: ISSUER });
    const rest = protectRest(newAuth(stack), stack);
    const integration = new HttpUrlIntegration('Mcp', 'https://internal.example.com');
    const http = imported.protectHttpApi(new HttpApi(stack, 'HttpApi'), { integration, scopes: SCOPES });
    for (const api of [rest, http]) {
      const dimensions = { Issuer: api.issuer, Resource: api.identifier };
      const common = { namespace: 'McpOidcAuth', statistic: 'Sum' };
      expect(api.metricDenials()).toMatchObject({ ...common, metricName: 'Denials', dimensions });
      expect(api.metricDenials({ reason: 'expired', label: 'x' })).toMatchObject({
        ...common,
        label: 'x',
        dimensions: { ...dimensions, Reason: 'expired' },
      });
      expect(api.metricKeySetFailures()).toMatchObject({ ...common, metricName: 'KeySetFailures', dimensions });
      expect(api.metricDenials()).toBeInstanceOf(Metric);
    }
  });
});

describe('alarms', () => {
  test('go to the topic, each with words on what to do', () => {
    const { stack, auth } = watched();
    protectRest(auth, stack);
    const made = alarms(stack);
    expect(Object.keys(made).sort()).toEqual([
      'CodesReused',
      'KeyRotationErrors',
      'KeySetFailures',
      'RefreshTokensReused',
      'RegistrationsLimited',
      'RequestsFailed',
      'SecretFailures',
      'ServerErrors',
      'UpstreamFailures',
    ]);
    const [[topic]] = ofType(stack, 'AWS::SNS::Topic') as [[string, Resource]];
    for (const [name, alarm] of Object.entries(made)) {
      expect(alarm).toMatchObject({
        AlarmActions: [{ Ref: topic }],
        Period: 300,
        Statistic: 'Sum',
        ComparisonOperator: 'GreaterThanOrEqualToThreshold',
        TreatMissingData: 'notBreaching',
      });
      expect(text(alarm.AlarmDescription)).toContain(`"${name}" in docs/operations.md`);
    }
  });

  test('say in which log to look, and leave room for its name', () => {
    const { stack, auth } = watched();
    protectRest(auth, stack);
    const SERVER = '<AuthProviderLogs>';
    const named: Record<string, string[]> = {
      ServerErrors: [SERVER, '<AuthFrontDoorAccessLogs>'],
      RequestsFailed: [SERVER],
      UpstreamFailures: [SERVER],
      SecretFailures: [SERVER],
      CodesReused: [SERVER],
      RefreshTokensReused: [SERVER],
      RegistrationsLimited: [SERVER, '<AuthFrontDoorAccessLogs>'],
      KeyRotationErrors: ['<AuthKeyRotationFunctionLogs>'],
      KeySetFailures: ['<ApiMcpOidcAuthAuthorizerFunctionLogs>'],
    };
    for (const [name, { AlarmDescription }] of Object.entries(alarms(stack))) {
      const description = text(AlarmDescription).replace(/[0-9A-F]{8}>/g, '>');
      const logs = description.match(/<\w+>/g) ?? [];
      expect(logs, name).toEqual(named[name]);
      // CloudWatch takes 1024 characters; a stack's name has 128, and what CloudFormation adds some 80.
      expect(description.length + logs.length * 210).toBeLessThanOrEqual(1024);
    }
  });

  test('say that they are over where all is well again then', () => {
    const { stack, auth } = watched();
    protectRest(auth, stack);
    const [[topic]] = ofType(stack, 'AWS::SNS::Topic') as [[string, Resource]];
    const passing = Object.entries(alarms(stack)).filter(([, { OKActions }]) => OKActions);
    expect(passing.map(([name]) => name).sort()).toEqual([
      'KeySetFailures',
      'SecretFailures',
      'ServerErrors',
      'UpstreamFailures',
    ]);
    for (const [, { OKActions }] of passing) expect(OKActions).toEqual([{ Ref: topic }]);
  });

  test('watch what the functions count, or what AWS itself does', () => {
    const { stack, auth } = watched();
    protectRest(auth, stack);
    const seen = Object.values(alarms(stack)).map(({ Namespace, MetricName }) => [Namespace, MetricName]);
    const own = seen.filter(([namespace]) => namespace === 'McpOidcAuth').map(([, name]) => name);
    expect(own).toHaveLength(7);
    for (const name of own) expect(METRICS).toContain(name);
    expect(seen.filter(([namespace]) => namespace !== 'McpOidcAuth')).toEqual([
      ['AWS/ApiGateway', '5xx'],
      ['AWS/Lambda', 'Errors'],
    ]);
  });

  test('begin with one, or with more of what may pass by itself', () => {
    const { stack, auth } = watched();
    protectRest(auth, stack);
    const more = Object.entries(alarms(stack)).filter(([, { Threshold }]) => Threshold !== 1);
    expect(more.map(([name, { Threshold }]) => [name, Threshold]).sort()).toEqual([
      ['RegistrationsLimited', 10],
      ['ServerErrors', 5],
      ['UpstreamFailures', 5],
    ]);
  });

  test('have the thresholds that they are given', () => {
    const given: Required<AlarmThresholds> = {
      serverErrors: 11,
      requestsFailed: 12,
      upstreamFailures: 13,
      secretFailures: 14,
      codesReused: 15,
      refreshTokensReused: 16,
      registrationsLimited: 17,
      keyRotationErrors: 18,
      keySetFailures: 19,
    };
    const { stack, auth } = watched(given);
    protectRest(auth, stack);
    for (const [name, { Threshold }] of Object.entries(alarms(stack))) {
      expect(Threshold, name).toBe(given[(name[0]?.toLowerCase() + name.slice(1)) as keyof AlarmThresholds]);
    }
  });

  test.each([
    [{ topic: undefined }, "alarms.topic must be an SNS topic, for example new Topic(this, 'Alarms'), got nothing."],
    [{ thresholds: { serverErrors: 0 } }, 'alarms.thresholds.serverErrors must be a whole number, at least 1, got 0.'],
    [
      { thresholds: { errors: 1 } },
      /^McpOidcAuth: alarms.thresholds must be of serverErrors, requestsFailed, .*, got 'errors'.$/,
    ],
  ])('%j are refused', (props, message) => {
    const stack = newStack();
    const alarms = { topic: new Topic(stack, 'Topic'), ...props } as never;
    expect(() => newAuth(stack, { alarms })).toThrow(typeof message === 'string' ? `McpOidcAuth: ${message}` : message);
  });

  test('of an MCP server in another stack are there, beside its API, and make no cycle', () => {
    const app = new App();
    const first = new Stack(app, 'First');
    const second = new Stack(app, 'Second');
    const auth = newAuth(first, { alarms: { topic: new Topic(first, 'Topic') }, dashboard: true });
    protectRest(auth, second);
    expect(Object.keys(alarms(second))).toEqual(['KeySetFailures']);
    expect(Object.keys(alarms(first))).not.toContain('KeySetFailures');
    expect(second.dependencies).toContain(first);
    expect(first.dependencies).not.toContain(second);
  });
});

describe('the dashboard', () => {
  const { stack } = watched();
  const [[, { Properties }]] = ofType(stack, 'AWS::CloudWatch::Dashboard') as [[string, Resource]];
  const body = text(Properties.DashboardBody);

  test('shows each metric of the contract, and of that namespace no other', () => {
    const { widgets } = JSON.parse(body);
    // biome-ignore lint/suspicious/noExplicitAny: the shape of a dashboard is what is looked at
    const metrics: any[][] = widgets.flatMap(({ properties }: any) => properties.metrics ?? []);
    const named = metrics.filter(([namespace]) => namespace === 'McpOidcAuth').map(([, name]) => name);
    const searched = metrics.flatMap(([{ expression = '' }]) => [...expression.matchAll(/MetricName="(\w+)"/g)]);
    expect([...new Set([...named, ...searched.map(([, name]) => name)])].sort()).toEqual([...METRICS].sort());
  });

  test('finds authorizers of any stack by the issuer alone', () => {
    const { widgets } = JSON.parse(body);
    const searches = JSON.stringify(widgets).match(/SEARCH\('.*?'/g) ?? [];
    expect(searches).toHaveLength(3);
    for (const search of searches) {
      expect(search).toMatch(/\{McpOidcAuth,Issuer,Resource(,Reason)?\} MetricName=.* Issuer=\\"<\w+\.ApiEndpoint>\\"/);
    }
  });

  test('shows the alarms where there are any', () => {
    expect(JSON.parse(body).widgets[0].type).toBe('alarm');
    const without = newStack();
    newAuth(without, { dashboard: true });
    const [[, dashboard]] = ofType(without, 'AWS::CloudWatch::Dashboard') as [[string, Resource]];
    expect(JSON.parse(text(dashboard.Properties.DashboardBody)).widgets[0].type).toBe('metric');
  });
});

describe('tracingEnabled', () => {
  const tracing = (stack: Stack) =>
    ofType(stack, 'AWS::Lambda::Function')
      .filter(([, { Properties }]) => Properties.TracingConfig?.Mode === 'Active')
      .map(([id]) => id.slice(0, -8))
      .sort();

  test('tells X-Ray of each call of the functions that answer requests, and of the rotation', () => {
    const { stack, auth } = watched();
    protectRest(auth, stack);
    const integration = new HttpUrlIntegration('Mcp', 'https://internal.example.com');
    auth.protectHttpApi(new HttpApi(stack, 'HttpApi'), { integration, scopes: SCOPES });
    expect(tracing(stack)).toEqual([
      'ApiMcpOidcAuthAuthorizerFunction',
      'AuthKeyRotationFunction',
      'AuthProvider',
      'HttpApiMcpOidcAuthAuthorizerFunction',
      'HttpApiMcpOidcAuthMetadataFunction',
    ]);
  });
});

test('there is nothing of this unless it is asked for', () => {
  const stack = newStack();
  protectRest(newAuth(stack), stack);
  const types = Object.values(resources(stack)).map(({ Type }) => Type);
  expect(types.filter((type) => /CloudWatch|SNS/.test(type))).toEqual([]);
  expect(JSON.stringify(resources(stack))).not.toMatch(/TracingConfig|xray/);
});

test('all of it together has no cycle', () => {
  const { stack, auth } = watched();
  protectRest(auth, stack);
  expect(dependencyCycle({ Resources: resources(stack) } as never)).toBeUndefined();
});
