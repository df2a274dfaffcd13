import { type Adapter, type AdapterPayload, errors } from 'oidc-provider';
import type { Lifetimes } from '../../lib/contract';
import type { DynamoStore, StoredRecord } from '../store/dynamo-store';
import { clientKey, codeKey, grantKey, hash, interactionKey, refreshTokenKey } from './keys';
import { logEvent } from './log';
import type { Successors } from './successors';
import { currentUnitOfWork } from './unit-of-work';

interface AdapterContext {
  readonly store: DynamoStore;
  readonly lifetimes: Lifetimes;
  readonly successors: Successors;
}

/** Models that the engine asks for and that are never stored: there is no login session of our own, and access tokens are JWTs. */
const NEVER_STORED = new Set(['Session', 'AccessToken', 'ClientCredentials']);

/**
 * The engine's models on the store.
 *
 * @throws Error for a model that nobody has decided where to keep
 */
export function adapterFactory(context: AdapterContext): (model: string) => Adapter {
  return (model) => {
    switch (model) {
      case 'Client':
        return new ClientAdapter(context, clientKey);
      case 'Interaction':
        return new InteractionAdapter(context, interactionKey);
      case 'Grant':
        return new RecordAdapter(context, grantKey);
      case 'AuthorizationCode':
        return new CodeAdapter(context, codeKey);
      case 'RefreshToken':
        return new RefreshTokenAdapter(context, refreshTokenKey);
      default:
        if (NEVER_STORED.has(model)) return new NothingStored();
        throw new Error(`No adapter for the model ${model}`);
    }
  };
}

/** The first use of what may be used once may still be under way, so nobody can say yet how it ends. */
export class UnderWayError extends Error {
  override readonly name = 'UnderWayError';
}

/** Seconds in which a second use is the same client's, sent twice, rather than a thief's, and the first may be under way. */
const RACE = 10;

const now = () => Math.floor(Date.now() / 1000);

/** Reads and writes one record for one handle, inside the request's unit of work where there is one. */
class RecordAdapter implements Adapter {
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
    await this.write(() => this.put(key, value, (now() + expiresIn) * 1000));
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
    const key = this.keyOf(id);
    const unit = currentUnitOfWork.getStore();
    if (unit?.has(key)) return unit.get(key);
    const [record] = await this.context.store.read([key]);
    return record;
  }

  /** Outside a unit of work a write happens at once, and a condition that fails refuses the request. */
  protected async write(write: () => Promise<boolean>): Promise<void> {
    const unit = currentUnitOfWork.getStore();
    if (unit) unit.collect(write);
    else if (!(await write())) throw new errors.InvalidGrant('already used');
  }
}

class ClientAdapter extends RecordAdapter {
  override async upsert(id: string, payload: AdapterPayload): Promise<void> {
    const { client_secret: secret, ...rest } = payload;
    // Client secrets are random and long, so a plain hash is enough: there is no dictionary to run against it.
    const value = secret === undefined ? rest : { ...rest, client_secret: hash(secret) };
    await this.context.store.set(this.keyOf(id), value, (now() + this.context.lifetimes.client) * 1000);
  }

  protected override async payload(_id: string, record: StoredRecord): Promise<AdapterPayload> {
    return record.value as AdapterPayload;
  }
}

class InteractionAdapter extends RecordAdapter {
  override async find(id: string): Promise<AdapterPayload | undefined> {
    const record = await this.record(id);
    return record && record.consumedAt === undefined ? this.payload(id, record) : undefined;
  }

  /** The engine ends an interaction when it resumes: one caller gets the code, however many ask at once. */
  override async destroy(id: string): Promise<void> {
    if (!(await this.context.store.consume(this.keyOf(id), { now: now() }))) {
      throw new errors.SessionNotFound('interaction session not found');
    }
  }
}

class CodeAdapter extends RecordAdapter {
  /**
   * A code that is presented again is refused, and the engine revokes what it was redeemed for (RFC 6749 section 4.1.2),
   * except while the first redemption may still be under way: then refusing is enough.
   */
  protected override async payload(id: string, record: StoredRecord): Promise<AdapterPayload> {
    if (record.consumedAt !== undefined && now() - record.consumedAt <= RACE) {
      throw new errors.InvalidGrant('authorization code already consumed');
    }
    return super.payload(id, record);
  }
}

class RefreshTokenAdapter extends RecordAdapter {
  override async consume(id: string): Promise<void> {
    const key = this.keyOf(id);
    const consumedAt = (await this.record(id))?.consumedAt;
    // find() lets a token that was consumed before the grace window through only as a retry.
    const seen = this.#isWithinGrace(consumedAt) ? undefined : consumedAt;
    const grace = this.context.lifetimes.refreshGrace;
    await this.write(() =>
      this.context.store.consume(key, { now: now(), grace, ...(seen === undefined ? {} : { seen }) }),
    );
  }

  /** A successor that is there already is the same one: whoever was first, both clients hold it. */
  protected override async put(key: string, value: object, expires: number): Promise<boolean> {
    await this.context.store.putIfAbsent(key, value, expires);
    return true;
  }

  protected override async payload(id: string, record: StoredRecord): Promise<AdapterPayload> {
    const payload = await super.payload(id, record);
    if (record.consumedAt === undefined) return payload;
    if (!this.#isWithinGrace(record.consumedAt)) {
      if (await this.#hasSuccessor(id, payload)) {
        logEvent('refresh.reused', { clientId: payload.clientId });
        return payload;
      }
      if (now() - record.consumedAt <= RACE) throw new UnderWayError('the successor is not stored yet');
      logEvent('refresh.retried', { clientId: payload.clientId });
    }
    const { consumed: _, ...unconsumed } = payload;
    return unconsumed;
  }

  #isWithinGrace(consumedAt: number | undefined): boolean {
    const { refreshGrace } = this.context.lifetimes;
    return consumedAt !== undefined && refreshGrace > 0 && now() - consumedAt <= refreshGrace;
  }

  /** A consumed token whose successor was never stored is a retry: nobody holds anything newer. */
  async #hasSuccessor(id: string, payload: AdapterPayload): Promise<boolean> {
    const successor = this.context.successors.of(id, payload.iat ?? 0);
    const [record] = await this.context.store.read([this.keyOf(successor)]);
    return record !== undefined;
  }
}

/** The engine finds nothing and stores nothing. */
class NothingStored implements Adapter {
  async find(): Promise<undefined> {}
  async findByUid(): Promise<undefined> {}
  async findByUserCode(): Promise<undefined> {}
  async upsert(): Promise<void> {}
  async consume(): Promise<void> {}
  async destroy(): Promise<void> {}
  async revokeByGrantId(): Promise<void> {}
}
