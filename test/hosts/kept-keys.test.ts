import { afterEach, describe, expect, it, vi } from 'vitest';
import { KeptKeys, KeysChangedError, WrongSecretError } from '../../hosts/kept-keys';
import { parseKeySet } from '../../lambda/key-set/parse-key-set';
import type { Store } from '../../lambda/store/store';
import type { KeySet } from '../../lib/contract';
import { later } from '../lambda/provider/harness';
import { DATABASES, describeOn } from '../stores/databases';
import { SOON } from '../support/soon';

const SECRET = 'a secret of thirty-two characters';
const OTHER = 'another secret, of as many letters';
const DAY = 24 * 60 * 60;
/** Four refresh intervals of a minute, and the two hours of API Gateway's own authorizers. */
const PUBLICATION = 2 * 60 * 60 + 240;
const TOKEN = 60 * 60;

afterEach(() => {
  vi.restoreAllMocks();
  vi.useRealTimers();
});

const on = (store: Store, ...secrets: string[]) => new KeptKeys(store, secrets, TOKEN);
const keySetOf = async (keys: KeptKeys): Promise<KeySet> => parseKeySet((await keys.fetch()).text);
const kidOf = async (keys: KeptKeys) => (await keySetOf(keys)).current.jwk.kid;

describeOn(DATABASES, (database) => {
  /** Nobody else's. */
  const stores = async (count: number): Promise<Store[]> => {
    const namespace = crypto.randomUUID();
    return Array.from({ length: count }, () => database().inNamespace(namespace));
  };

  it('keys are made once, however many processes start at the same time', async () => {
    const instances = (await stores(4)).map((store) => on(store, SECRET));
    await Promise.all(instances.map((keys) => keys.turnOver()));
    expect(new Set(await Promise.all(instances.map(kidOf))).size).toBe(1);
  });

  it('are the same for all again, after the store has lost them', async () => {
    const [one, other] = (await stores(2)).map((store) => ({ store, keys: on(store, SECRET) }));
    const lost = await one!.keys.get();
    const records = await one!.store.list('keys');
    await one!.store.deleteMany(records.map(({ key }) => key));
    const made = await other!.keys.get();
    later(120);
    expect(await one!.keys.get()).toEqual(made);
    // By this instances know that they have to work with other keys.
    expect(made.versionId).not.toBe(lost.versionId);
  });

  it('are turned over after 30 days by exactly one of all processes', async () => {
    const instances = (await stores(4)).map((store) => on(store, SECRET));
    const before = await keySetOf(instances[0]!);
    later(30 * DAY - 60);
    await Promise.all(instances.map((keys) => keys.turnOver()));
    expect(await keySetOf(instances[0]!)).toEqual(before);
    later(60);
    await Promise.all(instances.map((keys) => keys.turnOver()));
    const after = await Promise.all(instances.map(keySetOf));
    for (const keySet of after) expect(keySet).toEqual(after[0]);
    expect(after[0]!.current).toEqual(before.next);
    expect(after[0]!.previous.map(({ jwk }) => jwk.kid)).toEqual([before.current.jwk.kid]);
  });

  it('are revoked by exactly one of two operators; the other hears that they have changed', async () => {
    const [one, other] = await stores(2);
    const first = on(one!, SECRET);
    const before = await keySetOf(first);
    // After the second has read the keys, and before it writes.
    const write = other!.putIfAbsent.bind(other);
    vi.spyOn(other!, 'putIfAbsent').mockImplementationOnce(async (...record) => {
      await first.revokeCurrent();
      return write(...record);
    });
    await expect(on(other!, SECRET).revokeCurrent()).rejects.toThrow(KeysChangedError);
    const after = await keySetOf(first);
    expect(after.current).toEqual(before.next);
    expect(JSON.stringify(after)).not.toContain(before.current.jwk.d);
  });

  it('are gone from the store, with their private halves, as soon as the next ones are there', async () => {
    const [store] = await stores(1);
    const keys = on(store!, SECRET);
    await keys.turnOver();
    later(30 * DAY);
    await keys.turnOver();
    expect((await store!.list('keys')).map(({ key }) => key)).toEqual(['keys/0000000002']);
  });
});

