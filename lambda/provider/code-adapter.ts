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
    const recent = isRecent(record.consumedAt);
    if (await this.#wasRedeemed(id, payload)) {
      if (recent) throw new errors.InvalidGrant('authorization code already consumed');
      logEvent('code.reused', { clientId: payload.clientId });
      return payload;
    }
    if (recent) throw new UnderWayError('the refresh token is not stored yet');
    logEvent('code.retried', { clientId: payload.clientId });
    const { consumed: _, ...unconsumed } = payload;
    return unconsumed;
  }

  /** Where no refresh token belongs to it, being consumed is all that a redemption leaves behind. */
  async #wasRedeemed(id: string, { iat = 0 }: AdapterPayload): Promise<boolean> {
    if (!Provider.ctx?.oidc.client?.grantTypeAllowed('refresh_token')) return true;
    const refreshToken = this.context.successors.of(id, iat);
    const [record] = await this.context.store.read([refreshTokenKey(refreshToken)]);
    return record !== undefined;
  }
}
