/** A record that is there and has not expired. */
export interface StoredRecord {
  readonly key: string;
  readonly value: unknown;
  /** Epoch seconds; absent for what is configuration. */
  readonly expiresAt?: number;
  /** Epoch seconds of the first `consume`. */
  readonly consumedAt?: number;
  /** The stack and resource that registered it, where one did. */
  readonly registeredBy?: string;
}

export interface ConsumeOptions {
  /** Epoch seconds; the clock where absent. */
  readonly now?: number;
  /** For this many seconds a consumed record may be consumed again. 0 or absent: never. */
  readonly grace?: number;
  /** The `consumedAt` that the caller has read and lets be consumed again, however long ago that was; `consumedAt` then begins anew. */
  readonly seen?: number;
}

/**
 * What the authorization server needs of a database. Keyv's interface has no conditional write, so `putIfAbsent`, `consume`, `replace` and
 * `count` go beyond it, each one command of the database, whoever else calls it at the same moment; and so do `list`, which it has no
 * partitions for, and `configure`, for what has no end.
 *
 * Keys are as in `item-key.ts`, values whatever JSON can hold, `expires` epoch milliseconds: from that moment on the
 * record is not there, whether or not the database has deleted it. A record lives for 400 days at most, also where
 * `expires` is absent. Whoever reads sees every write that has ended before. What the database's client throws where it cannot be
 * asked never looks like an absent record or a condition that failed.
 */
export interface Store {
  /** @returns the records in the order of `keys`, undefined for each that is not there */
  read(keys: readonly string[]): Promise<(StoredRecord | undefined)[]>;

  /** Replaces the whole record, so that it is unconsumed again. */
  set(key: string, value: unknown, expires?: number): Promise<boolean>;

  /** Writes a record that is configuration, whatever is there: it has no end, and lives until it is deleted. */
  configure(key: string, value: unknown): Promise<void>;

  /**
   * Writes a record unless there is one. An expired one does not count.
   *
   * @returns false, and nothing is written, if there is an unexpired record
   */
  putIfAbsent(key: string, value: unknown, expires?: number): Promise<boolean>;

  /**
   * Marks a record as used. The record stays, with the time of its first use, or of the use that `seen` let through.
   *
   * @returns true for whoever may go on: of any number of callers at most one, unless `grace` or `seen` lets more;
   *   false if there is no unexpired record or it is used up
   */
  consume(key: string, options?: ConsumeOptions): Promise<boolean>;

  /**
   * Replaces a record that the caller has consumed, so that it is unconsumed again.
   *
   * @param seen the `consumedAt` that the caller's own `consume` has set
   * @returns false, and nothing is written, if somebody else has consumed it since, or it is gone
   */
  replace(key: string, value: unknown, expires: number, seen: number): Promise<boolean>;

  /**
   * Counts up, beginning with 1, in an item that is no record.
   *
   * @param expires epoch milliseconds after which the count may be gone; a name must not be used again by then
   */
  count(key: string, expires: number): Promise<number>;

  /**
   * The records of one partition: those whose keys are `partition` itself or begin with it and a slash.
   *
   * @param options.prefix only keys that begin with `partition` followed by this, for example `/refresh#`
   */
  list(partition: string, options?: { readonly prefix?: string }): Promise<StoredRecord[]>;

  /** @returns whether there was an unexpired record */
  delete(key: string): Promise<boolean>;

  /** Where this throws, some records may have been deleted. */
  deleteMany(keys: string[]): Promise<boolean[]>;
}

/** The database cannot be asked at the moment, which says nothing about what it holds. */
export class StoreUnavailable extends Error {
  override readonly name: string = 'StoreUnavailable';
}
