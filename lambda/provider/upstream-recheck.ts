import type { Store, StoredRecord } from '../store/store';
import { now } from './clock';
import { grantKey, upstreamTokenKey } from './keys';
import { logEvent, logProblem } from './log';
import type { Sealer } from './sealer';
import { currentUnitOfWork } from './unit-of-work';
import type { Upstream } from './upstream';
import { UpstreamRefused } from './upstream-errors';

/** Upstream's refresh token for one grant, sealed. */
interface UpstreamToken {
  readonly sealed: string;
  /** Epoch seconds. */
  readonly checkedAt: number;
}

/** Asks upstream from time to time whether a person is still one of theirs, by the refresh token that it gave at the sign-in. */
export class UpstreamRecheck {
  /**
   * @param sealer of the key set in use
   * @param interval seconds between two questions about one grant
   */
  constructor(
    private readonly store: Store,
    private readonly upstream: () => Promise<Upstream>,
    private readonly sealer: () => Sealer,
    private readonly interval: number,
  ) {}

  /** @param expires epoch seconds */
  async remember(grantId: string, refreshToken: string, expires: number): Promise<boolean> {
    const key = upstreamTokenKey(grantId);
    const token: UpstreamToken = { sealed: this.sealer().seal(refreshToken, key), checkedAt: now() };
    return this.store.set(key, token, expires * 1000);
  }

  /**
   * During a refresh: whether the person may go on. Where upstream refuses, the grant is deleted; while upstream cannot be
   * asked, everybody goes on.
   */
  async holds(grantId: string, sub: string): Promise<boolean> {
    const read = currentUnitOfWork.getStore()?.get(upstreamTokenKey(grantId));
    const record = read && (await this.#claim(read));
    if (!record) return true;
    try {
      const { sealed } = record.value as UpstreamToken;
      const refreshToken = await (await this.upstream()).refresh(this.sealer().open(sealed, record.key), sub);
      await this.remember(grantId, refreshToken, record.expiresAt ?? now() + this.interval);
      return true;
    } catch (error) {
      if (!(error instanceof UpstreamRefused)) {
        logProblem('upstream.recheck_failed', error, { sub });
        return true;
      }
      await this.store.delete(grantKey(grantId));
      logEvent('grant.ended_by_upstream', { sub, reason: error.message });
      return false;
    }
  }

  /**
   * Of any number of refreshes at once, one asks: upstream may take two uses of its token for a theft.
   *
   * @param found the record as the request read it
   * @returns the record as it is now, for the one that asks
   */
  async #claim(found: StoredRecord): Promise<StoredRecord | undefined> {
    const { key, value, consumedAt } = found;
    if (!this.#isDue(Math.max((value as UpstreamToken).checkedAt, consumedAt ?? 0))) return undefined;
    const seen = consumedAt === undefined ? {} : { seen: consumedAt };
    if (!(await this.store.consume(key, { now: now(), ...seen }))) return undefined;
    // Upstream's answer is a new record, unconsumed: whoever read the old one before may come to claim that.
    const [record] = await this.store.read([key]);
    return record && this.#isDue((record.value as UpstreamToken).checkedAt) ? record : undefined;
  }

  /** @param last epoch seconds */
  #isDue(last: number): boolean {
    return now() - last >= this.interval;
  }
}
