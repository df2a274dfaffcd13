import { AsyncLocalStorage } from 'node:async_hooks';
import type { Store, StoredRecord } from '../store/store';

/** The unit of work of the request that is being answered, where it has one. */
export const currentUnitOfWork = new AsyncLocalStorage<UnitOfWork>();

export type Purpose = 'token' | 'revocation' | 'sign-in';

/**
 * What one request reads and writes: one consistent batch read before the engine starts, and the writes, each with its
 * condition, side by side after the engine has answered that it is well. So a refused request has consumed nothing,
 * whatever the engine meant to consume on its way to the refusal. Deletions are no part of it: they happen at once.
 */
export class UnitOfWork {
  static async begin(store: Store, keys: readonly string[], purpose: Purpose): Promise<UnitOfWork> {
    const records = await store.read(keys);
    return new UnitOfWork(new Map(keys.map((key, i) => [key, records[i]])), purpose);
  }

  readonly #writes: (() => Promise<boolean>)[] = [];
  readonly #afterwards: (() => void)[] = [];

  private constructor(
    private readonly records: Map<string, StoredRecord | undefined>,
    readonly purpose: Purpose,
  ) {}

  has(key: string): boolean {
    return this.records.has(key);
  }

  get(key: string): StoredRecord | undefined {
    return this.records.get(key);
  }

  /** From now on the request finds the record as it is going to be. */
  expect(record: StoredRecord): void {
    this.records.set(record.key, record);
  }

  /** @param write resolves to false where its condition did not hold: someone else was first */
  collect(write: () => Promise<boolean>): void {
    this.#writes.push(write);
  }

  /** @param act called once every write has been done, and else never */
  afterwards(act: () => void): void {
    this.#afterwards.push(act);
  }

  /**
   * @returns false where a condition failed; what was written beside it is unreachable, for nobody was told its secret
   * @throws what the store threw, once every write has ended
   */
  async commit(): Promise<boolean> {
    const outcomes = await Promise.allSettled(this.#writes.map((write) => write()));
    for (const outcome of outcomes) if (outcome.status === 'rejected') throw outcome.reason;
    const done = outcomes.every((outcome) => outcome.status === 'fulfilled' && outcome.value);
    if (done) for (const act of this.#afterwards) act();
    return done;
  }
}

/** The records in the order of `keys`; what the request's unit of work has read already is not read again. */
export async function recordsOf(store: Store, keys: readonly string[]): Promise<(StoredRecord | undefined)[]> {
  const unit = currentUnitOfWork.getStore();
  return unit && keys.every((key) => unit.has(key)) ? keys.map((key) => unit.get(key)) : store.read(keys);
}
