import { type Adapter, type AdapterPayload, errors } from 'oidc-provider';
import type { Lifetimes } from '../../lib/contract';
import type { Store, StoredRecord } from '../store/store';
import type { MetadataDocuments } from './client-metadata/metadata-documents';
import { now } from './clock';
import type { Successors } from './successors';
import { currentUnitOfWork, recordsOf } from './unit-of-work';

export interface AdapterContext {
  readonly store: Store;
  readonly documents: MetadataDocuments;
  readonly lifetimes: Lifetimes;
  readonly successors: Successors;
}

/** Reads and writes one record for one handle, inside the request's unit of work where there is one. */
export class RecordAdapter implements Adapter {
  constructor(
    protected readonly context: AdapterContext,
    protected readonly keyOf: (id: string) => string,
  ) {}

  async find(id: string): Promise<AdapterPayload | undefined> {
    const record = await this.record(id);
    return record && (await this.payload(id, record));
  }

  async upsert(id: string, payload: AdapterPayload, expiresIn: number): Promise<void> {
    // The handle is the bearer value: it stays out of the record, whose key holds its hash.
    const { jti: _, ...value } = payload;
    const key = this.keyOf(id);
    const expiresAt = now() + expiresIn;
    await this.write(() => this.put(key, value, expiresAt * 1000));
    currentUnitOfWork.getStore()?.expect({ key, value, expiresAt });
  }

  async consume(id: string): Promise<void> {
    const key = this.keyOf(id);
    await this.write(() => this.context.store.consume(key, { now: now() }));
  }

  async destroy(id: string): Promise<void> {
    await this.context.store.delete(this.keyOf(id));
  }

  /** Every use of a code or a refresh token reads its grant again: deleting the grant revokes them all, nothing fans out. */
  async revokeByGrantId(): Promise<void> {}

  async findByUid(): Promise<undefined> {}

  async findByUserCode(): Promise<undefined> {}

  protected put(key: string, value: object, expires: number): Promise<boolean> {
    return this.context.store.set(key, value, expires);
  }

  protected async payload(id: string, record: StoredRecord): Promise<AdapterPayload> {
    const consumed = record.consumedAt === undefined ? {} : { consumed: record.consumedAt };
    return { ...(record.value as AdapterPayload), ...consumed, jti: id };
  }

  protected async record(id: string): Promise<StoredRecord | undefined> {
    const [record] = await recordsOf(this.context.store, [this.keyOf(id)]);
    return record;
  }

  /** Outside a unit of work a write happens at once, and a condition that fails refuses the request. */
  protected async write(write: () => Promise<boolean>): Promise<void> {
    const unit = currentUnitOfWork.getStore();
    if (unit) unit.collect(write);
    else if (!(await write())) throw new errors.InvalidGrant('already used');
  }
}