describe.each(['memory'])('in %s', () => {
  const [memory] = DATABASES;
  const aStore = async () => (await memory!.start()).connect();

  it('a key is published before it signs, and after that for as long as a token of it is valid', async () => {
    const keys = on(await aStore(), SECRET);
    const { current, next } = await keySetOf(keys);
    for (let day = 0; day < 90; day++) {
      later(DAY);
      await keys.turnOver();
      const keySet = await keySetOf(keys);
      const published = [keySet.current, keySet.next, ...keySet.previous].map(({ jwk }) => jwk.kid);
      const made = Math.floor(Date.now() / 1000) - keySet.current.createdAt;
      if (keySet.current.jwk.kid !== current.jwk.kid) expect(made).toBeGreaterThanOrEqual(PUBLICATION);
      if (keySet.current.jwk.kid === next.jwk.kid && keySet.previous.length > 0) {
        expect(published).toContain(current.jwk.kid);
      }
    }
    expect((await keySetOf(keys)).previous.length).toBeLessThan(2);
  });

  it('keys lie sealed: nothing of a private key is in the store in the clear', async () => {
    const store = await aStore();
    const keySet = await keySetOf(on(store, SECRET));
    const atRest = JSON.stringify(await store.list('keys'));
    for (const secret of [keySet.current.jwk.d!, keySet.current.jwk.kid, keySet.successorKeys[0]!.key, SECRET]) {
      expect(atRest).not.toContain(secret);
    }
  });

  it('another secret does not open them, and changes nothing', async () => {
    const store = await aStore();
    const before = await kidOf(on(store, SECRET));
    await expect(on(store, OTHER).turnOver()).rejects.toBeInstanceOf(WrongSecretError);
    expect(await kidOf(on(store, SECRET))).toBe(before);
  });

  it('a secret is changed while both are known, and then the old one is of no use', async () => {
    const store = await aStore();
    const before = await keySetOf(on(store, SECRET));
    await on(store, OTHER, SECRET).turnOver();
    expect(await keySetOf(on(store, OTHER))).toEqual(before);
    // A process that has started before, and knows the new one as the second.
    expect(await keySetOf(on(store, SECRET, OTHER))).toEqual(before);
    await expect(on(store, SECRET).fetch()).rejects.toBeInstanceOf(WrongSecretError);
  });

  it('a process that slept through turns of the keys brings no old ones back', async () => {
    const store = await aStore();
    const [sleeper, other] = [on(store, SECRET), on(store, SECRET)];
    await sleeper.turnOver();
    const slow = vi.spyOn(store, 'putIfAbsent');
    let wake = () => {};
    const awake = new Promise<void>((resolve) => {
      wake = resolve;
    });
    slow.mockImplementationOnce(async (...args) => {
      await awake;
      slow.mockRestore();
      return store.putIfAbsent(...args);
    });
    later(30 * DAY);
    const asleep = sleeper.turnOver();
    await vi.waitFor(() => expect(slow).toHaveBeenCalled(), SOON);
    await other.turnOver();
    later(30 * DAY);
    await other.turnOver();
    const newest = await kidOf(other);
    wake();
    await asleep;
    expect(await kidOf(other)).toBe(newest);
    expect(await kidOf(sleeper)).toBe(newest);
  });

  it('an instance learns of new keys within two minutes, without making anybody wait', async () => {
    const store = await aStore();
    const [one, another] = [on(store, SECRET), on(store, SECRET)];
    await one.get();
    await another.get();
    later(30 * DAY);
    await another.get();
    await one.turnOver();
    later(121);
    expect((await another.get()).versionId).toBe((await one.get()).versionId);
  });
});
