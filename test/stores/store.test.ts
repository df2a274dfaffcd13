import { afterEach, beforeAll, beforeEach, describe, expect, test, vi } from 'vitest';
import type { Store } from '../../lambda/store/store';
import { LONGEST_LIFETIME } from '../../lib/contract';
import { DATABASES, describeOn, OTHERS } from './databases';

/** A second that has begun and is not over soon: times in the tests are relative to it. */
const NOW = Date.UTC(2100, 0, 1);
const SECONDS = NOW / 1000;

let tests = 0;

describeOn([...DATABASES, ...OTHERS], (database) => {
  let store: Store;
  /** A key that no other test uses. */
  let key: string;

  beforeAll(() => {
    store = database().inNamespace(undefined);
  });
  beforeEach(() => {
    key = `grant#${++tests}/refresh#1`;
    vi.setSystemTime(NOW);
  });
  afterEach(() => {
    vi.useRealTimers();
  });

  async function record(ofKey = key) {
    const [found] = await store.read([ofKey]);
    return found;
  }

  describe('a record', () => {
    test('is read as it was written, with its times in epoch seconds', async () => {
      await store.set(key, { scope: 'read' }, NOW + 60_000);
      expect(await record()).toEqual({ key, value: { scope: 'read' }, expiresAt: SECONDS + 60 });
      await store.consume(key, { now: SECONDS + 1 });
      expect(await record()).toEqual({
        key,
        value: { scope: 'read' },
        expiresAt: SECONDS + 60,
        consumedAt: SECONDS + 1,
      });
    });

    test.each([
      [null],
      [false],
      [0],
      [''],
      ['{"value":1}'],
      [[1, { a: 'ü🔑\u0000' }]],
      [{ value: 'v', expires: 1 }],
      [{ colon: ':base64:AAAA' }],
    ])('holds %j', async (value) => {
      await store.set(key, value);
      expect((await record())?.value).toEqual(value);
    });

    test.each([[undefined], [Symbol('s')], [() => 1]])(
      'that JSON cannot hold is refused in words: %s',
      async (value) => {
        const words = `A value of type ${typeof value} was given to the store`;
        await expect(store.set(key, value)).rejects.toThrow(words);
        await expect(store.putIfAbsent(key, value, NOW + 1000)).rejects.toThrow(TypeError);
      },
    );

    test('has a key with whatever is not a slash', async () => {
      const odd = 'person#ü🔑 {}%\'"\\;--/grant#:}{*?';
      await store.set(odd, 1, NOW + 1000);
      expect(await record(odd)).toEqual({ key: odd, value: 1, expiresAt: SECONDS + 1 });
      expect(await store.list('person#ü🔑 {}%\'"\\;--', { prefix: '/grant#:}' })).toHaveLength(1);
    });

    test('whose key is empty, or cannot be told from others, is refused in words, on reads too', async () => {
      await expect(store.set('', 1)).rejects.toThrow('is empty');
      await expect(store.read(['\ud800'])).rejects.toThrow('unpaired surrogate');
    });

    test('is no one else’s to change', async () => {
      const value = { scopes: ['read'] };
      await store.set(key, value, NOW + 60_000);
      value.scopes.push('write');
      const first = (await record())?.value as typeof value;
      first.scopes.push('delete');
      expect((await record())?.value).toEqual({ scopes: ['read'] });
    });

    test('that was consumed is unconsumed once it is replaced', async () => {
      await store.set(key, 1, NOW + 60_000);
      await store.consume(key);
      await store.set(key, 2, NOW + 60_000);
      expect(await record()).toEqual({ key, value: 2, expiresAt: SECONDS + 60 });
      expect(await store.consume(key)).toBe(true);
    });

    test.each([
      ['without expiry', undefined],
      ['that would never expire', Number.POSITIVE_INFINITY],
      ['that would live too long', NOW + (LONGEST_LIFETIME + 1) * 1000],
    ])('%s lives for 400 days', async (_, expires) => {
      await store.set(key, 1, expires);
      expect((await record())?.expiresAt).toBe(SECONDS + LONGEST_LIFETIME);
      await store.putIfAbsent(`${key}0`, 1, expires);
      expect((await record(`${key}0`))?.expiresAt).toBe(SECONDS + LONGEST_LIFETIME);
    });
  });

  describe('a record that is configuration', () => {
    test('has no end, whatever the clock says, until it is deleted', async () => {
      await store.set(key, 1, NOW + 60_000);
      await store.consume(key);
      await store.configure(key, { scope: 'read' });
      vi.setSystemTime(NOW + 10 * LONGEST_LIFETIME * 1000);
      expect(await record()).toEqual({ key, value: { scope: 'read' } });
      expect(await store.list(`grant#${tests}`)).toEqual([{ key, value: { scope: 'read' } }]);
      expect(await store.putIfAbsent(key, 2)).toBe(false);
      expect(await store.delete(key)).toBe(true);
      expect(await record()).toBeUndefined();
      expect(await store.list(`grant#${tests}`)).toEqual([]);
    });

    test('stays beside one that expires', async () => {
      await store.configure(key, 1);
      await store.set(`${key}0`, 2, NOW + 60_000);
      vi.setSystemTime(NOW + 60_000);
      expect(await store.list(`grant#${tests}`)).toEqual([{ key, value: 1 }]);
    });

    test('has an end as soon as it is an ordinary one', async () => {
      await store.configure(key, 1);
      await store.set(key, 2, NOW + 60_000);
      expect(await record()).toEqual({ key, value: 2, expiresAt: SECONDS + 60 });
      vi.setSystemTime(NOW + 60_000);
      expect(await record()).toBeUndefined();
    });
  });

  describe.each([
    ['a whole second', NOW + 5000, NOW + 4999],
    ['a millisecond', NOW + 4500, NOW + 4499],
  ])('a record that expires at %s', (_, expires, lastMoment) => {
    beforeEach(() => store.set(key, 1, expires));
    const partition = () => `grant#${tests}`;

    test('is there until then', async () => {
      vi.setSystemTime(lastMoment);
      expect((await record())?.value).toBe(1);
      expect(await store.list(partition())).toHaveLength(1);
      expect(await store.putIfAbsent(key, 2, NOW + 60_000)).toBe(false);
      expect(await store.consume(key)).toBe(true);
      expect(await store.delete(key)).toBe(true);
    });

    test('is not there from then on', async () => {
      vi.setSystemTime(expires);
      expect(await record()).toBeUndefined();
      expect(await store.list(partition())).toEqual([]);
      expect(await store.consume(key)).toBe(false);
      expect(await store.delete(key)).toBe(false);
    });

    test('makes room from then on', async () => {
      await store.consume(key);
      vi.setSystemTime(expires);
      expect(await store.putIfAbsent(key, 2, NOW + 60_000)).toBe(true);
      expect(await record()).toEqual({ key, value: 2, expiresAt: SECONDS + 60 });
      expect(await store.list(partition())).toHaveLength(1);
    });
  });

  test('a record that is written with a deadline in the past is not there', async () => {
    await store.set(key, 1, NOW - 1);
    expect(await record()).toBeUndefined();
    expect(await store.putIfAbsent(key, 2, NOW - 1)).toBe(true);
    expect(await record()).toBeUndefined();
  });

  describe('consume', () => {
    beforeEach(() => store.set(key, 1, NOW + 3_600_000));

    const at = (seconds: number, options: { grace?: number; seen?: number } = {}) =>
      store.consume(key, { now: SECONDS + seconds, ...options });

    test('without grace succeeds once, within the same second too', async () => {
      expect(await at(0)).toBe(true);
      expect(await at(0)).toBe(false);
      expect(await at(0, { grace: 0 })).toBe(false);
      expect(await at(1)).toBe(false);
    });

    test('succeeds again within the grace window, which begins with the first time', async () => {
      expect(await at(0, { grace: 60 })).toBe(true);
      expect(await at(40, { grace: 60 })).toBe(true);
      expect(await at(60, { grace: 60 })).toBe(true);
      expect(await at(61, { grace: 60 })).toBe(false);
      expect((await record())?.consumedAt).toBe(SECONDS);
    });

    test('succeeds again for a clock that is behind the first caller’s, within the grace window only', async () => {
      expect(await at(5)).toBe(true);
      expect(await at(0, { grace: 60 })).toBe(true);
      expect(await at(0)).toBe(false);
    });

    test('succeeds again for who has seen when it was consumed, and begins the grace window anew', async () => {
      expect(await at(0)).toBe(true);
      expect(await at(600, { grace: 60 })).toBe(false);
      expect(await at(600, { grace: 60, seen: SECONDS + 1 })).toBe(false);
      expect(await at(600, { grace: 60, seen: SECONDS })).toBe(true);
      expect((await record())?.consumedAt).toBe(SECONDS + 600);
      expect(await at(600, { seen: SECONDS })).toBe(false);
      expect(await at(660, { grace: 60 })).toBe(true);
    });

    test('succeeds for who has seen a time, where the record is unconsumed', async () => {
      expect(await at(600, { seen: SECONDS })).toBe(true);
      expect((await record())?.consumedAt).toBe(SECONDS + 600);
    });

    test('fails once the record has expired by the caller’s clock', async () => {
      expect(await at(3600)).toBe(false);
      expect(await at(3599)).toBe(true);
      expect(await at(3600, { grace: 60, seen: SECONDS + 3599 })).toBe(false);
    });

    test('keeps value and deadline', async () => {
      await at(0);
      expect(await record()).toEqual({ key, value: 1, expiresAt: SECONDS + 3600, consumedAt: SECONDS });
    });

    test('of nothing fails and leaves nothing behind', async () => {
      expect(await store.consume(`${key}0`, { grace: 60, seen: SECONDS })).toBe(false);
      expect(await record(`${key}0`)).toBeUndefined();
      expect(await store.putIfAbsent(`${key}0`, 1, NOW + 1000)).toBe(true);
    });
  });

  describe('replace', () => {
    test('replaces what the caller has consumed, and leaves it unconsumed', async () => {
      await store.set(key, 1, NOW + 1000);
      await store.consume(key);
      expect(await store.replace(key, 2, NOW + 9000, SECONDS)).toBe(true);
      expect(await record()).toEqual({ key, value: 2, expiresAt: SECONDS + 9 });
      expect(await store.list(`grant#${tests}`)).toHaveLength(1);
    });

    test('of twenty at once one succeeds', async () => {
      await store.set(key, 1, NOW + 1000);
      await store.consume(key);
      const all = Array.from({ length: 20 }, (_, i) => store.replace(key, i, NOW + 9000, SECONDS));
      expect((await Promise.all(all)).filter(Boolean)).toHaveLength(1);
    });

    test('leaves what somebody else has consumed since, or nobody, as it is', async () => {
      await store.set(key, 1, NOW + 1000);
      expect(await store.replace(key, 2, NOW + 9000, SECONDS)).toBe(false);
      await store.consume(key);
      expect(await store.replace(key, 2, NOW + 9000, SECONDS - 1)).toBe(false);
      expect(await record()).toEqual({ key, value: 1, expiresAt: SECONDS + 1, consumedAt: SECONDS });
    });

    test('of what is gone fails, and leaves nothing behind', async () => {
      await store.set(key, 1, NOW + 1000);
      await store.consume(key);
      await store.delete(key);
      expect(await store.replace(key, 2, NOW + 9000, SECONDS)).toBe(false);
      expect(await record()).toBeUndefined();
      expect(await store.list(`grant#${tests}`)).toEqual([]);
    });
  });

  describe('putIfAbsent', () => {
    test('leaves a record that is there as it is', async () => {
      expect(await store.putIfAbsent(key, 1, NOW + 1000)).toBe(true);
      await store.consume(key);
      expect(await store.putIfAbsent(key, 2, NOW + 9000)).toBe(false);
      expect(await record()).toEqual({ key, value: 1, expiresAt: SECONDS + 1, consumedAt: SECONDS });
    });

    test('writes what has been deleted', async () => {
      await store.set(key, 1, NOW + 1000);
      expect(await store.delete(key)).toBe(true);
      expect(await store.putIfAbsent(key, 2, NOW + 1000)).toBe(true);
      expect(await store.list(`grant#${tests}`)).toHaveLength(1);
    });
  });

  test('a count begins with 1, and is not a record', async () => {
    const name = `registrations#${tests}#all`;
    expect(await store.count(name, NOW + 60_000)).toBe(1);
    expect(await store.count(name, NOW + 60_000)).toBe(2);
    expect(await store.count(`${name}0`, NOW + 60_000)).toBe(1);
  });

  describe('list', () => {
    test('gives one partition, in order, by prefix where wanted', async () => {
      const grant = `grant#${tests}`;
      const all = [grant, `${grant}/code#1`, `${grant}/grant`, `${grant}/refresh#1`, `${grant}/refresh#2`];
      for (const one of [...all, `${grant}0/grant`, 'grant'].reverse()) await store.set(one, one);
      const listed = (await store.list(grant)).map((found) => found.key);
      expect(listed.filter((one) => one !== grant)).toEqual(all.slice(1));
      expect(listed).toContain(grant);
      expect((await store.list(grant, { prefix: '/refresh#' })).map((found) => found.value)).toEqual(all.slice(3));
      expect(await store.list(`${grant}00`)).toEqual([]);
    });

    test('takes no prefix for a pattern', async () => {
      await store.set(key, 1);
      for (const prefix of ['/refresh_', '%', '/refresh*', '/REFRESH']) {
        expect(await store.list(`grant#${tests}`, { prefix })).toEqual([]);
      }
    });

    test('has each record as it is now', async () => {
      await store.set(key, 1, NOW + 60_000);
      await store.set(key, 2, NOW + 90_000);
      await store.consume(key);
      const expected = { key, value: 2, expiresAt: SECONDS + 90, consumedAt: SECONDS };
      expect(await store.list(`grant#${tests}`)).toEqual([expected]);
    });

    test('has all of a large partition', async () => {
      // A page of DynamoDB holds 1 MB.
      const large = 'x'.repeat(350_000);
      for (let i = 0; i < 7; i++) await store.set(`large/${i}`, `${i}${large}`);
      expect((await store.list('large')).map((found) => String(found.value).slice(0, 2))).toEqual(
        Array.from({ length: 7 }, (_, i) => `${i}x`),
      );
    });
  });

  describe('many keys', () => {
    test('are read in order with those missing and repeated, and deleted', async () => {
      const keys = Array.from({ length: 230 }, (_, i) => `many/${i}`);
      await Promise.all(keys.map((one, i) => store.set(one, i, NOW + (i === 7 ? 1 : 60_000))));
      vi.setSystemTime(NOW + 1000);
      const asked = [...keys, 'many/absent', ...keys.slice(0, 3)].reverse();
      const expected = [...keys.keys(), undefined, 0, 1, 2].map((i) => (i === 7 ? undefined : i)).reverse();
      const read = await store.read(asked);
      expect(read.map((found) => found?.value)).toEqual(expected);
      expect(read.map((found) => found?.key)).toEqual(expected.map((i) => (i === undefined ? undefined : `many/${i}`)));
      expect(await store.deleteMany([...keys, 'many/absent'])).toEqual([...keys.map((_, i) => i !== 7), false]);
      expect(await store.list('many')).toEqual([]);
    });

    test('may be none', async () => {
      expect(await store.read([])).toEqual([]);
      expect(await store.deleteMany([])).toEqual([]);
    });
  });

  test('a namespace keeps its records apart from those of others and of none', async () => {
    const namespaces = [undefined, 'a', 'b', 'a:/b'];
    const stores = namespaces.map((namespace) => database().inNamespace(namespace));
    for (const [i, one] of stores.entries()) await one.set(key, namespaces[i] ?? 'none');
    for (const [i, one] of stores.entries()) {
      const expected = { key, value: namespaces[i] ?? 'none' };
      expect(await one.read([key])).toMatchObject([expected]);
      expect(await one.list(`grant#${tests}`)).toMatchObject([expected]);
    }
    expect(await stores[1]!.delete(key)).toBe(true);
    const there = await Promise.all(stores.map((one) => one.read([key])));
    expect(there.map(([found]) => found !== undefined)).toEqual([true, false, true, true]);
  });
});
