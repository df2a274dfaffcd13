import { mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setImmediate } from 'node:timers/promises';
import KeyvPostgres from '@keyv/postgres';
import KeyvRedis from '@keyv/redis';
import { KeyvSqlite } from '@keyv/sqlite';
import KeyvValkey from '@keyv/valkey';
import { Keyv } from 'keyv';
import { Keyv as Keyv5 } from 'keyv-5';
import KeyvPostgres6 from 'keyv-postgres-6';
import KeyvRedis6 from 'keyv-redis-6';
import { KeyvSqlite as KeyvSqlite4 } from 'keyv-sqlite-4';
import { afterAll, beforeAll, describe } from 'vitest';
import { type DynamoDbSender, DynamoStore } from '../../lambda/store/dynamo-store';
import type { Store } from '../../lambda/store/store';
import { storeFor } from '../../stores/store-for';
import { storeFromUrl } from '../../stores/store-from-url';
import { clientFor, createTable, lambdaClientFor } from '../lambda/store/dynamodb';
import { noteNotRun } from '../support/not-run';
import '../support/sqlite3.mjs';
import { postgresMissing, startPostgres } from './postgres-server';
import { redisMissing, startRedis } from './redis-server';

/** A database that runs, and ways to it that share nothing but it, as those of several processes do. */
export interface Database extends AsyncDisposable {
  /** As `STORE_URL` names it, where that is all that it takes. */
  readonly url?: string;
  /** A store on a connection of its own: in turn on a Keyv, of version 5 and of 6, and by its URL, where it has one. */
  connect(): Promise<Store>;
  /** A store on a Keyv with a namespace. */
  inNamespace(namespace: string | undefined): Store;
}

interface Kind {
  readonly name: string;
  /** Why it cannot be started here. */
  readonly missing?: string;
  start(): Promise<Database>;
}

export const DATABASES: readonly Kind[] = [
  { name: 'memory', start: startMemory },
  { name: 'DynamoDB', start: startDynamoDb },
  { name: 'SQLite', start: startSqlite },
  {
    name: 'Redis',
    ...(redisMissing === undefined ? {} : { missing: redisMissing }),
    start: () =>
      startRedisWith(
        [
          [Keyv5, (url) => new KeyvRedis(url)],
          [Keyv, (url) => new KeyvRedis6(url)],
        ],
        'redis:',
      ),
  },
  {
    name: 'PostgreSQL',
    ...(postgresMissing === undefined ? {} : { missing: postgresMissing }),
    start: startPostgresWithKeyv,
  },
];

/** Where what does not depend on the database is tested too. */
export const IN_DEPTH: readonly string[] = ['DynamoDB', 'PostgreSQL'];

/** Those whose conditions are not a database's own, or are another's by another client. */
export const OTHERS: readonly Kind[] = [
  {
    name: 'Redis by the client of Valkey',
    ...(redisMissing === undefined ? {} : { missing: redisMissing }),
    start: () =>
      startRedisWith(
        [
          [Keyv5, (url) => new KeyvValkey(url)],
          [Keyv, (url) => new KeyvValkey(url)],
        ],
        'valkey:',
      ),
  },
  { name: 'any other adapter, in a single process', start: startOther },
];

/** Tests that hold on every one of the databases; those that cannot be started here are skipped, and said to be at the end. */
export function describeOn(kinds: readonly Kind[], body: (database: () => Database, name: string) => void): void {
  for (const { name, missing, start } of kinds) {
    if (missing !== undefined) noteNotRun(missing);
    describe.skipIf(missing !== undefined)(missing === undefined ? `on ${name}` : `NOT RUN: ${missing}`, () => {
      let database: Database;
      beforeAll(async () => {
        database = await start();
      });
      afterAll(() => database[Symbol.asyncDispose]());
      body(() => database, name);
    });
  }
}

async function startMemory(): Promise<Database> {
  const map = new Map();
  const inNamespace = (namespace?: string) => storeFor(keyvOn(map, namespace));
  let connections = 0;
  const connect = async () => storeFor(keyvOn(map, undefined, connections++ % 2 === 0 ? Keyv5 : Keyv));
  return { connect, inNamespace, async [Symbol.asyncDispose]() {} };
}

