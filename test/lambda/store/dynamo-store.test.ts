import { GetItemCommand, PutItemCommand } from '@aws-sdk/client-dynamodb';
import { Keyv } from 'keyv';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test, vi } from 'vitest';
import { DynamoStore } from '../../../lambda/store/dynamo-store';
import { LONGEST_LIFETIME, RESOURCES_PARTITION } from '../../../lib/contract';
import { clientFor, createTable, type TestTable } from './dynamodb';

/** What holds of every store is in test/stores/store.test.ts; here is what this one has beyond that. */
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
  ['a whole second', NOW + 5000],
  ['a millisecond', NOW + 4500],
])('a record that expires at %s', (_, expires) => {
  test('is not there from then on, although it is in the table', async () => {
    await store.set(key, 1, expires);
    vi.setSystemTime(expires);
    expect(await store.get(key)).toBeUndefined();
    expect(await store.has(key)).toBe(false);
    expect(await store.list(`grant#${tests}`)).toEqual([]);
    expect(await item(`grant#${tests}`, '/refresh#1')).toMatchObject({ value: { S: '1' } });
    expect(await store.delete(key)).toBe(false);
    expect(await item(`grant#${tests}`, '/refresh#1')).toBeUndefined();
  });
});

test('consume of nothing leaves nothing behind', async () => {
  expect(await store.consume(key, { grace: 60, seen: SECONDS })).toBe(false);
  expect(await item(`grant#${tests}`, '/refresh#1')).toBeUndefined();
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
  });

  test('may be none', async () => {
    expect(await store.setMany([])).toEqual([]);
  });

  test('the last of two entries with one key counts', async () => {
    await store.setMany([1, 2, 3].map((value) => ({ key, value })));
    expect(await store.get(key)).toBe(3);
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
