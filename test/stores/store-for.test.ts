import { mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import KeyvPostgres from '@keyv/postgres';
import KeyvRedis from '@keyv/redis';
import { KeyvSqlite } from '@keyv/sqlite';
import KeyvValkey from '@keyv/valkey';
import { Keyv } from 'keyv';
import { Keyv as Keyv5 } from 'keyv-5';
import KeyvPostgres6 from 'keyv-postgres-6';
import KeyvRedis6 from 'keyv-redis-6';
import { KeyvSqlite as KeyvSqlite4 } from 'keyv-sqlite-4';
import { describe, expect, test, vi } from 'vitest';
import { DynamoStore } from '../../lambda/store/dynamo-store';
import { StoreUnavailable } from '../../lambda/store/store';
import { MemoryStore } from '../../stores/memory-store';
import { RedisStore } from '../../stores/redis-store';
import { SingleProcessStore } from '../../stores/single-process-store';
import { SqlStore } from '../../stores/sql-store';
import { storeFor } from '../../stores/store-for';
import { clientFor } from '../lambda/store/dynamodb';
import { SOON } from '../support/soon';
import '../support/sqlite3.mjs';

const NOWHERE = '127.0.0.1:1';

class Ours extends KeyvSqlite {}

/** A database of someone's own. */
class FileAdapter {
  fails = false;
  async get(): Promise<unknown> {
    if (this.fails) throw new Error('disk gone');
    return undefined;
  }
  async set(): Promise<void> {
    if (this.fails) throw new Error('disk gone');
  }
  async delete(): Promise<boolean> {
    if (this.fails) throw new Error('disk gone');
    return false;
  }
  async clear(): Promise<void> {}
}

describe('the store for', () => {
  test.each([
    ['a Keyv', () => new Keyv(), MemoryStore],
    ['a Keyv 5', () => new Keyv5(), MemoryStore],
    ['a Map', () => new Map(), MemoryStore],
    ['a Keyv on a Map', () => new Keyv({ store: new Map() }), MemoryStore],
    ['@keyv/redis', () => new KeyvRedis(`redis://${NOWHERE}`), RedisStore],
    ['@keyv/redis 6', () => new KeyvRedis6(`redis://${NOWHERE}`), RedisStore],
    ['@keyv/valkey', () => new KeyvValkey(`redis://${NOWHERE}`, { lazyConnect: true }), RedisStore],
    ['@keyv/postgres', () => new KeyvPostgres(`postgres://${NOWHERE}`), SqlStore],
    ['@keyv/postgres 6', () => new KeyvPostgres6(`postgres://${NOWHERE}`), SqlStore],
    ['@keyv/sqlite', () => new KeyvSqlite4('sqlite://:memory:'), SqlStore],
    ['@keyv/sqlite 6', () => new KeyvSqlite('sqlite://:memory:'), SqlStore],
    ['one that extends an official adapter', () => new Ours(), SqlStore],
  ])('%s is the database’s own, whether a Keyv is around it or not', (_, create, expected) => {
    const given = create();
    expect(storeFor(given)).toBeInstanceOf(expected);
    if (given instanceof Keyv || given instanceof Keyv5) return;
    expect(storeFor(new Keyv({ store: given }))).toBeInstanceOf(expected);
  });

  test('a DynamoStore is that itself', () => {
    const store = new DynamoStore({ client: clientFor(`http://${NOWHERE}`), tableName: 'auth' });
    expect(storeFor(new Keyv({ store }))).toBe(store);
  });

  test('the same Keyv is the same store, and another namespace another', async () => {
    const map = new Map();
    const store = storeFor(new Keyv({ store: map, namespace: 'a' }));
    expect(storeFor(new Keyv({ store: map, namespace: 'a' }))).toBe(store);
    expect(storeFor(new Keyv({ store: map, namespace: 'b' }))).not.toBe(store);
    expect(storeFor(new Keyv())).not.toBe(storeFor(new Keyv()));
  });

  test('a Keyv 5 without a namespace is the one without a namespace, whatever another Keyv on its adapter has', () => {
    const adapter = new KeyvSqlite4('sqlite://:memory:');
    const store = storeFor(adapter);
    const keyv = new Keyv5({ store: adapter });
    expect(storeFor(keyv)).toBe(store);
    const cache = storeFor(new Keyv5({ store: adapter, namespace: 'cache' }));
    expect(cache).not.toBe(store);
    expect(storeFor(keyv)).toBe(store);
  });

  test('any other adapter is refused, and told why and what to do', () => {
    const refused = () => storeFor(new Keyv({ store: new FileAdapter() }));
    expect(refused).toThrow('The store is a Keyv on FileAdapter.');
    expect(refused).toThrow('conditional write');
    expect(refused).toThrow('singleProcess: true');
  });

  test('what only has the name of an official adapter is any other adapter', () => {
    class KeyvRedis extends FileAdapter {}
    expect(() => storeFor(new KeyvRedis())).toThrow('The store is a Keyv on KeyvRedis.');
  });

  test.each([[undefined], [null], ['redis://localhost'], [42], [{}], [new Date()]])(
    '%s is none, and is told what is needed',
    (given) => {
      expect(() => storeFor(given)).toThrow(TypeError);
      expect(() => storeFor(given)).toThrow('it needs to be a Keyv, or a storage adapter of Keyv');
    },
  );
});

test('an official adapter that does not answer is unavailable', async () => {
  class KeyvPostgres extends FileAdapter {
    query = () => new Promise(() => {});
  }
  await expect(storeFor(new KeyvPostgres()).read(['k'])).rejects.toThrow(StoreUnavailable);
});

describe('any other adapter in a single process', () => {
  test('that fails is unavailable, where Keyv would find nothing', async () => {
    const adapter = new FileAdapter();
    const store = storeFor(new Keyv({ store: adapter }), { singleProcess: true });
    expect(store).toBeInstanceOf(SingleProcessStore);
    expect(await store.read(['k'])).toEqual([undefined]);
    adapter.fails = true;
    for (const operation of [store.read(['k']), store.list('k'), store.set('k', 1), store.consume('k')]) {
      await expect(operation).rejects.toThrow(StoreUnavailable);
    }
    await expect(store.putIfAbsent('k', 1)).rejects.toThrow('disk gone');
    adapter.fails = false;
    expect(await store.read(['k'])).toEqual([undefined]);
  });

  test('that does not answer is unavailable, and nothing is done beside what it may still do', async () => {
    const adapter = new FileAdapter();
    const set = vi.spyOn(adapter, 'set');
    const store = storeFor(new Keyv({ store: adapter }), { singleProcess: true });
    let end = () => {};
    set.mockReturnValueOnce(
      new Promise((resolve) => {
        end = resolve;
      }),
    );
    const operations = [store.set('k', 1), store.set('k', 2)];
    await Promise.all(operations.map((operation) => expect(operation).rejects.toThrow(StoreUnavailable)));
    expect(set).toHaveBeenCalledOnce();
    end();
    await store.set('k', 3);
    // Each writes a record and the index.
    expect(set).toHaveBeenCalledTimes(6);
  });
});

describe('error events of a Keyv', () => {
  test('to which nobody listens do not end the process', () => {
    const keyv = new Keyv({ store: new Map() });
    storeFor(keyv);
    expect(() => keyv.emit('error', new Error('connection lost'))).not.toThrow();
  });

  test('go where the operator wants them', () => {
    const keyv = new Keyv({ store: new Map() });
    const listener = vi.fn();
    keyv.on('error', listener);
    storeFor(keyv);
    expect(keyv.listeners('error')).toEqual([listener]);
  });
});

describe('records that have expired', () => {
  const DAY = 86_400_000;

  test('are deleted from a database that does not do so by itself, some time after', async () => {
    const path = join(await mkdtemp(join(tmpdir(), 'sweep-')), 'records.db');
    const adapter = new KeyvSqlite(`sqlite://${path}`);
    const store = storeFor(adapter);
    const rows = async () => {
      const found = (await adapter.query('SELECT pk FROM mcp_oidc_auth')) as { readonly pk: string }[];
      return found.map(({ pk }) => pk).sort();
    };
    try {
      await store.set('old', 1, Date.now() + DAY);
      await store.count('count', Date.now() + DAY);
      await store.set('new', 1, Date.now() + 10 * DAY);
      vi.setSystemTime(Date.now() + 2 * DAY);
      await store.set('last', 1);
      await vi.waitFor(async () => expect(await rows()).toEqual(['last', 'new']), SOON);
    } finally {
      vi.useRealTimers();
      await adapter.disconnect();
    }
  });

  test('leave the memory of the process', async () => {
    const partitions = vi.spyOn(Map.prototype, 'delete');
    const store = storeFor(new Keyv());
    try {
      await store.set('grant#1/grant', 1, Date.now() + DAY);
      vi.setSystemTime(Date.now() + 2 * DAY);
      await store.set('grant#2/grant', 1);
      expect(partitions.mock.calls).toEqual([['/grant'], ['grant#1']]);
    } finally {
      vi.restoreAllMocks();
      vi.useRealTimers();
    }
  });
});
