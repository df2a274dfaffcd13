import { GetSecretValueCommand, SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { secretReader } from '../../../lambda/aws/secret-reader';
import { CachedSecret } from '../../../lambda/provider/cached-secret';
import { SOON } from '../../support/soon';
import { later } from './harness';

const REFRESH = 60;

/** Secrets Manager, as far as the cache sees it: a value, or an outage, and how often it was asked. */
let value: string;
let down: boolean;
let asked: number;
let secret: CachedSecret;
beforeEach(() => {
  [value, down, asked] = ['one', false, 0];
  const client = new SecretsManagerClient({ region: 'us-east-1' });
  vi.spyOn(client, 'send').mockImplementation(async (command: unknown) => {
    expect(command).toBeInstanceOf(GetSecretValueCommand);
    asked++;
    if (down) throw Object.assign(new Error('throttled'), { $fault: 'server' });
    return { SecretString: value, VersionId: `version of ${value}` };
  });
  secret = new CachedSecret(secretReader(client, 'arn'), REFRESH);
});
afterEach(() => {
  vi.useRealTimers();
  vi.restoreAllMocks();
});

const text = async () => (await secret.get()).text;

describe('a cached secret', () => {
  it('is fetched once for many that ask at the same time, and not again before its time', async () => {
    await Promise.all([secret.get(), secret.get(), secret.get()]);
    later(REFRESH - 1);
    expect(await secret.get()).toEqual({ text: 'one', versionId: 'version of one' });
    expect(asked).toBe(1);
  });

  it('is served stale while the next is fetched, once', async () => {
    await secret.get();
    value = 'two';
    later(REFRESH + 1);
    expect(await Promise.all([text(), text()])).toEqual(['one', 'one']);
    await vi.waitFor(async () => expect(await text()).toBe('two'), SOON);
    expect(asked).toBe(2);
  });

  it('is looked at again where the clock was set back', async () => {
    later(2 * 60 * 60);
    await secret.get();
    value = 'two';
    later(-2 * 60 * 60);
    expect(await text()).toBe('two');
    expect(await text()).toBe('two');
    expect(asked).toBe(2);
  });

  it('is not served past the hard bound: whoever asks waits for the next', async () => {
    await secret.get();
    value = 'two';
    later(REFRESH * 2 - 1);
    expect(await text()).toBe('one');
    await vi.waitFor(async () => expect(await text()).toBe('two'), SOON);
    value = 'three';
    later(REFRESH * 2);
    expect(await text()).toBe('three');
  });

  it('outlives an outage, however long, and is fetched when that is over', async () => {
    await secret.get();
    down = true;
    for (const seconds of [REFRESH + 1, REFRESH * 10]) {
      later(seconds);
      expect(await text()).toBe('one');
    }
    [down, value] = [false, 'two'];
    await vi.waitFor(async () => expect(await text()).toBe('two'), SOON);
  });

  it('that was never fetched is an error, and is asked for again', async () => {
    down = true;
    await expect(secret.get()).rejects.toThrow('throttled');
    down = false;
    expect(await text()).toBe('one');
  });
});
