import {
  DescribeSecretCommand,
  GetSecretValueCommand,
  PutSecretValueCommand,
  RotateSecretCommand,
  SecretsManagerClient,
  UpdateSecretVersionStageCommand,
} from '@aws-sdk/client-secrets-manager';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { type LocalSecretsManager, startSecretsManager } from '../../../local/aws/secrets-manager';
import { addCaller, allow, clientConfig, newAccessControl } from './credentials';

interface RotationEvent {
  readonly Step: 'createSecret' | 'setSecret' | 'testSecret' | 'finishSecret';
  readonly SecretId: string;
  readonly ClientRequestToken: string;
}
type Step = (event: RotationEvent) => Promise<unknown>;

const FUNCTION_ARN = 'arn:aws:lambda:us-east-1:123456789012:function:rotate';
let service: LocalSecretsManager;
let client: SecretsManagerClient;
let arn: string;
let events: RotationEvent[];
let sources: object[];
/** What the rotation function does in a step; a test replaces one to make it fail. */
let steps: Record<RotationEvent['Step'], Step>;

beforeEach(async () => {
  const accessControl = newAccessControl();
  events = [];
  sources = [];
  service = await startSecretsManager({
    accessControl,
    async invoke(functionArn, event, source) {
      expect(functionArn).toBe(FUNCTION_ARN);
      events.push(event as RotationEvent);
      sources.push(source);
      return steps[(event as RotationEvent).Step](event as RotationEvent);
    },
  });
  const caller = addCaller(accessControl, 'rotate', allow(['secretsmanager:*'], '*'));
  client = new SecretsManagerClient(clientConfig(caller, service.endpoint));
  arn = service.createSecret({ name: 'keys', value: 'value 0' }).arn;
  steps = rotationFunction();
});
afterEach(async () => {
  await service.close();
  vi.useRealTimers();
});

/** A rotation function as AWS documents it. */
function rotationFunction(): typeof steps {
  let values = 0;
  return {
    // Idempotent, as AWS asks for: a rotation is attempted again with the same token.
    createSecret: async ({ SecretId, ClientRequestToken }) => {
      const pending = { SecretId, VersionId: ClientRequestToken, VersionStage: 'AWSPENDING' };
      const hasValue = await client.send(new GetSecretValueCommand(pending)).then(
        () => true,
        () => false,
      );
      if (hasValue) return;
      const SecretString = `value ${++values}`;
      const VersionStages = ['AWSPENDING'];
      await client.send(new PutSecretValueCommand({ SecretId, ClientRequestToken, SecretString, VersionStages }));
    },
    setSecret: async () => {},
    testSecret: async () => {},
    finishSecret: async ({ SecretId, ClientRequestToken }) => {
      const stages = await stagesOf();
      const [current] = Object.entries(stages).find(([, labels]) => labels.includes('AWSCURRENT'))!;
      await client.send(
        new UpdateSecretVersionStageCommand({
          SecretId,
          VersionStage: 'AWSCURRENT',
          MoveToVersionId: ClientRequestToken,
          RemoveFromVersionId: current,
        }),
      );
    },
  };
}
async function fail(): Promise<never> {
  throw new Error('the step fails');
}
const describeSecret = () => client.send(new DescribeSecretCommand({ SecretId: arn }));
const stagesOf = async () => (await describeSecret()).VersionIdsToStages!;
const currentValue = async () => (await client.send(new GetSecretValueCommand({ SecretId: arn }))).SecretString;
const setRotation = (change: object = {}) =>
  service.setRotation({
    secretArn: arn,
    functionArn: FUNCTION_ARN,
    scheduleExpression: 'rate(30 days)',
    rotateImmediately: false,
    ...change,
  });
const stepsSoFar = () => events.map(({ Step }) => Step);
/** The next background failure: what a developer sees on the console. */
const nextWarning = () => new Promise<Error>((resolve) => process.once('warning', resolve));

describe('setting a rotation', () => {
  it('without rotating runs testSecret alone, on a pending version that is removed', async () => {
    let pending: object = {};
    steps.testSecret = async ({ ClientRequestToken }) => {
      pending = (await stagesOf())[ClientRequestToken]!;
    };
    const before = await stagesOf();
    await setRotation();
    expect(stepsSoFar()).toEqual(['testSecret']);
    expect(sources).toEqual([{ service: 'secretsmanager.amazonaws.com', arn }]);
    expect(pending).toEqual(['AWSPENDING']);
    expect(await stagesOf()).toEqual(before);
    const { RotationEnabled, RotationLambdaARN, RotationRules, NextRotationDate, LastRotatedDate } =
      await describeSecret();
    expect({ RotationEnabled, RotationLambdaARN, RotationRules, LastRotatedDate }).toEqual({
      RotationEnabled: true,
      RotationLambdaARN: FUNCTION_ARN,
      RotationRules: { ScheduleExpression: 'rate(30 days)' },
      LastRotatedDate: undefined,
    });
    expect(NextRotationDate!.getTime() - Date.now()).toBeGreaterThan(29 * 24 * 3_600_000);
  });

  it('fails with testSecret, and leaves nothing behind', async () => {
    steps.testSecret = fail;
    const before = await stagesOf();
    await expect(setRotation()).rejects.toThrow('the step fails');
    expect(await stagesOf()).toEqual(before);
    expect((await describeSecret()).RotationEnabled).toBeUndefined();
  });

  it('with rotating begins a rotation and does not wait for it', async () => {
    let finished = () => {};
    const end = new Promise<void>((resolve) => {
      finished = resolve;
    });
    const { finishSecret } = steps;
    steps.finishSecret = async (event) => {
      await finishSecret(event);
      finished();
    };
    await setRotation({ rotateImmediately: true });
    expect(await currentValue()).toBe('value 0');
    await end;
    expect(await currentValue()).toBe('value 1');
  });

  it('refuses schedules that are not known here', async () => {
    await expect(setRotation({ scheduleExpression: 'cron(0 8 * * ? *)' })).rejects.toThrow(/cron.*Needed is rate/);
  });
});

