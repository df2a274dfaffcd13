import { randomUUID } from 'node:crypto';
import {
  DescribeSecretCommand,
  GetSecretValueCommand,
  SecretsManagerClient,
  UpdateSecretVersionStageCommand,
} from '@aws-sdk/client-secrets-manager';
import type { SecretsManagerRotationEvent } from 'aws-lambda';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { KeySetSecret } from '../../../lambda/key-set/key-set-secret';
import { makeKeySet } from '../../../lambda/key-set/make-key-set';
import { parseKeySet } from '../../../lambda/key-set/parse-key-set';
import { KeyRotation } from '../../../lambda/rotate-keys/key-rotation';
import { revokeCurrentKey } from '../../../lambda/rotate-keys/revoke-current-key';
import { tryKeySet } from '../../../lambda/rotate-keys/try-key-set';
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
  rotation = new KeyRotation(client, {
    keySetSecretArn: secretArn,
    algorithm: 'RS256',
    minimumPublication: 600,
    retirement: 4000,
  });
  invoke = (event) => rotation.rotate(event);
}

async function value(version: { VersionId?: string; VersionStage?: string } = {}): Promise<KeySet> {
  const { SecretString } = await client.send(new GetSecretValueCommand({ SecretId: secretArn, ...version }));
  return parseKeySet(SecretString!);
}

async function labels(): Promise<Record<string, string[]>> {
  const { VersionIdsToStages = {} } = await client.send(new DescribeSecretCommand({ SecretId: secretArn }));
  return VersionIdsToStages;
}

async function move(VersionStage: string, { to, from }: { to: string; from: string }): Promise<void> {
  await client.send(
    new UpdateSecretVersionStageCommand({
      SecretId: secretArn,
      VersionStage,
      MoveToVersionId: to,
      RemoveFromVersionId: from,
    }),
  );
}

