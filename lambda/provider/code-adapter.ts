import { type AdapterPayload, errors, Provider } from 'oidc-provider';
import type { StoredRecord } from '../store/store';
import { now } from './clock';
import { refreshTokenKey } from './keys';
import { logEvent } from './log';
import { isRecent, UnderWayError } from './race';
import { RecordAdapter } from './record-adapter';

/**
 * A code that is presented again is refused, and the engine revokes what it was redeemed for (RFC 6749 section 4.1.2),
 * except while the first redemption may still be under way: then refusing is enough. A code that was consumed without
 * its refresh token having been stored is a retry: the store failed in between, and nobody got an answer.
 */
export class CodeAdapter extends RecordAdapter {
  override async consume(id: string): Promise<void> {
    const key = this.keyOf(id);
    // find() lets a consumed code through only as a retry.
    const seen = (await this.record(id))?.consumedAt;
    await this.write(() => this.context.store.consume(key, { now: now(), ...(seen === undefined ? {} : { seen }) }));
  }

  protected override async payload(id: string, record: StoredRecord): Promise<AdapterPayload> {
    const payload = await super.payload(id, record);
    if (record.consumedAt === undefined) return payload;
    const redeemedAt = await this.#redeemedAt(id, payload, record.consumedAt);
    if (redeemedAt !== undefined) {
      if (isRecent(redeemedAt)) throw new errors.InvalidGrant('authorization code already consumed');
      logEvent('code.reused', { clientId: payload.clientId, sub: payload.accountId });
      return payload;
    }
    if (isRecent(record.consumedAt)) throw new UnderWayError('the refresh token is not stored yet');
    logEvent('code.retried', { clientId: payload.clientId });
    const { consumed: _, ...unconsumed } = payload;
    return unconsumed;
  }

  /**
   * When the redemption that was answered took place; undefined if none was. A client without refresh tokens leaves only `consumedAt`;
   * otherwise the stored refresh token tells, since a retry may have been answered after the code was read.
   */
  async #redeemedAt(id: string, { iat = 0 }: AdapterPayload, consumedAt: number): Promise<number | undefined> {
    if (!Provider.ctx?.oidc.client?.grantTypeAllowed('refresh_token')) return consumedAt;
    const [record] = await this.context.store.read([refreshTokenKey(this.context.successors.of(id, iat))]);
    return record && Math.max(consumedAt, (record.value as AdapterPayload).iat ?? 0);
  }
}
