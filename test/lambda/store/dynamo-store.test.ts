import { GetItemCommand, PutItemCommand } from '@aws-sdk/client-dynamodb';
import { Keyv } from 'keyv';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test, vi } from 'vitest';
import { DynamoStore } from '../../../lambda/store/dynamo-store';
import { LONGEST_LIFETIME, RESOURCES_PARTITION } from '../../../lib/contract';
import { clientFor, createTable, type TestTable } from './dynamodb';

let table: TestTable;
let store: DynamoStore;

beforeAll(async () => {
  table = await createTable();
});
afterAll(() => table[Symbol.asyncDispose]());

/** A second that has begun and is not over soon: times in the tests are relative to it. */
const NOW = Date.UTC(2031, 0, 1);
const SECONDS = NOW / 1000;

let tests = 0;
/** A key that no other test uses. */
let key: string;

beforeEach(() => {
  store = new DynamoStore({ client: table.client, tableName: table.tableName });
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

async function item(pk: string, sk: string) {
  const { Item } = await table.client.send(
    new GetItemCommand({ TableName: table.tableName, Key: { pk: { S: pk }, sk: { S: sk } }, ConsistentRead: true }),
  );
  return Item;
}

describe('a record', () => {
  test('lies in the table as the schema says', async () => {
    await store.set(key, { scope: 'read' }, NOW + 60_000);
    await store.consume(key);
    expect(await item(`grant#${tests}`, '/refresh#1')).toEqual({
      pk: { S: `grant#${tests}` },
      sk: { S: '/refresh#1' },
      v: { N: '1' },
      value: { S: '{"scope":"read"}' },
      expiresAt: { N: String(SECONDS + 60) },
      consumedAt: { N: String(SECONDS) },
      claimedBy: { S: expect.any(String) },
    });
  });

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

  test.each([[null], [false], [0], [''], ['{"value":1}'], [[1, { a: 'ü' }]], [{ value: 'v', expires: 1 }]])(
    'holds %j',
    async (value) => {
      await store.set(key, value);
      expect(await store.get(key)).toEqual(value);
      expect((await record())?.value).toEqual(value);
    },
  );

  test.each([[undefined], [Symbol('s')], [() => 1]])('that JSON cannot hold is refused in words: %s', async (value) => {
    await expect(store.set(key, value)).rejects.toThrow(`A value of type ${typeof value} was given to the store`);
    await expect(store.putIfAbsent(key, value, NOW + 1000)).rejects.toThrow(TypeError);
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

  test('that was written at deployment without expiry is there, and is listed', async () => {
    const identifier = 'https://mcp.example.com/mcp';
    await table.client.send(
      new PutItemCommand({
        TableName: table.tableName,
        Item: { pk: { S: RESOURCES_PARTITION }, sk: { S: `/${identifier}` }, v: { N: '1' }, value: { S: '{"a":1}' } },
      }),
    );
    const expected = { key: `${RESOURCES_PARTITION}/${identifier}`, value: { a: 1 } };
    vi.setSystemTime(NOW + 1000 * LONGEST_LIFETIME * 1000);
    expect(await record(expected.key)).toEqual(expected);
    expect(await store.list(RESOURCES_PARTITION)).toEqual([expected]);
    expect(await store.putIfAbsent(expected.key, { a: 2 }, Date.now() + 1000)).toBe(false);
    expect(await store.consume(expected.key)).toBe(true);
  });

  test('with a key that DynamoDB cannot hold is refused in words, on reads too', async () => {
    const long = 'p'.repeat(2049);
    await expect(store.set(long, 1)).rejects.toThrow('partition key of 2049 bytes');
    await expect(store.get(long)).rejects.toThrow('partition key of 2049 bytes');
    await expect(store.consume(long)).rejects.toThrow('partition key of 2049 bytes');
  });
});

describe.each([
  ['a whole second', NOW + 5000, NOW + 4999],
  ['a millisecond', NOW + 4500, NOW + 4499],
])('a record that expires at %s', (_, expires, lastMoment) => {
  beforeEach(() => store.set(key, 1, expires));

  test('is there until then', async () => {
    vi.setSystemTime(lastMoment);
    expect(await store.get(key)).toBe(1);
    expect(await store.has(key)).toBe(true);
    expect(await store.list(`grant#${tests}`)).toHaveLength(1);
    expect(await store.putIfAbsent(key, 2, NOW + 60_000)).toBe(false);
    expect(await store.consume(key)).toBe(true);
  });

  test('is not there from then on, although it is in the table', async () => {
    vi.setSystemTime(expires);
    expect(await store.get(key)).toBeUndefined();
    expect(await store.getMany([key])).toEqual([undefined]);
    expect(await store.has(key)).toBe(false);
    expect(await store.hasMany([key])).toEqual([false]);
    expect(await store.read([key])).toEqual([undefined]);
    expect(await store.list(`grant#${tests}`)).toEqual([]);
    expect(await store.consume(key)).toBe(false);
    expect(await item(`grant#${tests}`, '/refresh#1')).toMatchObject({ value: { S: '1' } });
    expect(await store.delete(key)).toBe(false);
    expect(await item(`grant#${tests}`, '/refresh#1')).toBeUndefined();
  });

  test('makes room from then on', async () => {
    await store.consume(key);
    vi.setSystemTime(expires);
    expect(await store.putIfAbsent(key, 2, NOW + 60_000)).toBe(true);
    expect(await record()).toEqual({ key, value: 2, expiresAt: SECONDS + 60 });
  });
});

test('a record that is written with a deadline in the past is not there', async () => {
  await store.set(key, 1, NOW - 1);
  expect(await store.get(key)).toBeUndefined();
  expect(await store.putIfAbsent(key, 2, NOW - 1)).toBe(true);
  expect(await store.get(key)).toBeUndefined();
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

  test('of nothing fails and leaves nothing behind', async () => {
    expect(await store.consume(`${key}0`, { grace: 60, seen: SECONDS })).toBe(false);
    expect(await item(`grant#${tests}`, '/refresh#10')).toBeUndefined();
  });
});

describe('putIfAbsent', () => {
  test('leaves a record that is there as it is', async () => {
    expect(await store.putIfAbsent(key, 1, NOW + 1000)).toBe(true);
    await store.consume(key);
    expect(await store.putIfAbsent(key, 2, NOW + 9000)).toBe(false);
    expect(await record()).toEqual({ key, value: 1, expiresAt: SECONDS + 1, consumedAt: SECONDS });
  });
});

describe('list', () => {
  test('gives one partition, by prefix where wanted', async () => {
    const grant = `grant#${tests}`;
    const all = [grant, `${grant}/code#1`, `${grant}/grant`, `${grant}/refresh#1`, `${grant}/refresh#2`];
    for (const one of [...all, `${grant}0/grant`, 'grant']) await store.set(one, one);
    expect((await store.list(grant)).map((found) => found.key).sort()).toEqual(all);
    expect((await store.list(grant, { prefix: '/refresh#' })).map((found) => found.value)).toEqual(all.slice(3));
    expect(await store.list(`${grant}00`)).toEqual([]);
  });

  test('goes through all pages', async () => {
    // A page of DynamoDB holds 1 MB.
    const large = 'x'.repeat(350_000);
    for (let i = 0; i < 7; i++) await store.set(`large/${i}`, `${i}${large}`);
    expect((await store.list('large')).map((found) => String(found.value).slice(0, 2))).toEqual(
      Array.from({ length: 7 }, (_, i) => `${i}x`),
    );
  });
});

describe('many keys', () => {
  test('are written, read in order with those missing and repeated, and deleted', async () => {
    const keys = Array.from({ length: 230 }, (_, i) => `many/${i}`);
    const entries = keys.map((one, i) => ({ key: one, value: i, expires: NOW + (i === 7 ? 1 : 60_000) }));
    expect(await store.setMany(entries)).toEqual(keys.map(() => true));
    vi.setSystemTime(NOW + 1000);
    const asked = [...keys, 'many/absent', ...keys.slice(0, 3)].reverse();
    const expected = [...keys.keys(), undefined, 0, 1, 2].map((i) => (i === 7 ? undefined : i)).reverse();
    expect(await store.getMany(asked)).toEqual(expected);
    expect(await store.hasMany(asked)).toEqual(expected.map((i) => i !== undefined));
    expect((await store.read(asked)).map((found) => found?.key)).toEqual(
      expected.map((i) => (i === undefined ? undefined : `many/${i}`)),
    );
    expect(await store.deleteMany([...keys, 'many/absent'])).toEqual([...keys.map((_, i) => i !== 7), false]);
    expect(await store.list('many')).toEqual([]);
  });

  test('may be none', async () => {
    expect(await store.read([])).toEqual([]);
    expect(await store.setMany([])).toEqual([]);
    expect(await store.deleteMany([])).toEqual([]);
  });

  test('the last of two entries with one key counts', async () => {
    await store.setMany([1, 2, 3].map((value) => ({ key, value })));
    expect(await store.get(key)).toBe(3);
  });
});

describe('a namespace', () => {
  test('keeps its records apart from those of others and of none', async () => {
    const ofKey = key;
    const stores = [undefined, 'a', 'b', 'a:/b'].map(
      (namespace) => new DynamoStore({ client: table.client, tableName: table.tableName, namespace }),
    );
    for (const one of stores) await one.set(ofKey, one.namespace ?? 'none');
    for (const one of stores) {
      const expected = { key: ofKey, value: one.namespace ?? 'none' };
      expect(await one.read([ofKey])).toMatchObject([expected]);
      expect(await one.list(`grant#${tests}`)).toMatchObject([expected]);
    }
    expect(await stores[1]!.delete(ofKey)).toBe(true);
    expect(await Promise.all(stores.map((one) => one.has(ofKey)))).toEqual([true, false, true, true]);
  });
});

describe('an outage', () => {
  const operations: [string, (down: DynamoStore) => Promise<unknown>][] = [
    ['get', (down) => down.get('k')],
    ['has', (down) => down.has('k')],
    ['read', (down) => down.read(['k'])],
    ['list', (down) => down.list('k')],
    ['set', (down) => down.set('k', 1)],
    ['setMany', (down) => down.setMany([{ key: 'k', value: 1 }])],
    ['delete', (down) => down.delete('k')],
    ['putIfAbsent', (down) => down.putIfAbsent('k', 1, NOW + 1000)],
    ['consume', (down) => down.consume('k')],
  ];

  test.each(operations)('of the network is an error of %s', async (_, operation) => {
    const client = clientFor('http://127.0.0.1:1', 1);
    await expect(operation(new DynamoStore({ client, tableName: table.tableName }))).rejects.toMatchObject({
      code: 'ECONNREFUSED',
    });
  });

  test.each(operations)('of the table is an error of %s', async (_, operation) => {
    await expect(operation(new DynamoStore({ client: table.client, tableName: 'gone' }))).rejects.toMatchObject({
      name: 'ResourceNotFoundException',
    });
  });
});

describe('Keyv', () => {
  test('uses the store as it is, without a bridge', () => {
    const keyv = new Keyv({ store });
    expect(keyv.store).toBe(store);
    expect(store.capabilities).toMatchObject({ compatible: true, store: 'keyvStorage', expires: true });
  });

  test('reports what the store throws', async () => {
    const keyv = new Keyv({ store: new DynamoStore({ client: table.client, tableName: 'gone' }) });
    const errors: Error[] = [];
    keyv.on('error', (error) => errors.push(error));
    await keyv.get('k');
    await keyv.clear();
    expect(errors.map(({ name, message }) => `${name}: ${message}`)).toEqual([
      expect.stringContaining('ResourceNotFoundException'),
      expect.stringContaining('would take a Scan'),
    ]);
  });

  test('keeps a value to the millisecond', async () => {
    const keyv = new Keyv({ store, checkExpired: false });
    await keyv.set('k', 'v', 1500);
    vi.setSystemTime(NOW + 1499);
    expect(await keyv.get('k')).toBe('v');
    vi.setSystemTime(NOW + 1500);
    expect(await keyv.get('k')).toBeUndefined();
  });
});
