import { randomUUID } from 'node:crypto';
import { DescribeSecretCommand, GetSecretValueCommand, SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import type { SecretsManagerRotationEvent } from 'aws-lambda';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { makeKeySet } from '../../../lambda/key-set/make-key-set';
import { parseKeySet } from '../../../lambda/key-set/parse-key-set';
import { KeyRotation } from '../../../lambda/rotate-keys/key-rotation';
import type { KeySet } from '../../../lib/contract';
import { AccessControl } from '../../../local/aws/access-control';
import { type LocalSecretsManager, startSecretsManager } from '../../../local/aws/secrets-manager';

const FUNCTION = 'arn:aws:lambda:eu-central-1:123456789012:function:rotate-keys';
const now = Math.floor(Date.now() / 1000);

let secrets: LocalSecretsManager;
let accessControl: AccessControl;
let secretArn: string;
let client: SecretsManagerClient;
let first: KeySet;
let rotation: KeyRotation;
/** Stands between Secrets Manager and the function: where it throws, the function has crashed. */
let invoke: (event: SecretsManagerRotationEvent) => Promise<void>;

beforeEach(async () => {
  accessControl = new AccessControl({ region: 'eu-central-1', account: '123456789012' });
  secrets = await startSecretsManager({
    accessControl,
    invoke: (_, event) => invoke(event as SecretsManagerRotationEvent),
  });
  first = await makeKeySet(now - 86_400);
  useSecret('key-set', JSON.stringify(first));
});

afterEach(async () => {
  client.destroy();
  await secrets.close();
});

/** A rotation function with the permissions that it needs on its one secret. */
function useSecret(name: string, value?: string): void {
  secretArn = secrets.createSecret({ name, value }).arn;
  const actions = ['DescribeSecret', 'GetSecretValue', 'PutSecretValue', 'UpdateSecretVersionStage'];
  const credentials = accessControl.addCaller({
    functionName: 'rotate-keys',
    roleArn: 'arn:aws:iam::123456789012:role/rotate-keys',
    policies: [
      {
        Version: '2012-10-17',
        Statement: {
          Effect: 'Allow',
          Action: actions.map((action) => `secretsmanager:${action}`),
          Resource: secretArn,
        },
      },
    ],
  });
  client = new SecretsManagerClient({ endpoint: secrets.endpoint, region: 'eu-central-1', credentials });
  rotation = new KeyRotation(client, { keySetSecretArn: secretArn, minimumPublication: 600, retirement: 4000 });
  invoke = (event) => rotation.rotate(event);
}

async function value(version: { VersionId?: string; VersionStage?: string } = {}): Promise<KeySet> {
  const { SecretString } = await client.send(new GetSecretValueCommand({ SecretId: secretArn, ...version }));
  return parseKeySet(SecretString!);
}

function schedule(rotateImmediately = false): Promise<void> {
  return secrets.setRotation({
    secretArn,
    functionArn: FUNCTION,
    scheduleExpression: 'rate(30 days)',
    rotateImmediately,
  });
}

function step(
  Step: SecretsManagerRotationEvent['Step'],
  ClientRequestToken: string,
  SecretId = secretArn,
): Promise<void> {
  return rotation.rotate({ Step, SecretId, ClientRequestToken });
}

describe('a rotation by Secrets Manager', () => {
  it('may be scheduled: testSecret passes alone, and changes nothing', async () => {
    await schedule();
    expect(await value()).toEqual(first);
  });

  it('puts the next key set into use', async () => {
    await schedule();
    await secrets.rotate(secretArn);
    const second = await value();
    expect(second.current).toEqual(first.next);
    expect(second.previous.map(({ jwk }) => jwk.kid)).toEqual([first.current.jwk.kid]);
    expect(await value({ VersionStage: 'AWSPREVIOUS' })).toEqual(first);
  });

  it('promotes nothing a second time at once, since nobody knows the new key yet', async () => {
    await schedule();
    await secrets.rotate(secretArn);
    const second = await value();
    await secrets.rotate(secretArn);
    expect(await value()).toEqual(second);
  });

  it.each(
    (['createSecret', 'setSecret', 'testSecret', 'finishSecret'] as const).flatMap((step) => [
      { step, moment: 'before' },
      { step, moment: 'after' },
    ]),
  )('comes to its end after a crash right $moment $step', async ({ step, moment }) => {
    await schedule();
    invoke = async (event) => {
      if (event.Step !== step) return rotation.rotate(event);
      if (moment === 'after') await rotation.rotate(event);
      throw new Error('crash');
    };
    await expect(secrets.rotate(secretArn)).rejects.toThrow('crash');

    invoke = (event) => rotation.rotate(event);
    // Where a rotation is unfinished, Secrets Manager refuses a new one and finishes the old one instead.
    await secrets.rotate(secretArn).catch(() => undefined);
    await secrets.rotate(secretArn);

    const second = await value();
    expect(second.current).toEqual(first.next);
    expect(second.previous.map(({ jwk }) => jwk.kid)).toEqual([first.current.jwk.kid]);
  });
});

describe('a step', () => {
  it('may be repeated: createSecret makes one key set for a token', async () => {
    const token = randomUUID();
    await step('createSecret', token);
    const pending = await value({ VersionId: token });
    await step('createSecret', token);
    expect(await value({ VersionId: token })).toEqual(pending);
    expect(await value()).toEqual(first);
  });

  it('may be done twice at once', async () => {
    const token = randomUUID();
    await Promise.all(Array.from({ length: 5 }, () => step('createSecret', token)));
    const pending = await value({ VersionId: token });
    await step('testSecret', token);
    await Promise.allSettled(Array.from({ length: 5 }, () => step('finishSecret', token)));
    expect(await value()).toEqual(pending);
  });

  it('may be repeated after the end: finishSecret leaves what is in use', async () => {
    const token = randomUUID();
    await step('createSecret', token);
    await step('finishSecret', token);
    const second = await value();
    for (const repeated of ['createSecret', 'setSecret', 'testSecret', 'finishSecret'] as const) {
      await step(repeated, token);
    }
    expect(await value()).toEqual(second);
  });

  it('does not bring back keys of an earlier version', async () => {
    await schedule();
    await secrets.rotate(secretArn);
    const { VersionIdsToStages = {} } = await client.send(new DescribeSecretCommand({ SecretId: secretArn }));
    const former = Object.keys(VersionIdsToStages).find((id) => VersionIdsToStages[id]!.includes('AWSPREVIOUS'))!;
    await expect(step('finishSecret', former)).rejects.toThrow('is not pending');
    expect((await value()).current).toEqual(first.next);
  });

  it('does not put a version without a value into use', async () => {
    await schedule();
    invoke = async (event) => (event.Step === 'finishSecret' ? rotation.rotate(event) : undefined);
    await expect(secrets.rotate(secretArn)).rejects.toThrow('has to begin with createSecret');
    expect(await value()).toEqual(first);
  });

  it('refuses a key set that signs what nobody can verify', async () => {
    const { jwk } = first.next;
    const { d, dp, dq, p, q, qi } = (await makeKeySet(now)).next.jwk;
    const mixed = { ...first, next: { ...first.next, jwk: { ...jwk, d, dp, dq, p, q, qi } } };
    useSecret('mixed', JSON.stringify(mixed));
    await expect(step('testSecret', randomUUID())).rejects.toThrow('signature verification failed');
  });

  it('is refused for another secret', async () => {
    const other = secrets.createSecret({ name: 'other', value: JSON.stringify(first) }).arn;
    await expect(step('createSecret', randomUUID(), other)).rejects.toThrow(`rotates ${secretArn} and nothing else`);
  });

  it('is refused where it does not exist', async () => {
    await expect(step('deleteSecret' as never, randomUUID())).rejects.toThrow('There is no rotation step deleteSecret');
  });
});

describe('a secret', () => {
  it('without a key set has nothing to rotate', async () => {
    useSecret('empty');
    await expect(step('createSecret', randomUUID())).rejects.toThrow('has no key set yet');
  });

  it('with something else is left alone, and what it holds stays out of the error', async () => {
    useSecret('password', 'hunter2');
    const error = await step('createSecret', randomUUID()).catch((thrown) => thrown);
    expect(error).toMatchObject({ name: 'KeySetError' });
    expect(String(error.stack)).not.toContain('hunter2');
  });
});
