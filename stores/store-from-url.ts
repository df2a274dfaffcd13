import type { DatabaseSync } from 'node:sqlite';
import { setTimeout } from 'node:timers/promises';
import { OutOfTime } from '../lambda/provider/time-limit';
import type { Store } from '../lambda/store/store';
import { MemoryStore } from './memory-store';
import { postgres } from './postgres';
import { evaluateOn } from './redis-client';
import { type Evaluate, RedisStore } from './redis-store';
import { type Row, SqlStore } from './sql-store';
import { sqlite } from './sqlite';

/** A store whose connection is this one's own. */
export interface OpenStore {
  readonly store: Store;
  /** Closes the connection; the store is not used any more. */
  close(): Promise<void>;
}

/** In milliseconds: a database answers in a few, so what takes longer than this is lost. */
const TIMEOUT = 2_000;
/** In milliseconds, until a file that is locked is tried again. */
const LOOK_EVERY = 20;
/** https://www.sqlite.org/rescode.html#busy */
const SQLITE_BUSY = 5;

type Open = (url: string, namespace: string | undefined) => Promise<OpenStore>;

const OPEN: Readonly<Record<string, Open>> = {
  'memory:': async (_url, namespace) => ({ store: new MemoryStore(namespace), close: async () => {} }),
  'redis:': openRedis,
  'rediss:': openRedis,
  'valkey:': openValkey,
  'valkeys:': openValkey,
  'postgres:': openPostgres,
  'postgresql:': openPostgres,
  'sqlite:': openSqlite,
  'dynamodb:': openDynamoDb,
};

/** What URLs of stores begin with. */
export const STORE_SCHEMES: readonly string[] = Object.keys(OPEN);

/**
 * Opens the store that a URL names:
 * - `memory:` in this process, and gone with it;
 * - `redis://[user:password@]host[:port][/database]`, `rediss://` with TLS; `valkey://`, `valkeys://` the same;
 * - `postgres://[user:password@]host[:port]/database[?sslmode=...]`;
 * - `sqlite:<path>`;
 * - `dynamodb:<table>`, in the region and with the credentials that the AWS SDK finds in the environment.
 *
 * @param namespace of the records, where it is not the default one
 * @throws Error that says what was given and what is needed: another scheme, or a package that has to be installed
 */
export async function storeFromUrl(url: string, namespace?: string): Promise<OpenStore> {
  const scheme = schemeOf(url);
  const open = scheme === undefined ? undefined : OPEN[scheme];
  if (!open) {
    // Not the whole of it: it may have a password in it.
    throw new Error(
      `The URL of the store begins with ${JSON.stringify(scheme ?? url.slice(0, 3))}; it needs to begin with one of ${STORE_SCHEMES.join(' ')}`,
    );
  }
  return open(url, namespace);
}

export function schemeOf(url: string): string | undefined {
  return /^[a-z]+:/.exec(url)?.[0];
}

/** The file of a `sqlite:` URL, which may be written with or without slashes; empty where it names none. */
export function sqliteFile(url: string): string {
  return url.replace(/^sqlite:(\/\/)?/, '');
}

async function openRedis(url: string, namespace?: string): Promise<OpenStore> {
  const { default: KeyvRedis } = await load('@keyv/redis', () => import('@keyv/redis'));
  // What is older has another client, with which none of this is tried.
  if (!('connectionTimeout' in KeyvRedis.prototype)) throw tooOld('@keyv/redis', '5');
  const connect = () => new KeyvRedis({ url, socket: { connectTimeout: TIMEOUT } });
  return openReconnecting(connect, (adapter) => adapter.disconnect(true), namespace);
}

async function openValkey(url: string, namespace?: string): Promise<OpenStore> {
  const { default: KeyvValkey } = await load('@keyv/valkey', () => import('@keyv/valkey'));
  const connect = () => new KeyvValkey(url.replace(/^valkey/, 'redis'), { connectTimeout: TIMEOUT });
  return openReconnecting(connect, (adapter) => adapter.disconnect(), namespace);
}

/**
 * On a connection that has gone silent, the clients of Redis and Valkey wait for as long as the kernel does: a quarter of an hour. So one on
 * which an answer has not come in time is given up for another.
 *
 * @param disconnect at once, whatever is under way
 */
