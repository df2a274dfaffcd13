import { randomUUID } from 'node:crypto';
import { type ItemKey, itemKey, keyOfItem, partitionKey } from '../lambda/store/item-key';
import type { ConsumeOptions, Store, StoredRecord } from '../lambda/store/store';
import { deadlineOf, expiryOf, jsonOf, NEVER } from '../lambda/store/written-record';
import { SCHEMA_VERSION } from '../lib/contract';
import { answered } from './asked';
import { CONSUME, COUNT, DELETE, LIST, PUT, READ } from './redis-scripts';

/** Runs a script on the primary that has `keys`, all of which lie in one hash slot. Answers, or fails, in bounded time. */
export type Evaluate = (script: string, keys: string[], args: string[]) => Promise<unknown>;

/** Records in Redis or Valkey, alone or in a cluster. */
export class RedisStore implements Store {
  constructor(
    private readonly evaluate: Evaluate,
    private readonly namespace?: string,
  ) {}

  async read(keys: readonly string[]): Promise<(StoredRecord | undefined)[]> {
    const distinct = [...new Set(keys)];
    // Side by side: the clients send them as one pipeline, a cluster's each to the node that has the key.
    const records = await Promise.all(distinct.map((key) => this.#record(key)));
    const found = new Map(distinct.map((key, i) => [key, records[i]]));
    return keys.map((key) => found.get(key));
  }

  async set(key: string, value: unknown, expires?: number): Promise<boolean> {
    return this.#put(key, value, deadlineOf(expires), '');
  }

  async configure(key: string, value: unknown): Promise<void> {
    await this.#put(key, value, NEVER, '');
  }

  async putIfAbsent(key: string, value: unknown, expires?: number): Promise<boolean> {
    return this.#put(key, value, deadlineOf(expires), randomUUID());
  }

  async consume(key: string, { now, grace = 0, seen }: ConsumeOptions = {}): Promise<boolean> {
    const nowMs = now === undefined ? Date.now() : now * 1000;
    const seconds = Math.floor(nowMs / 1000);
    // A window of no length is none: it would let every caller of the same second through.
    const since = grace > 0 ? seconds - grace : '';
    return (await this.#run(CONSUME, [this.#recordKey(key)], [nowMs, seconds, since, seen ?? '', randomUUID()])) === 1;
  }

  async replace(key: string, value: unknown, expires: number, seen: number): Promise<boolean> {
    return this.#put(key, value, deadlineOf(expires), randomUUID(), seen);
  }

  async count(key: string, expires: number): Promise<number> {
    return Number(await this.#run(COUNT, [this.#recordKey(key)], [Math.ceil(expires), SCHEMA_VERSION]));
  }

  async list(partition: string, { prefix = '' }: { readonly prefix?: string } = {}): Promise<StoredRecord[]> {
    const pk = partitionKey(partition, this.namespace);
    const sortKeys = (await this.#run(LIST, [indexKey(pk)], [Date.now()])) as string[];
    // The record that has the partition's own name is not in the index.
    const keys = [...sortKeys, 'value']
      .filter((sk) => sk.startsWith(prefix))
      .sort()
      .map((sk) => keyOfItem({ pk, sk }, this.namespace));
    return (await this.read(keys)).filter((record) => record !== undefined);
  }

  async delete(key: string): Promise<boolean> {
    const { pk, sk } = itemKey(key, this.namespace);
    return (await this.#run(DELETE, [recordKey({ pk, sk }), indexKey(pk)], [Date.now(), sk])) === 1;
  }

  deleteMany(keys: string[]): Promise<boolean[]> {
    return Promise.all(keys.map((key) => this.delete(key)));
  }

  async #put(key: string, value: unknown, deadline: number, claim: string, seen?: number): Promise<boolean> {
    const { pk, sk } = itemKey(key, this.namespace);
    const args = [Date.now(), Math.ceil(deadline), jsonOf(value), SCHEMA_VERSION, sk, claim, seen ?? ''];
    return (await this.#run(PUT, [recordKey({ pk, sk }), indexKey(pk)], args)) === 1;
  }

  async #record(key: string): Promise<StoredRecord | undefined> {
    const answer = (await this.#run(READ, [this.#recordKey(key)], [])) as (string | null)[];
    const [value, deadline, consumedAt] = answer;
    if (value == null || Number(deadline) <= Date.now()) return undefined;
    return {
      key,
      value: JSON.parse(value),
      ...expiryOf(Number(deadline)),
      ...(consumedAt == null ? {} : { consumedAt: Number(consumedAt) }),
    };
  }

  #recordKey(key: string): string {
    return recordKey(itemKey(key, this.namespace));
  }

  #run(script: string, keys: string[], args: (string | number)[]): Promise<unknown> {
    return answered('Redis', () => this.evaluate(script, keys, args.map(String)));
  }
}

/** What is in braces decides on the hash slot of a cluster: a partition lies in one. */
function partitionTag(pk: string): string {
  return `mcp-oidc-auth:{${pk.replace(/[%{}]/g, encodeURIComponent)}}`;
}

function recordKey({ pk, sk }: ItemKey): string {
  return partitionTag(pk) + sk;
}

/** No sort key is called so: see item-key.ts. */
function indexKey(pk: string): string {
  return `${partitionTag(pk)}index`;
}