async function startDynamoDb(): Promise<Database> {
  const table = await createTable();
  const inNamespace = (namespace?: string, client: DynamoDbSender = clientFor(table.endpoint)) =>
    storeFor(keyvOn(new DynamoStore({ client, tableName: table.tableName }), namespace));
  let connections = 0;
  /** Every other one on the client that the functions have. */
  const connect = async () =>
    inNamespace(undefined, connections++ % 2 === 0 ? undefined : lambdaClientFor(table.endpoint));
  return { connect, inNamespace, [Symbol.asyncDispose]: () => table[Symbol.asyncDispose]() };
}

async function startSqlite(): Promise<Database> {
  const path = join(await mkdtemp(join(tmpdir(), 'sqlite-')), 'records.db');
  const options = { uri: `sqlite://${path}`, busyTimeout: 5_000 };
  // The table that Keyv itself would use has another form in each version, and version 6 rebuilds that of version 4.
  return onAdapters(
    [
      [Keyv5, () => new KeyvSqlite4({ ...options, table: 'keyv4' })],
      [Keyv, () => new KeyvSqlite({ ...options, wal: true })],
    ],
    `sqlite:${path}`,
  );
}

async function startRedisWith(
  adapters: readonly [KeyvClass, (url: string) => Adapter][],
  scheme: string,
): Promise<Database> {
  const { url, process } = await startRedis();
  const opening = adapters.map(([ofVersion, adapter]): Way => [ofVersion, () => adapter(url)]);
  return onAdapters(opening, url.replace('redis:', scheme), () => process.stop());
}

async function startPostgresWithKeyv(): Promise<Database> {
  const { url, process } = await startPostgres();
  return onAdapters(
    [
      [Keyv5, () => new KeyvPostgres(url)],
      [Keyv, () => new KeyvPostgres6(url)],
    ],
    url,
    () => process.stop(),
  );
}

/** As someone writes it for a database of their own: nothing but what Keyv asks for. */
class OtherAdapter {
  readonly #map = new Map<string, unknown>();
  async get(key: string) {
    await setImmediate();
    return this.#map.get(key);
  }
  async set(key: string, value: unknown) {
    await setImmediate();
    this.#map.set(key, value);
  }
  async delete(key: string) {
    await setImmediate();
    return this.#map.delete(key);
  }
  async clear() {
    this.#map.clear();
  }
}

async function startOther(): Promise<Database> {
  const adapter = new OtherAdapter();
  const inNamespace = (namespace?: string) => storeFor(keyvOn(adapter, namespace), { singleProcess: true });
  return { connect: async () => inNamespace(), inNamespace, async [Symbol.asyncDispose]() {} };
}

type Adapter = object & { disconnect(): unknown };
type KeyvClass = new (options: { store: object; namespace?: string }) => object;

/** A version of Keyv, and of an adapter that npm installs beside it. */
type Way = readonly [KeyvClass, () => Adapter];

/** @param ways to one database, which are used in turn */
function onAdapters(ways: readonly Way[], url: string, stop: () => Promise<void> = async () => {}): Database {
  const closing: (() => Promise<unknown>)[] = [];
  let opened = 0;
  let connections = 0;
  const inNamespace = (namespace?: string) => {
    const [ofVersion, open] = ways[opened++ % ways.length]!;
    const adapter = open();
    closing.push(async () => adapter.disconnect());
    return storeFor(keyvOn(adapter, namespace, ofVersion));
  };
  return {
    url,
    inNamespace,
    async connect() {
      if (connections++ % 2 === 0) return inNamespace();
      const { store, close } = await storeFromUrl(url);
      closing.push(close);
      return store;
    },
    async [Symbol.asyncDispose]() {
      await Promise.allSettled(closing.map((close) => close()));
      await stop();
    },
  };
}

function keyvOn(store: object, namespace?: string, ofVersion: KeyvClass = Keyv): object {
  return new ofVersion({ store, ...(namespace === undefined ? {} : { namespace }) });
}
