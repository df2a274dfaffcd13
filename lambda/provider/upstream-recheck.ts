import { now } from './clock';
import { hash, upstreamTokenKey } from './keys';
import { logProblem } from './log';
import { currentUnitOfWork } from './unit-of-work';
import { UpstreamRefused } from './upstream-errors';
import type { UpstreamTokenRecord, UpstreamTokens } from './upstream-tokens';

/** Asks upstream from time to time whether a person is still one of theirs, by the refresh token that it gave. */
export class UpstreamRecheck {
  /** @param interval seconds between two questions about one grant */
  constructor(
    private readonly tokens: UpstreamTokens,
    private readonly interval: number,
  ) {}

  /**
   * During a refresh: whether the person may go on. Where upstream refuses, the grant is deleted; while upstream cannot be
   * asked, everybody goes on.
   */
  async holds(grantId: string, sub: string): Promise<boolean> {
    const record = currentUnitOfWork.getStore()?.get(upstreamTokenKey(grantId));
    if (!record) return true;
    const { sealed, checkedAt } = record.value as UpstreamTokenRecord;
    if (sealed === undefined || now() - checkedAt < this.interval) return true;
    const claim = await this.tokens.claim(record, this.interval);
    if (claim === undefined) return true;
    try {
      await this.tokens.renew(hash(grantId), record, sub, claim);
      return true;
    } catch (error) {
      if (error instanceof UpstreamRefused) return false;
      logProblem('upstream.recheck_failed', error, { sub });
      return true;
    }
  }
}