describe('a rotation', () => {
  beforeEach(async () => {
    await setRotation();
    events.length = 0;
  });

  it('goes through the four steps with one token and an empty pending version', async () => {
    const { createSecret } = steps;
    steps.createSecret = async (event) => {
      expect((await stagesOf())[event.ClientRequestToken]).toEqual(['AWSPENDING']);
      const get = new GetSecretValueCommand({ SecretId: event.SecretId, VersionId: event.ClientRequestToken });
      await expect(client.send(get)).rejects.toMatchObject({ name: 'ResourceNotFoundException' });
      await createSecret(event);
    };
    const [before] = Object.keys(await stagesOf());
    await service.rotate(arn);
    expect(stepsSoFar()).toEqual(['createSecret', 'setSecret', 'testSecret', 'finishSecret']);
    const [{ ClientRequestToken: token }] = events as [RotationEvent];
    for (const event of events) {
      expect(event).toEqual({ Step: event.Step, SecretId: arn, ClientRequestToken: token });
    }
    expect(await stagesOf()).toEqual({ [before!]: ['AWSPREVIOUS'], [token]: ['AWSPENDING', 'AWSCURRENT'] });
    expect(await currentValue()).toBe('value 1');
    expect((await describeSecret()).LastRotatedDate).toBeInstanceOf(Date);
    await service.rotate(arn);
    expect(await currentValue()).toBe('value 2');
  });

  it('that fails leaves AWSPENDING and the current value', async () => {
    steps.setSecret = fail;
    await expect(service.rotate(arn)).rejects.toThrow('the step fails');
    expect(stepsSoFar()).toEqual(['createSecret', 'setSecret']);
    expect((await stagesOf())[events[0]!.ClientRequestToken]).toEqual(['AWSPENDING']);
    expect(await currentValue()).toBe('value 0');
  });

  it('is refused while an earlier one is unfinished, which is attempted again with the same token', async () => {
    const { testSecret } = steps;
    steps.testSecret = fail;
    await expect(service.rotate(arn)).rejects.toThrow('the step fails');
    steps.testSecret = testSecret;
    await expect(service.rotate(arn)).rejects.toMatchObject({
      name: 'InvalidRequestException',
      message: "A previous rotation isn't complete. That rotation will be reattempted.",
    });
    expect(new Set(events.map(({ ClientRequestToken }) => ClientRequestToken)).size).toBe(1);
    expect(await currentValue()).toBe('value 1');
    await service.rotate(arn);
    expect(new Set(events.map(({ ClientRequestToken }) => ClientRequestToken)).size).toBe(2);
  });

  it('that does not end with AWSCURRENT on its version has failed', async () => {
    steps.finishSecret = async () => {};
    await expect(service.rotate(arn)).rejects.toThrow(/finishSecret has not moved AWSCURRENT/);
  });

  it('blocks another configuration until it is finished', async () => {
    steps.setSecret = fail;
    await expect(service.rotate(arn)).rejects.toThrow('the step fails');
    const warned = nextWarning();
    await expect(setRotation()).rejects.toMatchObject({ name: 'InvalidRequestException' });
    expect(await warned).toMatchObject({ name: 'SecretRotation', message: expect.stringContaining('the step fails') });
  });

  it('begins with RotateSecret, which answers with the new version and does not wait', async () => {
    let proceed = () => {};
    const gate = new Promise<void>((resolve) => {
      proceed = resolve;
    });
    const { finishSecret } = steps;
    const end = new Promise<void>((resolve, reject) => {
      steps.setSecret = () => gate;
      steps.finishSecret = (event) => finishSecret(event).then(() => resolve(), reject);
    });
    const { VersionId } = await client.send(new RotateSecretCommand({ SecretId: arn }));
    expect((await stagesOf())[VersionId!]).toEqual(['AWSPENDING']);
    await expect(client.send(new RotateSecretCommand({ SecretId: arn }))).rejects.toMatchObject({
      name: 'InvalidRequestException',
    });
    proceed();
    await end;
    expect((await stagesOf())[VersionId!]).toContain('AWSCURRENT');
    expect(stepsSoFar()).toEqual(['createSecret', 'setSecret', 'testSecret', 'finishSecret']);
  });
});

it('RotateSecret needs a rotation function', async () => {
  await expect(client.send(new RotateSecretCommand({ SecretId: arn }))).rejects.toMatchObject({
    name: 'InvalidRequestException',
    message: 'No Lambda rotation function ARN is associated with this secret.',
  });
});

it('the schedule rotates, and attempts again with the same token what has failed', async () => {
  const { finishSecret, setSecret } = steps;
  // What has been when the first rotation ends: the next one may begin before the test has looked.
  const end = new Promise<{ value?: string; seen: RotationEvent[] }>((resolve) => {
    steps.finishSecret = async (event) => {
      const seen = events.slice(1);
      await finishSecret(event);
      resolve({ value: await currentValue(), seen });
    };
  });
  steps.setSecret = fail;
  await setRotation({ scheduleExpression: 'rate(1 second)' });
  const warned = nextWarning();
  expect(await warned).toMatchObject({ message: expect.stringContaining('The rotation of keys has failed') });
  steps.setSecret = setSecret;
  const { value, seen } = await end;
  expect(value).toBe('value 1');
  expect(new Set(seen.map(({ ClientRequestToken }) => ClientRequestToken)).size).toBe(1);
});
