import sql, { join, raw, type Sql } from 'sql-template-tag';
import { itemKey, keyOfItem, partitionKey } from '../lambda/store/item-key';
import type { ConsumeOptions, Store, StoredRecord } from '../lambda/store/store';
import { deadlineOf, expiryOf, jsonOf, NEVER } from '../lambda/store/written-record';
import { SCHEMA_VERSION } from '../lib/contract';
import { SWEEP_AFTER, SWEEP_EVERY } from './sweep';

/** Rows by the names of their columns; a database may give a BIGINT as text. */
export type Row = Readonly<Record<string, string | number | null>>;

/** What differs between databases that speak SQL. */
export interface SqlDatabase {
  /** Runs one statement, on the primary. @throws StoreUnavailable */
  run(statement: Sql): Promise<readonly Row[]>;
  /** The table, as statements name it. */
  readonly table: string;
}

/** Keys that one statement reads. */
const READ_AT_ONCE = 100;
/** Expired rows that one statement deletes. */
const SWEPT_AT_ONCE = 1000;

/** Records in a table of a database that speaks SQL. Every condition is in the statement that writes. */
export class SqlStore implements Store {
  readonly #table: Sql;
  #sweptAt = 0;

  constructor(
    private readonly database: SqlDatabase,
    private readonly namespace?: string,
  ) {
    this.#table = raw(database.table);
  }

  async read(keys: readonly string[]): Promise<(StoredRecord | undefined)[]> {
    const distinct = [...new Set(keys)];
    const batches: Promise<StoredRecord[]>[] = [];
    for (let start = 0; start < distinct.length; start += READ_AT_ONCE) {
      const pairs = distinct.slice(start, start + READ_AT_ONCE).map((key) => {
        const { pk, sk } = itemKey(key, this.namespace);
        return sql`(${pk}, ${sk})`;
      });
      batches.push(this.#records(sql`(pk, sk) IN (VALUES ${join(pairs)})`));
    }
    const found = new Map((await Promise.all(batches)).flat().map((record) => [record.key, record]));
    return keys.map((key) => found.get(key));
  }

  async set(key: string, value: unknown, expires?: number): Promise<boolean> {
    return this.#put(key, value, deadlineOf(expires), sql`TRUE`);
  }

  async configure(key: string, value: unknown): Promise<void> {
    await this.#put(key, value, NEVER, sql`TRUE`);
  }

  async putIfAbsent(key: string, value: unknown, expires?: number): Promise<boolean> {
    return this.#put(key, value, deadlineOf(expires), sql`record.expires <= ${Date.now()}`);
  }

  async consume(key: string, { now, grace = 0, seen }: ConsumeOptions = {}): Promise<boolean> {
    const { pk, sk } = itemKey(key, this.namespace);
    const nowMs = now === undefined ? Date.now() : now * 1000;
    const seconds = Math.floor(nowMs / 1000);
    const usable = [sql`consumed_at IS NULL`];
    // A window of no length is none: it would let every caller of the same second through.
    if (grace > 0) usable.push(sql`consumed_at >= ${seconds - grace}`);
    if (seen !== undefined) usable.push(sql`consumed_at = ${seen}`);
    const first = seen === undefined ? sql`COALESCE(consumed_at, ${seconds})` : sql`${seconds}`;
    const rows = await this.database.run(sql`
      UPDATE ${this.#table} SET consumed_at = ${first}
      WHERE pk = ${pk} AND sk = ${sk} AND expires > ${nowMs} AND (${join(usable, ' OR ')})
      RETURNING pk`);
    return rows.length === 1;
  }

  async replace(key: string, value: unknown, expires: number, seen: number): Promise<boolean> {
    const { pk, sk } = itemKey(key, this.namespace);
    const rows = await this.database.run(sql`
      UPDATE ${this.#table}
      SET v = ${SCHEMA_VERSION}, value = ${jsonOf(value)}, expires = ${Math.ceil(deadlineOf(expires))}, consumed_at = NULL
      WHERE pk = ${pk} AND sk = ${sk} AND expires > ${Date.now()} AND consumed_at = ${seen}
      RETURNING pk`);
    return rows.length === 1;
  }

  async count(key: string, expires: number): Promise<number> {
    const { pk, sk } = itemKey(key, this.namespace);
    const rows = await this.database.run(sql`
      INSERT INTO ${this.#table} AS record (pk, sk, v, count, expires)
      VALUES (${pk}, ${sk}, ${SCHEMA_VERSION}, 1, ${Math.ceil(expires)})
      ON CONFLICT (pk, sk) DO UPDATE SET count = record.count + 1
      RETURNING count`);
    return Number(rows[0]?.count);
  }

  list(partition: string, { prefix = '' }: { readonly prefix?: string } = {}): Promise<StoredRecord[]> {
    const pk = partitionKey(partition, this.namespace);
    return this.#records(sql`pk = ${pk} AND substr(sk, 1, ${[...prefix].length}) = ${prefix}`);
  }

  async delete(key: string): Promise<boolean> {
    const { pk, sk } = itemKey(key, this.namespace);
    const rows = await this.database.run(
      sql`DELETE FROM ${this.#table} WHERE pk = ${pk} AND sk = ${sk} RETURNING expires`,
    );
    return rows.some(({ expires }) => Number(expires) > Date.now());
  }

  deleteMany(keys: string[]): Promise<boolean[]> {
    return Promise.all(keys.map((key) => this.delete(key)));
  }

  /** @param condition on a record that is there, called `record`, to be replaced */
  async #put(key: string, value: unknown, deadline: number, condition: Sql): Promise<boolean> {
    const { pk, sk } = itemKey(key, this.namespace);
    const json = jsonOf(value);
    const rows = await this.database.run(sql`
      INSERT INTO ${this.#table} AS record (pk, sk, v, value, expires)
      VALUES (${pk}, ${sk}, ${SCHEMA_VERSION}, ${json}, ${Math.ceil(deadline)})
      ON CONFLICT (pk, sk) DO UPDATE
      SET v = excluded.v, value = excluded.value, expires = excluded.expires, consumed_at = NULL
      WHERE ${condition}
      RETURNING pk`);
    void this.#sweep();
    return rows.length === 1;
  }

