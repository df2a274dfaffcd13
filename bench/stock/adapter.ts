import type { Adapter, AdapterPayload } from 'oidc-provider';

/** How often the engine has called its adapter, which is what notes about oidc-provider count. */
export const operations = { count: 0 };

/** Keyv, as far as the adapter uses it; its own types differ by the way it is imported. */
interface Keyv {
  get(key: string): Promise<unknown>;
  set(key: string, value: unknown, ttl?: number): Promise<unknown>;
  delete(key: string): Promise<unknown>;
}

/** An adapter of oidc-provider on Keyv, as one writes it first: a record for each model and id. */
export class KeyvAdapter implements Adapter {
  constructor(
    private readonly keyv: Keyv,
    private readonly model: string,
  ) {}

  async upsert(id: string, payload: AdapterPayload, expiresIn?: number): Promise<void> {
    operations.count++;
    await this.#set(id, payload, expiresIn);
  }

  async find(id: string): Promise<AdapterPayload | undefined> {
    operations.count++;
    return this.#get(id);
  }

  async consume(id: string): Promise<void> {
    operations.count++;
    const payload = await this.#get(id);
    const consumed = Math.floor(Date.now() / 1000);
    if (payload) await this.#set(id, { ...payload, consumed }, (payload.exp ?? consumed) - consumed);
  }

  async destroy(id: string): Promise<void> {
    operations.count++;
    await this.keyv.delete(this.#keyOf(id));
  }

  async findByUid(uid: string): Promise<AdapterPayload | undefined> {
    return this.find(uid);
  }

  async findByUserCode(): Promise<undefined> {}

  /** Needs an index of each grant's records; without one the tokens of a revoked grant die with the Grant that they name. */
  async revokeByGrantId(): Promise<void> {
    operations.count++;
  }

  async #get(id: string): Promise<AdapterPayload | undefined> {
    return (await this.keyv.get(this.#keyOf(id))) as AdapterPayload | undefined;
  }

  async #set(id: string, payload: AdapterPayload, expiresIn?: number): Promise<void> {
    await this.keyv.set(this.#keyOf(id), payload, expiresIn === undefined ? undefined : expiresIn * 1000);
  }

  #keyOf(id: string): string {
    return `${this.model}:${id}`;
  }
}