async function versionInUse(): Promise<string> {
  const { VersionId } = await client.send(new GetSecretValueCommand({ SecretId: secretArn }));
  return VersionId!;
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
    const { basedOn: _, ...again } = await value();
    expect({ ...again, basedOn: second.basedOn }).toEqual(second);
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

describe('a function that crashes after each of its calls in turn', () => {
  /** Every call that one whole rotation sends, in order. */
  const CALLS = [
    'GetSecretValue', // createSecret: is there one for this token?
    'GetSecretValue', // what is in use
    'PutSecretValue',
    'GetSecretValue', // testSecret
    'GetSecretValue', // finishSecret
    'DescribeSecret',
    'UpdateSecretVersionStage',
  ];

  /** Lets this many calls through, the last one without its answer; then the function is gone. */
  function crashAfter(calls: number): string[] {
    const sent: string[] = [];
    const send = client.send.bind(client);
    vi.spyOn(client, 'send').mockImplementation(async (command: unknown) => {
      if (sent.length === calls) throw new Error('crash');
      sent.push((command as object).constructor.name.replace('Command', ''));
      const answer = await send(command as GetSecretValueCommand);
      if (sent.length === calls) throw new Error('crash');
      return answer as never;
    });
    return sent;
  }

  it('makes the calls that are tried here', async () => {
    await schedule();
    const sent = crashAfter(100);
    await secrets.rotate(secretArn);
    expect(sent).toEqual(CALLS);
  });

  it.each(CALLS.map((call, i) => ({ call, calls: i + 1 })))(
    'ends in a good state at the next try: $calls, $call',
    async ({ calls }) => {
      await schedule();
      const sent = crashAfter(calls);
      await expect(secrets.rotate(secretArn)).rejects.toThrow('crash');
      expect(sent).toEqual(CALLS.slice(0, calls));
      vi.restoreAllMocks();

      // What is in use may be used, whether or not the crash came too late for the old keys.
      await tryKeySet(await value());
      await secrets.rotate(secretArn).catch(() => undefined);
      await secrets.rotate(secretArn);
      const second = await value();
      expect(second.current).toEqual(first.next);
      expect(second.previous.map(({ jwk }) => jwk.kid)).toEqual([first.current.jwk.kid]);
    },
  );
});

describe('a pending key set', () => {
  it('is never put into use after another than the one that it was made from', async () => {
    const [early, late] = [randomUUID(), randomUUID()];
    await step('createSecret', early);
    await step('createSecret', late);
    await step('finishSecret', late);
    const inUse = await value();
    await expect(step('finishSecret', early)).rejects.toThrow('is not pending');

    // Somebody, by hand, makes it pending again.
    await move('AWSPENDING', { to: early, from: late });
    await expect(step('finishSecret', early)).rejects.toThrow('not in use any more');
    expect(await value()).toEqual(inUse);
  });

  it('cannot bring back a key that was revoked meanwhile, and does not keep the next rotation from beginning', async () => {
    await schedule();
    invoke = async (event) => {
      if (event.Step === 'finishSecret') throw new Error('crash');
      return rotation.rotate(event);
    };
    await expect(secrets.rotate(secretArn)).rejects.toThrow('crash');
    invoke = (event) => rotation.rotate(event);
    const [half] = Object.entries(await labels()).find(([, stages]) => stages.includes('AWSPENDING'))!;

    await revokeCurrentKey(client, secretArn);
    const revoked = first.current.jwk.kid;
    await expect(step('finishSecret', half)).rejects.toThrow('is not pending');
    await expect(step('createSecret', half)).rejects.toThrow('is not pending');
    expect(JSON.stringify(await value())).not.toContain(revoked);

    await secrets.rotate(secretArn);
    expect(JSON.stringify(await value())).not.toContain(revoked);
  });

  it('that is stale is let go, so that the next rotation begins anew', async () => {
    await schedule();
    const stale = randomUUID();
    await step('createSecret', stale);
    await step('finishSecret', stale);
    // Made from the version that was in use before the last rotation.
    const old = await value({ VersionId: stale });
    const leftOver = randomUUID();
    await new KeySetSecret(client, secretArn).prepare(leftOver, old);

    await secrets.rotate(secretArn).catch(() => undefined);
    expect(Object.values(await labels()).flat()).not.toContain('AWSPENDING');
    await secrets.rotate(secretArn);
    expect(await value()).toEqual({ ...old, basedOn: stale });
  });

  it('is one of two that were begun at once', async () => {
    const tokens = [randomUUID(), randomUUID()];
    const whole = async (token: string) => {
      for (const name of ['createSecret', 'setSecret', 'testSecret', 'finishSecret'] as const) await step(name, token);
    };
    const outcomes = await Promise.allSettled(tokens.map(whole));
    expect(outcomes.map(({ status }) => status)).toContain('fulfilled');
    const second = await value();
    expect(second.current).toEqual(first.next);
    expect(second.previous.map(({ jwk }) => jwk.kid)).toEqual([first.current.jwk.kid]);
  });
});

describe('the current key, revoked', () => {
  it('is in no version any more that has a label, and nothing else has changed hands', async () => {
    const { revoked, keySet } = await revokeCurrentKey(client, secretArn);
    expect(revoked).toEqual([first.current.jwk.kid]);
    const current = await value();
    expect(current).toEqual(keySet);
    expect(current.current).toEqual(first.next);
    for (const [version, stages] of Object.entries(await labels())) {
      if (stages.length > 0) expect(JSON.stringify(await value({ VersionId: version }))).not.toContain(revoked[0]);
    }
  });

  it('is revoked once where two do it at once: the other is told', async () => {
    const outcomes = await Promise.allSettled([
      revokeCurrentKey(client, secretArn),
      revokeCurrentKey(client, secretArn),
    ]);
    const done = outcomes.filter(({ status }) => status === 'fulfilled');
    expect(done.length).toBeGreaterThan(0);
    const current = await value();
    if (done.length === 1) expect(current.current).toEqual(first.next);
    await tryKeySet(current);
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
    expect(pending.basedOn).toBe(await versionInUse());
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
    const [former] = Object.entries(await labels()).find(([, stages]) => stages.includes('AWSPREVIOUS'))!;
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