  async #records(condition: Sql): Promise<StoredRecord[]> {
    const rows = await this.database.run(sql`
      SELECT pk, sk, value, expires, consumed_at FROM ${this.#table}
      WHERE ${condition} AND expires > ${Date.now()} AND value IS NOT NULL
      ORDER BY pk, sk`);
    return rows.map((row) => ({
      key: keyOfItem({ pk: String(row.pk), sk: String(row.sk) }, this.namespace),
      value: JSON.parse(String(row.value)),
      ...expiryOf(Number(row.expires)),
      ...(row.consumed_at === null ? {} : { consumedAt: Number(row.consumed_at) }),
    }));
  }

  /** Frees what has expired. Nothing depends on it: where it fails, a later write tries again. */
  async #sweep(): Promise<void> {
    const now = Date.now();
    if (Math.abs(now - this.#sweptAt) < SWEEP_EVERY) return;
    this.#sweptAt = now;
    const expired = sql`expires <= ${now - SWEEP_AFTER}`;
    // The condition stands twice: a row that has been written anew in the meantime is found, but not deleted.
    const statement = sql`
      DELETE FROM ${this.#table} WHERE ${expired} AND (pk, sk) IN (
        SELECT pk, sk FROM ${this.#table} WHERE ${expired} LIMIT ${SWEPT_AT_ONCE})
      RETURNING pk`;
    const swept = await this.database.run(statement).catch(() => []);
    if (swept.length === SWEPT_AT_ONCE) this.#sweptAt = 0;
  }
}
