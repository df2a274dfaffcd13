import { Keyv } from 'keyv';
import { itemKey, keyOfItem, partitionKey } from '../lambda/store/item-key';
import { type ConsumeOptions, type Store, type StoredRecord, StoreUnavailable } from '../lambda/store/store';
import { deadlineOf, expiryOf, jsonOf, NEVER } from '../lambda/store/written-record';
import { answered, asked } from './asked';
import { mayConsume } from './may-consume';

/** As the operator knows it. */
const NAME = 'The store';

interface Entry {
  /** JSON text: adapters differ in what becomes of a value. */
  readonly value: string;
  /** Epoch milliseconds. */
  readonly deadline: number;
  readonly consumedAt?: number;
}

/**
 * Records in whatever Keyv can use. Keyv has no conditional write, so this one reads and then writes, one operation on a partition at a
 * time: what may be used once is used once as long as no other process uses the same database.
 */
export class SingleProcessStore implements Store {
  readonly #keyv: Keyv;
  readonly #last = new Map<string, Promise<unknown>>();
  /** What Keyv, and some adapters, report as an event and answer as if nothing were there. */
  #reported: unknown;

  /** @param adapter a storage adapter for Keyv 5 or 6 */
  constructor(
    adapter: unknown,
    private readonly namespace?: string,
  ) {
    this.#keyv = new Keyv({ store: adapter, ...(namespace === undefined ? {} : { namespace }) });
    this.#keyv.on('error', (error) => {
      this.#reported = error ?? new Error('unknown');
    });
  }

  async read(keys: readonly string[]): Promise<(StoredRecord | undefined)[]> {
    return Promise.all(keys.map((key) => this.#record(key)));
  }

  async set(key: string, value: unknown, expires?: number): Promise<boolean> {
    const entry = { value: jsonOf(value), deadline: deadlineOf(expires) };
    await this.#alone(key, () => this.#put(key, entry));
    return true;
  }

  async configure(key: string, value: unknown): Promise<void> {
    const entry = { value: jsonOf(value), deadline: NEVER };
    await this.#alone(key, () => this.#put(key, entry));
  }

  async putIfAbsent(key: string, value: unknown, expires?: number): Promise<boolean> {
    const entry = { value: jsonOf(value), deadline: deadlineOf(expires) };
    return this.#alone(key, async () => {
      if (await this.#record(key)) return false;
      await this.#put(key, entry);
      return true;
    });
  }

  async consume(key: string, options: ConsumeOptions = {}): Promise<boolean> {
    const nowMs = options.now === undefined ? Date.now() : options.now * 1000;
    const now = Math.floor(nowMs / 1000);
    return this.#alone(key, async () => {
      const entry = await this.#get<Entry>(recordName(key));
      if (!entry || entry.deadline <= nowMs || !mayConsume(entry.consumedAt, now, options)) return false;
      await this.#put(key, { ...entry, consumedAt: options.seen === undefined ? (entry.consumedAt ?? now) : now });
      return true;
    });
  }

  async replace(key: string, value: unknown, expires: number, seen: number): Promise<boolean> {
    const entry = { value: jsonOf(value), deadline: deadlineOf(expires) };
    return this.#alone(key, async () => {
      if ((await this.#record(key))?.consumedAt !== seen) return false;
      await this.#put(key, entry);
      return true;
    });
  }

  count(key: string, expires: number): Promise<number> {
    return this.#alone(key, async () => {
      const count = ((await this.#get<number>(countName(key))) ?? 0) + 1;
      await this.#set(countName(key), count, expires);
      return count;
    });
  }

  async list(partition: string, { prefix = '' }: { readonly prefix?: string } = {}): Promise<StoredRecord[]> {
    const pk = partitionKey(partition, this.namespace);
    const index = (await this.#get<Index>(indexName(pk))) ?? {};
    const keys = Object.keys(index)
      .filter((sk) => sk.startsWith(prefix))
      .sort()
      .map((sk) => keyOfItem({ pk, sk }, this.namespace));
    return (await this.read(keys)).filter((record) => record !== undefined);
  }

  delete(key: string): Promise<boolean> {
    return this.#alone(key, async () => {
      const there = (await this.#record(key)) !== undefined;
      await this.#ask(() => this.#keyv.delete(recordName(key)));
      const { pk, sk } = itemKey(key, this.namespace);
      await this.#reindex(pk, ({ [sk]: _, ...others }) => others);
      return there;
    });
  }

  deleteMany(keys: string[]): Promise<boolean[]> {
    return Promise.all(keys.map((key) => this.delete(key)));
  }

  async #record(key: string): Promise<StoredRecord | undefined> {
    const entry = await this.#get<Entry>(recordName(key));
    if (!entry || entry.deadline <= Date.now()) return undefined;
    const { value, deadline, consumedAt } = entry;
    return {
      key,
      value: JSON.parse(value),
      ...expiryOf(deadline),
      ...(consumedAt === undefined ? {} : { consumedAt }),
    };
  }

  async #put(key: string, entry: Entry): Promise<void> {
    const { pk, sk } = itemKey(key, this.namespace);
    await this.#set(recordName(key), entry, entry.deadline);
    await this.#reindex(pk, (index) => ({ ...index, [sk]: entry.deadline }));
  }

  async #reindex(pk: string, change: (index: Index) => Index): Promise<void> {
    const now = Date.now();
    const index = change((await this.#get<Index>(indexName(pk))) ?? {});
    const current = Object.entries(index).filter(([, deadline]) => deadline > now);
    await this.#set(indexName(pk), Object.fromEntries(current), Math.max(0, ...Object.values(index)));
  }

  #get<Value>(name: string): Promise<Value | undefined> {
    return asked(NAME, () => this.#ask(() => this.#keyv.get<Value>(name)));
  }

  async #set(name: string, value: unknown, deadline: number): Promise<void> {
    const lifetime = deadline - Date.now();
    // Keyv takes no lifetime for a long one.
    if (lifetime <= 0) await this.#ask(() => this.#keyv.delete(name));
    else if (!(await this.#ask(() => this.#keyv.set(name, value, deadline === NEVER ? undefined : lifetime)))) {
      throw new StoreUnavailable('The store did not write what it was given.');
    }
  }

  async #ask<Answer>(ask: () => Promise<Answer>): Promise<Answer> {
    this.#reported = undefined;
    return answered(NAME, async () => {
      const answer = await ask();
      if (this.#reported !== undefined) throw this.#reported;
      return answer;
    });
  }

  /** Begins when everything before it in the same partition has ended. */
  #alone<Result>(key: string, operation: () => Promise<Result>): Promise<Result> {
    const { pk } = itemKey(key, this.namespace);
    const before = this.#last.get(pk) ?? Promise.resolve();
    const result = before.then(operation, operation);
    const ended = result
      .catch(() => {})
      .finally(() => {
        if (this.#last.get(pk) === ended) this.#last.delete(pk);
      });
    this.#last.set(pk, ended);
    // Who waits for it is told when it takes too long, but a write that is still under way may be done: nothing begins beside it.
    return asked(NAME, () => result);
  }
}

/** Deadlines by sort key. */
type Index = Readonly<Record<string, number>>;

function recordName(key: string): string {
  // What no key can be is refused here as by every store, on reads too.
  itemKey(key);
  return `record:${key}`;
}

const indexName = (pk: string) => `index:${pk}`;
const countName = (key: string) => `count:${key}`;