function openReconnecting<Adapter extends object>(
  connect: () => Adapter,
  disconnect: (adapter: Adapter) => Promise<unknown>,
  namespace?: string,
): OpenStore {
  const open = () => {
    const adapter = connect();
    return { adapter, evaluate: evaluateOn(adapter) as Evaluate };
  };
  let current = open();
  let closed = false;
  const evaluate: Evaluate = async (...command) => {
    const used = current;
    try {
      return await used.evaluate(...command);
    } catch (error) {
      if (error instanceof OutOfTime && used === current && !closed) {
        current = open();
        disconnect(used.adapter).catch(() => {});
      }
      throw error;
    }
  };
  async function close(): Promise<void> {
    closed = true;
    await disconnect(current.adapter);
  }
  return { store: new RedisStore(evaluate, namespace), close };
}

/** Not through @keyv/postgres, which leaves its pool without a listener for errors: a restart of the database would end the process. */
async function openPostgres(url: string, namespace?: string): Promise<OpenStore> {
  const { default: pg } = await load('pg', () => import('pg'));
  const pool = new pg.Pool({ connectionString: url, connectionTimeoutMillis: TIMEOUT, query_timeout: TIMEOUT });
  // Of a connection that nobody uses at the moment; the next statement gets another.
  pool.on('error', () => {});
  const query = async (text: string, values?: unknown[]) => (await pool.query<Row>(text, values)).rows;
  return { store: new SqlStore(postgres(query), namespace), close: () => pool.end() };
}

async function openSqlite(url: string, namespace?: string): Promise<OpenStore> {
  const { DatabaseSync } = await import('node:sqlite').catch((cause) => {
    throw new Error('A store in SQLite needs Node.js 22.13 or newer.', { cause });
  });
  const path = sqliteFile(url);
  if (path === '') throw new Error('The URL of the store names no file; it needs to be sqlite:<path>.');
  const database = await openedFile(path, DatabaseSync).catch((cause) => {
    throw new Error(`SQLite cannot open the file ${path}: ${cause.message}`, { cause });
  });
  const query = async (text: string, ...values: unknown[]) =>
    database.prepare(text).all(...(values as string[])) as unknown as Row[];
  return { store: new SqlStore(sqlite(query), namespace), close: async () => database.close() };
}

async function openedFile(path: string, Database: typeof DatabaseSync): Promise<DatabaseSync> {
  const database = new Database(path);
  await writeAhead(database);
  return database;
}

/** So that who reads does not wait for who writes. Another process that does the same, or writes, is waited for: SQLite itself does not. */
async function writeAhead(database: DatabaseSync): Promise<void> {
  const end = Date.now() + TIMEOUT;
  for (;;) {
    try {
      return database.exec('PRAGMA journal_mode = WAL');
    } catch (error) {
      if ((error as { readonly errcode?: number }).errcode !== SQLITE_BUSY || Date.now() >= end) throw error;
      await setTimeout(LOOK_EVERY);
    }
  }
}

async function openDynamoDb(url: string, namespace?: string): Promise<OpenStore> {
  const tableName = url.slice('dynamodb:'.length);
  if (tableName === '') throw new Error('The URL of the store names no table; it needs to be dynamodb:<table>.');
  const { DynamoDBClient } = await load('@aws-sdk/client-dynamodb', () => import('@aws-sdk/client-dynamodb'));
  const { DynamoStore } = await import('../lambda/store/dynamo-store.js');
  const client = new DynamoDBClient({
    requestHandler: { connectionTimeout: TIMEOUT, requestTimeout: TIMEOUT },
  });
  // Before that, these were no options but the handler itself.
  if (!('handle' in client.config.requestHandler)) throw tooOld('@aws-sdk/client-dynamodb', '3.521');
  const store = new DynamoStore({ client, tableName, ...named(namespace) });
  return { store, close: () => store.disconnect() };
}

function named(namespace: string | undefined): { readonly namespace?: string } {
  return namespace === undefined ? {} : { namespace };
}

async function load<Module>(name: string, load: () => Promise<Module>): Promise<Module> {
  try {
    return await load();
  } catch (cause) {
    const { code, message } = cause as { readonly code?: string; readonly message: string };
    if (!code?.endsWith('MODULE_NOT_FOUND') || !message.includes(name)) throw cause;
    throw new Error(`This store needs the package ${name}, which is not installed: npm install ${name}`, { cause });
  }
}

function tooOld(name: string, needed: string): Error {
  return new Error(
    `This store needs ${name} ${needed} or newer; an older one is installed: npm install ${name}@latest`,
  );
}
