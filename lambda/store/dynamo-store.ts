import { randomUUID } from 'node:crypto';
import { EventEmitter } from 'node:events';
import { setTimeout } from 'node:timers/promises';
import {
  BatchGetItemCommand,
  ConditionalCheckFailedException,
  DeleteItemCommand,
  type DynamoDBClient,
  PutItemCommand,
  QueryCommand,
  type QueryCommandOutput,
  UpdateItemCommand,
} from '@aws-sdk/client-dynamodb';
import {
  type KeyvStorageAdapter,
  type KeyvStorageCapability,
  type KeyvStorageEntry,
  type KeyvStorageGetResult,
  keyvStorageCapability,
} from 'keyv';
import { SCHEMA_VERSION, TABLE } from '../../lib/contract';
import { EXPIRED, instant, placeholders, UNEXPIRED } from './expression';
import { partitionKey } from './item-key';
import { type ConsumeOptions, type Store, type StoredRecord, StoreUnavailable } from './store';
import { configuredItem, hasExpired, type Item, itemOf, keyAttributes, recordOf } from './stored-record';

/** DynamoDB left keys of a batch read unprocessed: it is busy, and says nothing about whether the records exist. */
export class UnreadKeysError extends StoreUnavailable {
  override readonly name = 'UnreadKeysError';
}

/** What the store needs of a client: the AWS SDK's has it, and so has lambda/aws/lambda-client.ts. */
export type DynamoDbSender = Pick<DynamoDBClient, 'send' | 'destroy'>;

export interface DynamoStoreOptions {
  readonly client: DynamoDbSender;
  readonly tableName: string;
  /** Keeps the keys apart from those of every other namespace, and of none. */
  readonly namespace?: string;
}

/** Node's emitter, its listeners typed as Keyv wants them. */
const Emitter = EventEmitter as new () => EventEmitter & Pick<KeyvStorageAdapter, 'listeners' | 'rawListeners'>;

/** Limit of BatchGetItem. */
const READ_AT_ONCE = 100;
/** Of `setMany` and `deleteMany`: half of the connections that the client opens by default. */
const WRITTEN_AT_ONCE = 25;

/** A batch read that stays incomplete is tried this often, which takes 1.6 seconds of waiting at most. */
const READ_ATTEMPTS = 8;
const FIRST_BACKOFF_MS = 20;
const LONGEST_BACKOFF_MS = 500;

/**
 * Records in a DynamoDB table: a storage adapter for Keyv 6, and beyond Keyv's interface the operations that hold what
 * may be used once (`putIfAbsent`, `consume`), each of them one conditional write. All reads are strongly
 * consistent. Nothing needs a Scan or an index.
 *
 * Values are whatever JSON can hold. `expires` is epoch milliseconds: from that moment on the record is not there,
 * whether or not DynamoDB has deleted it. A record lives for 400 days at most, also where `expires` is absent.
 * What DynamoDB's client throws (throttling, network) is thrown as it is and never looks like an absent record.
 */
export class DynamoStore extends Emitter implements KeyvStorageAdapter, Store {
  /** Keyv sets it to its own. */
  namespace: string | undefined;
  readonly #client: DynamoDbSender;
  readonly #tableName: string;

  constructor(options: DynamoStoreOptions) {
    super();
    this.#client = options.client;
    this.#tableName = options.tableName;
    this.namespace = options.namespace;
  }

  get capabilities(): KeyvStorageCapability {
    return keyvStorageCapability(this);
  }

  async get<Value>(key: string): Promise<KeyvStorageGetResult<Value>> {
    const [value] = await this.getMany<Value>([key]);
    return value;
  }

  async getMany<Value>(keys: string[]): Promise<KeyvStorageGetResult<Value>[]> {
    const records = await this.read(keys);
    return records.map((record) => record?.value as KeyvStorageGetResult<Value>);
  }

  async has(key: string): Promise<boolean> {
    const [there] = await this.hasMany([key]);
    return there === true;
  }

  async hasMany(keys: string[]): Promise<boolean[]> {
    const records = await this.read(keys);
    return records.map((record) => record !== undefined);
  }

