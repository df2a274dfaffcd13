import { afterEach, describe, expect, test } from 'vitest';
import type { RunningStack } from '../../local/start';
import { lambda, startFixture } from './fixtures/assembly';

const ANSWERS = `
const seen = [];
exports.handler = async (event) => {
  if (!event.RequestType) return seen;
  seen.push(event);
  const { Behaviour = 'succeed', Id = 'made' } = event.ResourceProperties;
  if (Behaviour === 'be silent') return;
  if (Behaviour === 'throw') throw new Error('no');
  const answer = {
    Status: Behaviour === 'fail' && event.RequestType !== 'Delete' ? 'FAILED' : 'SUCCESS',
    Reason: 'it was asked for',
    PhysicalResourceId: Behaviour === 'be nameless' ? undefined : Id,
    StackId: event.StackId, RequestId: event.RequestId, LogicalResourceId: event.LogicalResourceId,
    Data: { Colour: 'green', Much: Behaviour === 'talk' ? 'x'.repeat(5000) : '' },
  };
  const response = await fetch(event.ResponseURL, { method: 'PUT', body: JSON.stringify(answer) });
  if (!response.ok) throw new Error('refused: ' + response.status);
};`;

let stack: RunningStack | undefined;
afterEach(async () => {
  await stack?.close();
  stack = undefined;
});

const custom = (properties: object = {}) => ({
  Type: 'Custom::Thing',
  Properties: { ServiceToken: { 'Fn::GetAtt': ['Maker', 'Arn'] }, ...properties },
});

async function start(properties: object = {}, more: Record<string, object> = {}): Promise<RunningStack> {
  // CloudFormation calls with the rights of who deploys, so the function needs no permission.
  const { MakerPermission, ...maker } = lambda('Maker', { Timeout: 10 });
  expect(MakerPermission).toBeDefined();
  const echo = 'exports.handler = async () => process.env.COLOUR + " " + process.env.ID;';
  stack = await startFixture({ ...maker, Thing: custom(properties), ...more }, { Maker: ANSWERS, Echo: echo });
  return stack;
}

interface Request {
  RequestType: string;
  PhysicalResourceId?: string;
  ResourceProperties: object;
  OldResourceProperties?: object;
}
const requests = (running: RunningStack) => running.invoke('Maker', {}) as Promise<Request[]>;

describe('a custom resource', () => {
  test('is created by its function, with every value as text', async () => {
    const running = await start({ Number: 1, Yes: true, Nested: { List: [2, { No: false }] } });
    expect(await requests(running)).toEqual([
      {
        RequestType: 'Create',
        ServiceToken: expect.stringMatching(/^arn:aws:lambda:/),
        ResponseURL: expect.any(String),
        StackId: expect.stringMatching(/^arn:aws:cloudformation:us-east-1:123456789012:stack\/Fixture\//),
        RequestId: expect.stringMatching(/^[0-9a-f-]{36}$/),
        ResourceType: 'Custom::Thing',
        LogicalResourceId: 'Thing',
        ResourceProperties: {
          ServiceToken: expect.stringMatching(/^arn:aws:lambda:/),
          Number: '1',
          Yes: 'true',
          Nested: { List: ['2', { No: 'false' }] },
        },
      },
    ]);
  });

  test('gives its id and its data to other resources', async () => {
    const Variables = { COLOUR: { 'Fn::GetAtt': ['Thing', 'Colour'] }, ID: { Ref: 'Thing' } };
    const running = await start({}, lambda('Echo', { Environment: { Variables } }));
    expect(await running.invoke('Echo', {})).toBe('green made');
  });

  test('is updated and deleted, and replaced where its id changes', async () => {
    const running = await start({ Size: 1 });
    await running.updateCustomResource('Thing', { Size: 2 });
    await running.updateCustomResource('Thing', { Size: 2, Id: 'another' });
    await running.deleteCustomResource('Thing');
    const told = (await requests(running)).map(
      ({ RequestType, PhysicalResourceId, ResourceProperties, OldResourceProperties }) => [
        RequestType,
        PhysicalResourceId,
        (ResourceProperties as { Size: string }).Size,
        (OldResourceProperties as { Size: string } | undefined)?.Size,
      ],
    );
    expect(told).toEqual([
      ['Create', undefined, '1', undefined],
      ['Update', 'made', '2', '1'],
      ['Update', 'made', '2', '2'],
      ['Delete', 'made', '2', undefined],
      ['Delete', 'another', '2', undefined],
    ]);
  });

  test.each([
    ['fail', 'Thing (Custom::Thing) in stack Fixture: Create of Thing (Custom::Thing) has failed: it was asked for'],
    ['throw', 'The function ended without an answer, with Error: no.'],
    ['be silent', 'The function ended without an answer, with nothing to say.'],
    ['be nameless', 'was answered without a PhysicalResourceId'],
    ['talk', 'Response object is too long.'],
  ])('that cannot be made fails the start (%s)', async (Behaviour, message) => {
    await expect(start({ Behaviour })).rejects.toThrow(message);
  });
});
