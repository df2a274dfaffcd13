import type { Store } from '../lambda/store/store';
import { adapterOf, isOneOf, type KeyvAdapter } from './keyv-adapter';
import { MemoryStore } from './memory-store';
import { type PostgresQuery, postgres } from './postgres';
import { evaluateOn } from './redis-client';
import { RedisStore } from './redis-store';
import { SingleProcessStore } from './single-process-store';
import { SqlStore } from './sql-store';
import { type SqliteQuery, sqlite } from './sqlite';

export interface StoreForOptions {
  /** Whether only this process uses the database. What has no conditional write of its own is used only then. */
  readonly singleProcess?: boolean;
}

/** The adapter has no conditional write that is known here, and the operator has not said that only one process uses it. */
export class UnknownAdapterError extends Error {
  override readonly name = 'UnknownAdapterError';
}

/**
 * The store of the authorization server on the database behind a Keyv. What Keyv itself does to keys and values (serialization,
 * compression, encryption) has no part in it, but its namespace has.
 *
 * @param keyv a Keyv (5 or 6), its storage adapter, or a store: `@keyv/redis`, `@keyv/valkey`, `@keyv/postgres`, `@keyv/sqlite`, a `DynamoStore`, or
 *   a Map, which is the memory of this process. The same one gives the same store. Where nobody listens to its `error` events, they are
 *   ignored from now on, for a Keyv throws them otherwise, which ends the process: the store reports what went wrong to its callers
 * @throws TypeError for anything else than a Keyv or an adapter
 * @throws UnknownAdapterError for any other adapter, unless `singleProcess`
 */
export function storeFor(keyv: unknown, options: StoreForOptions = {}): Store {
  if (isStore(keyv)) return keyv;
  const { adapter, namespace } = adapterOf(keyv);
  for (const emitter of new Set([keyv, adapter])) ignoreErrorEvents(emitter);
  const known = stores.get(adapter)?.get(namespace);
  if (known) return known;
  const store = createStore({ adapter, namespace }, options);
  const ofAdapter = stores.get(adapter) ?? new Map<string | undefined, Store>();
  stores.set(adapter, ofAdapter.set(namespace, store));
  return store;
}

const stores = new WeakMap<object, Map<string | undefined, Store>>();

function createStore({ adapter, namespace }: KeyvAdapter, { singleProcess = false }: StoreForOptions): Store {
  if (isStore(adapter)) return adapter;
  if (adapter instanceof Map) return new MemoryStore(namespace);
  const evaluate = evaluateOn(adapter);
  if (evaluate) return new RedisStore(evaluate, namespace);
  if (isOneOf(adapter, ['KeyvPostgres']) && 'query' in adapter) {
    const { query, schema, opts } = adapter as PostgresAdapter;
    return new SqlStore(postgres(query, schema ?? opts?.schema), namespace);
  }
  if (isOneOf(adapter, ['KeyvSqlite']) && 'query' in adapter) {
    return new SqlStore(sqlite((adapter as SqliteAdapter).query), namespace);
  }
  if (singleProcess) return new SingleProcessStore(adapter, namespace);
  throw new UnknownAdapterError(
    `The store is a Keyv on ${adapter.constructor?.name ?? 'an adapter'}. A code or a refresh token may be used once, which takes a ` +
      'conditional write of the database, and Keyv has none. Use @keyv/redis (4 or newer), @keyv/valkey, @keyv/postgres or @keyv/sqlite; ' +
      'or, if no more than one process will ever use this database, say so by singleProcess: true.',
  );
}

interface PostgresAdapter {
  readonly query: PostgresQuery;
  /** Of version 6. */
  readonly schema?: string;
  /** Of version 2. */
  readonly opts?: { readonly schema?: string };
}

interface SqliteAdapter {
  readonly query: SqliteQuery;
}

function isStore(adapter: unknown): adapter is Store {
  if (typeof adapter !== 'object' || adapter === null) return false;
  return ['read', 'putIfAbsent', 'consume'].every((method) => method in adapter);
}

function ignoreErrorEvents(emitter: unknown): void {
  const { listeners, on } = emitter as {
    readonly listeners?: (event: string) => unknown[] | undefined;
    readonly on?: (event: string, listener: () => void) => unknown;
  };
  if (typeof listeners !== 'function' || typeof on !== 'function') return;
  if (!listeners.call(emitter, 'error')?.length) on.call(emitter, 'error', () => {});
}
