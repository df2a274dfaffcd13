import type { AdapterPayload } from 'oidc-provider';
import type { StoredRecord } from '../store/store';
import { now } from './clock';
import { logEvent } from './log';
import { isRecent, UnderWayError } from './race';
import { RecordAdapter } from './record-adapter';

/**
 * How a refresh token comes in:
 * - `usable`: for the first time, or again within the grace window;
 * - `retried`: consumed, but its successor was never stored, so that nobody holds anything newer;
 * - `late`: consumed, and its successor, which the client may never have received, was never presented;
 * - `reused`: its successor is in use, so two parties hold the family (RFC 9700 section 4.14.2).
 */
type Presentation = 'usable' | 'retried' | 'late' | 'reused';

/** Every refresh token has one successor, whoever asks for it and however often: see successors.ts. */
export class RefreshTokenAdapter extends RecordAdapter {
  readonly #presentations = new WeakMap<StoredRecord, Promise<Presentation>>();

  override async consume(id: string): Promise<void> {
    const record = await this.record(id);
    const presentation = record && (await this.#presentation(id, record));
    // What it yields is there already, and the bounds of a late retry are the successor's.
    if (presentation === 'late') return;
    const seen = presentation === 'retried' ? record?.consumedAt : undefined;
    const grace = this.context.lifetimes.refreshGrace;
    const options = { now: now(), grace, ...(seen === undefined ? {} : { seen }) };
    await this.write(() => this.context.store.consume(this.keyOf(id), options));
  }

  /**
   * At a revocation the engine deletes the token and then its grant. The grant alone is enough, for no refresh token is worth
   * anything without it; where it cannot be deleted nothing has happened, and the client hears so.
   */
  override async destroy(): Promise<void> {}

  /** A successor that is there already is the same one: whoever was first, both clients hold it. */
  protected override async put(key: string, value: object, expires: number): Promise<boolean> {
    await this.context.store.putIfAbsent(key, value, expires);
    return true;
  }

  protected override async payload(id: string, record: StoredRecord): Promise<AdapterPayload> {
    const payload = await super.payload(id, record);
    const { clientId, accountId: sub } = payload;
    const presentation = await this.#presentation(id, record);
    if (presentation === 'reused') {
      logEvent('refresh.reused', { clientId, sub });
      return payload;
    }
    if (presentation === 'retried') logEvent('refresh.retried', { clientId });
    if (presentation === 'late') logEvent('refresh.late_retry', { clientId });
    const { consumed: _, ...unconsumed } = payload;
    return unconsumed;
  }

  #presentation(id: string, record: StoredRecord): Promise<Presentation> {
    const known = this.#presentations.get(record);
    if (known) return known;
    const presentation = this.#classify(id, record);
    this.#presentations.set(record, presentation);
    return presentation;
  }

  async #classify(id: string, { consumedAt, value }: StoredRecord): Promise<Presentation> {
    const { refreshGrace, refreshLateRetry } = this.context.lifetimes;
    if (consumedAt === undefined || (refreshGrace > 0 && now() - consumedAt <= refreshGrace)) return 'usable';
    const successor = await this.#successor(id, value as AdapterPayload);
    if (!successor) {
      if (isRecent(consumedAt)) throw new UnderWayError('the successor is not stored yet');
      return 'retried';
    }
    const { iat = 0 } = successor.value as AdapterPayload;
    const isAwaited = successor.consumedAt === undefined && now() - iat <= refreshGrace + refreshLateRetry;
    return isAwaited && refreshLateRetry > 0 ? 'late' : 'reused';
  }

  async #successor(id: string, { iat = 0 }: AdapterPayload): Promise<StoredRecord | undefined> {
    const [record] = await this.context.store.read([this.keyOf(this.context.successors.of(id, iat))]);
    return record;
  }
}
