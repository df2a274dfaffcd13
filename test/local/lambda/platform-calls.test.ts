import { expect, onTestFinished, test } from 'vitest';
import { lambda, role, startFixture } from '../fixtures/assembly';

const LOGS = { Effect: 'Allow', Action: ['logs:CreateLogStream', 'logs:PutLogEvents'] };
const GROUP = { Type: 'AWS::Logs::LogGroup', Properties: { LogGroupName: 'own' } };
const OWN = 'arn:aws:logs:us-east-1:123456789012:log-group:own';

/** Invokes a function once; gives what Lambda did in its name, and what it logged. */
async function invoked(statements: object[], properties: object, resources: Record<string, object> = {}) {
  const lines: string[] = [];
  const stack = await startFixture(
    { ...resources, ...lambda('Fn', properties), FnRole: role(statements) },
    { Fn: 'exports.handler = async () => ({})' },
    { onLog: (_, line) => lines.push(line) },
  );
  onTestFinished(() => stack.close());
  await stack.invoke('Fn', {});
  await stack.invoke('Fn', {});
  return { lines, calls: stack.calls.map(({ action, resource, allowed }) => ({ action, resource, allowed })) };
}

test('an instance writes its log in the name of the role, into a stream of the function’s group', async () => {
  const { calls, lines } = await invoked(
    [{ ...LOGS, Resource: `${OWN}:*` }],
    { LoggingConfig: { LogGroup: { Ref: 'Group' } } },
    { Group: GROUP },
  );
  const resource = expect.stringMatching(/:log-group:own:log-stream:\d{4}\/\d\d\/\d\d\/\[\$LATEST\][0-9a-f]{32}$/);
  expect(calls).toEqual([
    { action: 'logs:CreateLogStream', resource, allowed: true },
    { action: 'logs:PutLogEvents', resource, allowed: true },
  ]);
  expect(lines).toEqual([]);
});

test('a group that the template does not make is made', async () => {
  const { calls } = await invoked([{ ...LOGS, Action: 'logs:*', Resource: '*' }], {});
  expect(calls[0]).toEqual({
    action: 'logs:CreateLogGroup',
    resource: expect.stringMatching(/:log-group:\/aws\/lambda\/Fixture-Fn-/),
    allowed: true,
  });
});

test('traces are sent in the name of the role', async () => {
  const traced = { TracingConfig: { Mode: 'Active' }, LoggingConfig: { LogGroup: { Ref: 'Group' } } };
  const { calls, lines } = await invoked([{ ...LOGS, Resource: `${OWN}:*` }], traced, { Group: GROUP });
  expect(calls.filter(({ allowed }) => !allowed).map(({ action }) => action)).toEqual([
    'xray:PutTraceSegments',
    'xray:PutTelemetryRecords',
  ]);
  expect(lines[0]).toContain('On AWS this function would have no traces');
});