  async set(key: string, value: unknown, expires?: number): Promise<boolean> {
    const Item = itemOf(key, value, expires, this.namespace);
    await this.#client.send(new PutItemCommand({ TableName: this.#tableName, Item }));
    return true;
  }

  async configure(key: string, value: unknown): Promise<void> {
    const Item = configuredItem(key, value, this.namespace);
    await this.#client.send(new PutItemCommand({ TableName: this.#tableName, Item }));
  }

  /**
   * Of two entries with one key the last counts. Where this throws, some entries may have been written. The entries are
   * single writes side by side: a BatchWriteItem costs as much and needs a permission of its own.
   */
  async setMany<Value>(entries: KeyvStorageEntry<Value>[]): Promise<boolean[]> {
    const distinct = new Map(entries.map((entry) => [entry.key, entry]));
    await inGroups([...distinct.values()], ({ key, value, expires }) => this.set(key, value, expires));
    return entries.map(() => true);
  }

  async delete(key: string): Promise<boolean> {
    const { Attributes } = await this.#client.send(
      new DeleteItemCommand({
        TableName: this.#tableName,
        Key: keyAttributes(key, this.namespace),
        ReturnValues: 'ALL_OLD',
      }),
    );
    return Attributes !== undefined && !hasExpired(Attributes);
  }

  async deleteMany(keys: string[]): Promise<boolean[]> {
    return inGroups(keys, (key) => this.delete(key));
  }

  /** @throws always: DynamoDB could only find what to delete by reading the whole table */
  async clear(): Promise<void> {
    throw new Error('The store on DynamoDB cannot be cleared, which would take a Scan; delete records by their keys.');
  }

  /** Closes the client's connections. */
  async disconnect(): Promise<void> {
    this.#client.destroy();
  }

  /**
   * @returns the records in the order of `keys`; up to 100 keys are one strongly consistent BatchGetItem
   * @throws UnreadKeysError if DynamoDB leaves keys unread time and again
   */
  async read(keys: readonly string[]): Promise<(StoredRecord | undefined)[]> {
    const distinct = [...new Set(keys)];
    const batches: Promise<Item[]>[] = [];
    for (let start = 0; start < distinct.length; start += READ_AT_ONCE) {
      batches.push(this.#batchGet(distinct.slice(start, start + READ_AT_ONCE)));
    }
    const records = this.#unexpired((await Promise.all(batches)).flat());
    const found = new Map(records.map((record) => [record.key, record]));
    return keys.map((key) => found.get(key));
  }

  async putIfAbsent(key: string, value: unknown, expires?: number): Promise<boolean> {
    const condition = `attribute_not_exists(#pk) OR ${EXPIRED} OR ${CLAIMED}`;
    return this.#putIf(condition, {}, itemOf(key, value, expires, this.namespace));
  }

  async consume(key: string, options: ConsumeOptions = {}): Promise<boolean> {
    const { now, grace = 0, seen } = options;
    const time = instant(now === undefined ? Date.now() : now * 1000);
    const values: Item = { ...time, ':claim': newClaim() };
    const usable = ['attribute_not_exists(#consumedAt)', CLAIMED];
    // A window of no length is none: it would let every caller of the same second through.
    if (grace > 0) {
      usable.push('#consumedAt >= :since');
      values[':since'] = { N: String(Number(time[':now'].N) - grace) };
    }
    if (seen !== undefined) {
      usable.push('#consumedAt = :seen');
      values[':seen'] = { N: String(seen) };
    }
    const condition = `attribute_exists(#pk) AND ${UNEXPIRED} AND (${usable.join(' OR ')})`;
    const first = seen === undefined ? 'if_not_exists(#consumedAt, :now)' : ':now';
    const update = `SET #consumedAt = ${first}, #claimedBy = :claim`;
    return conditionHeld(
      this.#client.send(
        new UpdateItemCommand({
          TableName: this.#tableName,
          Key: keyAttributes(key, this.namespace),
          UpdateExpression: update,
          ConditionExpression: condition,
          ...placeholders(values, condition, update),
        }),
      ),
    );
  }

  async replace(key: string, value: unknown, expires: number, seen: number): Promise<boolean> {
    const condition = `${UNEXPIRED} AND (#consumedAt = :seen OR ${CLAIMED})`;
    return this.#putIf(condition, { ':seen': { N: String(seen) } }, itemOf(key, value, expires, this.namespace));
  }

  async count(key: string, expires: number): Promise<number> {
    const update = 'ADD #count :one SET #expiresAt = :expires, #version = :version';
    const values = {
      ':version': { N: String(SCHEMA_VERSION) },
      ':one': { N: '1' },
      ':expires': { N: String(Math.ceil(expires / 1000)) },
    };
    const { Attributes } = await this.#client.send(
      new UpdateItemCommand({
        TableName: this.#tableName,
        Key: keyAttributes(key, this.namespace),
        UpdateExpression: update,
        ReturnValues: 'UPDATED_NEW',
        ...placeholders(values, update),
      }),
    );
    return Number(Attributes?.[TABLE.count]?.N);
  }

  async list(partition: string, options: { readonly prefix?: string } = {}): Promise<StoredRecord[]> {
    const { prefix } = options;
    const values: Item = { ':pk': { S: partitionKey(partition, this.namespace) } };
    if (prefix) values[':prefix'] = { S: prefix };
    const condition = prefix ? '#pk = :pk AND begins_with(#sk, :prefix)' : '#pk = :pk';
    const query = {
      TableName: this.#tableName,
      ConsistentRead: true,
      KeyConditionExpression: condition,
      ...placeholders(values, condition),
    };
    const records: StoredRecord[] = [];
    let page: QueryCommandOutput | undefined;
    do {
      page = await this.#client.send(new QueryCommand({ ...query, ExclusiveStartKey: page?.LastEvaluatedKey }));
      records.push(...this.#unexpired(page.Items ?? []));
    } while (page.LastEvaluatedKey);
    return records;
  }

  /** @param values of the condition, beside the time and the claim */
  #putIf(condition: string, values: Item, item: Item): Promise<boolean> {
    const claim = newClaim();
    return conditionHeld(
      this.#client.send(
        new PutItemCommand({
          TableName: this.#tableName,
          Item: { ...item, [TABLE.claimedBy]: claim },
          ConditionExpression: condition,
          ...placeholders({ ...instant(Date.now()), ...values, ':claim': claim }, condition),
        }),
      ),
    );
  }

  async #batchGet(keys: readonly string[]): Promise<Item[]> {
    const items: Item[] = [];
    let pending = keys.map((key) => keyAttributes(key, this.namespace));
    for (let attempt = 1; ; attempt++) {
      const { Responses, UnprocessedKeys } = await this.#client.send(
        new BatchGetItemCommand({ RequestItems: { [this.#tableName]: { Keys: pending, ConsistentRead: true } } }),
      );
      items.push(...(Responses?.[this.#tableName] ?? []));
      pending = UnprocessedKeys?.[this.#tableName]?.Keys ?? [];
      if (pending.length === 0) return items;
      if (attempt === READ_ATTEMPTS) {
        throw new UnreadKeysError(
          `DynamoDB left ${pending.length} of ${keys.length} keys unread in ${attempt} attempts.`,
        );
      }
      await setTimeout(Math.random() * Math.min(FIRST_BACKOFF_MS * 2 ** (attempt - 1), LONGEST_BACKOFF_MS));
    }
  }

  #unexpired(items: readonly Item[]): StoredRecord[] {
    return items.flatMap((item) => recordOf(item, this.namespace) ?? []);
  }
}

/**
 * Names one conditional write, so that the client's own retry of it, after an answer that was lost on the way, finds
 * itself and not a stranger who was first.
 */
function newClaim(): { S: string } {
  return { S: randomUUID() };
}

const CLAIMED = '#claimedBy = :claim';

async function conditionHeld(write: Promise<unknown>): Promise<boolean> {
  try {
    await write;
    return true;
  } catch (error) {
    if (error instanceof ConditionalCheckFailedException) return false;
    throw error;
  }
}

async function inGroups<T, R>(all: readonly T[], write: (one: T) => Promise<R>): Promise<R[]> {
  const results: R[] = [];
  for (let start = 0; start < all.length; start += WRITTEN_AT_ONCE) {
    results.push(...(await Promise.all(all.slice(start, start + WRITTEN_AT_ONCE).map(write))));
  }
  return results;
}
