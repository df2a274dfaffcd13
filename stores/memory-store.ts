import { itemKey, keyOfItem, partitionKey } from '../lambda/store/item-key';
import type { ConsumeOptions, Store, StoredRecord } from '../lambda/store/store';
import { deadlineOf, expiryOf, jsonOf, NEVER } from '../lambda/store/written-record';
import { mayConsume } from './may-consume';
import { SWEEP_EVERY } from './sweep';

interface Entry {
  /** JSON text, so that nobody who wrote or read a record can change it. */
  readonly value: string;
  /** Epoch milliseconds. */
  readonly deadline: number;
  readonly consumedAt?: number;
}

/** Records in the memory of this process, gone when it ends. Each operation is done before any other begins. */
export class MemoryStore implements Store {
  readonly #partitions = new Map<string, Map<string, Entry>>();
  readonly #counts = new Map<string, { readonly count: number; readonly deadline: number }>();
  #sweptAt = Date.now();

  constructor(private readonly namespace?: string) {}

  async read(keys: readonly string[]): Promise<(StoredRecord | undefined)[]> {
    return keys.map((key) => {
      const entry = this.#entry(key);
      return entry && recordOf(key, entry);
    });
  }

  async set(key: string, value: unknown, expires?: number): Promise<boolean> {
    this.#put(key, { value: jsonOf(value), deadline: deadlineOf(expires) });
    return true;
  }

  async configure(key: string, value: unknown): Promise<void> {
    this.#put(key, { value: jsonOf(value), deadline: NEVER });
  }

  async putIfAbsent(key: string, value: unknown, expires?: number): Promise<boolean> {
    const entry = { value: jsonOf(value), deadline: deadlineOf(expires) };
    if (this.#entry(key)) return false;
    this.#put(key, entry);
    return true;
  }

  async consume(key: string, options: ConsumeOptions = {}): Promise<boolean> {
    const { now = Math.floor(Date.now() / 1000), seen } = options;
    const entry = this.#entry(key, options.now === undefined ? Date.now() : now * 1000);
    if (!entry || !mayConsume(entry.consumedAt, now, options)) return false;
    this.#put(key, { ...entry, consumedAt: seen === undefined ? (entry.consumedAt ?? now) : now });
    return true;
  }

  async replace(key: string, value: unknown, expires: number, seen: number): Promise<boolean> {
    const entry = { value: jsonOf(value), deadline: deadlineOf(expires) };
    if (this.#entry(key)?.consumedAt !== seen) return false;
    this.#put(key, entry);
    return true;
  }

  async count(key: string, expires: number): Promise<number> {
    const count = (this.#counts.get(key)?.count ?? 0) + 1;
    this.#counts.set(key, { count, deadline: expires });
    return count;
  }

  async list(partition: string, { prefix = '' }: { readonly prefix?: string } = {}): Promise<StoredRecord[]> {
    const pk = partitionKey(partition, this.namespace);
    const now = Date.now();
    return [...(this.#partitions.get(pk) ?? [])]
      .filter(([sk, { deadline }]) => deadline > now && sk.startsWith(prefix))
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([sk, entry]) => recordOf(keyOfItem({ pk, sk }, this.namespace), entry));
  }

  async delete(key: string): Promise<boolean> {
    const there = this.#entry(key) !== undefined;
    const { pk, sk } = itemKey(key, this.namespace);
    const partition = this.#partitions.get(pk);
    partition?.delete(sk);
    if (partition?.size === 0) this.#partitions.delete(pk);
    return there;
  }

  deleteMany(keys: string[]): Promise<boolean[]> {
    return Promise.all(keys.map((key) => this.delete(key)));
  }

  #entry(key: string, now = Date.now()): Entry | undefined {
    const { pk, sk } = itemKey(key, this.namespace);
    const entry = this.#partitions.get(pk)?.get(sk);
    return entry && entry.deadline > now ? entry : undefined;
  }

  #put(key: string, entry: Entry): void {
    this.#sweep();
    const { pk, sk } = itemKey(key, this.namespace);
    const partition = this.#partitions.get(pk) ?? new Map<string, Entry>();
    this.#partitions.set(pk, partition.set(sk, entry));
  }

  /** Frees what has expired. */
  #sweep(): void {
    const now = Date.now();
    if (Math.abs(now - this.#sweptAt) < SWEEP_EVERY) return;
    this.#sweptAt = now;
    for (const [pk, partition] of this.#partitions) {
      for (const [sk, { deadline }] of partition) if (deadline <= now) partition.delete(sk);
      if (partition.size === 0) this.#partitions.delete(pk);
    }
    for (const [key, { deadline }] of this.#counts) if (deadline <= now) this.#counts.delete(key);
  }
}

function recordOf(key: string, { value, deadline, consumedAt }: Entry): StoredRecord {
  return {
    key,
    value: JSON.parse(value),
    ...expiryOf(deadline),
    ...(consumedAt === undefined ? {} : { consumedAt }),
  };
}
