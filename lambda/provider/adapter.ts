import { type Adapter, type AdapterPayload, errors, Provider } from 'oidc-provider';
import type { StoredRecord } from '../store/store';
import { isClientIdUrl } from './client-metadata/client-id-url';
import { asPresented, UNUSED_LIFETIME } from './client-policy';
import { now } from './clock';
import { CodeAdapter } from './code-adapter';
import { clientKey, codeKey, decisionKey, grantKey, interactionKey, refreshTokenKey, upstreamTokenKey } from './keys';
import { BY_OPERATORS } from './pre-registered-client';
import { type AdapterContext, RecordAdapter } from './record-adapter';
import { RefreshTokenAdapter } from './refresh-token-adapter';
import { STANDS_FOR } from './resource-server';
import { storedMetadata } from './stored-metadata';
import { currentUnitOfWork, recordsOf } from './unit-of-work';

/** Models that the engine asks for and that are never stored: there is no login session of our own, and access tokens are JWTs. */
const NEVER_STORED = new Set(['Session', 'AccessToken', 'ClientCredentials']);

/** Somebody else has answered this sign-in first. */
export class AlreadyDecided extends Error {
  override name = 'AlreadyDecided';
}

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
        return new GrantAdapter(context, grantKey);
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

class ClientAdapter extends RecordAdapter {
  /** For the URL of a metadata document the answer is final, so that the engine never looks for the document itself. */
  override async find(id: string): Promise<AdapterPayload | undefined> {
    if (!isClientIdUrl(id)) return super.find(id);
    const duringTokenRequest = currentUnitOfWork.getStore()?.purpose === 'token';
    const metadata = await this.context.documents.find(id, () => this.record(id), duringTokenRequest);
    return asPresented(metadata, Boolean(Provider.ctx?.oidc.params?.client_assertion)) as AdapterPayload;
  }

  override async upsert(id: string, payload: AdapterPayload): Promise<void> {
    const value = storedMetadata(payload);
    const key = this.keyOf(id);
    const { store, lifetimes } = this.context;
    // A token request renews it: most clients that register never come back.
    const expiresAt = now() + Math.min(UNUSED_LIFETIME, lifetimes.client);
    if (await store.putIfAbsent(key, value, expiresAt * 1000)) return;
    const [registered] = await store.read([key]);
    if (registered && (registered.expiresAt ?? Number.POSITIVE_INFINITY) >= expiresAt) return;
    await store.set(key, value, expiresAt * 1000);
  }

  protected override async payload(_id: string, { value, expiresAt }: StoredRecord): Promise<AdapterPayload> {
    const metadata = value as AdapterPayload;
    if (expiresAt === undefined) return { ...metadata, [BY_OPERATORS]: true };
    // Nobody who registers by himself can say these of himself, however the record has come to be there.
    const { [BY_OPERATORS]: _, [STANDS_FOR]: __, ...own } = metadata;
    return own;
  }
}

class InteractionAdapter extends RecordAdapter {
  override async find(id: string): Promise<AdapterPayload | undefined> {
    const [record, decision] = await recordsOf(this.context.store, [this.keyOf(id), decisionKey(id)]);
    if (!record || record.consumedAt !== undefined) return undefined;
    return { ...(await this.payload(id, record)), ...(decision?.value as AdapterPayload | undefined) };
  }

  /**
   * The result is a record of its own, which is written once: of two answers to one consent the second must not open an
   * interaction again that the first has ended, or there would be two codes for one authorization request.
   */
  override async upsert(id: string, payload: AdapterPayload, expiresIn: number): Promise<void> {
    const { result } = payload;
    if (result === undefined) return super.upsert(id, payload, expiresIn);
    const expires = (now() + expiresIn) * 1000;
    if (!(await this.context.store.putIfAbsent(decisionKey(id), { result }, expires))) throw new AlreadyDecided();
  }

  /** The engine ends an interaction when it resumes: one caller gets the code, however many ask at once. */
  override async destroy(id: string): Promise<void> {
    const end = () => this.context.store.consume(this.keyOf(id), { now: now() });
    const unit = currentUnitOfWork.getStore();
    if (unit) unit.collect(end);
    else if (!(await end())) throw new errors.SessionNotFound('interaction session not found');
  }
}

class GrantAdapter extends RecordAdapter {
  /** With what upstream gave for it: nobody could use that any more, and nobody should keep it. */
  override async destroy(id: string): Promise<void> {
    await this.context.store.deleteMany([this.keyOf(id), upstreamTokenKey(id)]);
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
