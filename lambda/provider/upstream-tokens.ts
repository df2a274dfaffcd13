import { setTimeout } from 'node:timers/promises';
import { isDeepStrictEqual } from 'node:util';
import type { Store, StoredRecord } from '../store/store';
import { now } from './clock';
import { grantKeyOf, upstreamTokenKey, upstreamTokenKeyOf } from './keys';
import { logEvent } from './log';
import type { Sealer } from './sealer';
import type { IssuedAccessToken, IssuedTokens, Upstream } from './upstream';
import { UpstreamRefused } from './upstream-errors';

/** What upstream gave for one grant. */
export interface UpstreamTokenRecord {
  /** Its refresh token, where it gave one. */
  readonly sealed?: string;
  /** Epoch seconds at which it gave this. */
  readonly checkedAt: number;
  /** Its access token, where the person has agreed that the resource server uses it. */
  readonly access?: SealedAccessToken;
}

interface SealedAccessToken extends Omit<IssuedAccessToken, 'accessToken' | 'expiresIn'> {
  readonly sealed: string;
  /** Epoch seconds; absent where upstream does not say. */
  readonly expiresAt?: number;
}

/** An access token of upstream's as it is handed out (RFC 6749 section 5.1). */
export type UpstreamAccessToken = Readonly<IssuedAccessToken>;

/**
 * Upstream's tokens of all grants: one record for each, and one writer of it at a time. Upstream may take two uses of a refresh token for a
 * theft, so whoever wants to use it claims the record by a conditional write, and the answer replaces the record only while
 * the claim holds. So tokens that rotate have one line, whoever refreshes and for what.
 */
export class UpstreamTokens {
  /** @param sealer of the key set in use */
  constructor(
    private readonly store: Store,
    private readonly upstream: () => Promise<Upstream>,
    private readonly sealer: () => Sealer,
  ) {}

  /** @param expires epoch seconds */
  remember(grantId: string, tokens: IssuedTokens, expires: number): Promise<boolean> {
    const key = upstreamTokenKey(grantId);
    return this.store.set(key, this.#sealed(key, tokens), expires * 1000);
  }

  /**
   * Of any number of callers at once, one may ask upstream.
   *
   * @param record as the caller has read it
   * @param pause seconds for which a former claim keeps others out
   * @returns the claim; undefined where somebody else has it, or has had it since the caller read the record
   */
  async claim(record: StoredRecord, pause: number): Promise<number | undefined> {
    const { key, value, consumedAt } = record;
    const at = now();
    if (consumedAt !== undefined && at - consumedAt < pause) return undefined;
    const seen = consumedAt === undefined ? {} : { seen: consumedAt };
    if (!(await this.store.consume(key, { now: at, ...seen }))) return undefined;
    // What has been renewed in between is unclaimed again, and the token that the caller has read is used up.
    const [current] = await this.store.read([key]);
    if (isDeepStrictEqual(current?.value, value)) return at;
    if (current) await this.release(current, at);
    return undefined;
  }

  /** Lets the next one ask at once. */
  async release({ key, value, expiresAt }: StoredRecord, claim: number): Promise<void> {
    await this.store.replace(key, value, (expiresAt ?? 0) * 1000, claim);
  }

  /**
   * Has upstream give new tokens for the refresh token in the record, and keeps them.
   *
   * @param sub whose grant it is
   * @param claim on the record
   * @returns what the record holds by now; undefined where somebody else has taken over, because this took too long
   * @throws UpstreamRefused if upstream has ended the person's access; the grant has then been deleted
   * @throws Error if upstream could not be asked, which says nothing about the person
   */
  async renew(
    grantHash: string,
    record: StoredRecord,
    sub: string,
    claim: number,
  ): Promise<UpstreamTokenRecord | undefined> {
    const { key, expiresAt = 0 } = record;
    const { sealed = '', access } = record.value as UpstreamTokenRecord;
    const keep = (value: unknown) => this.store.replace(key, value, expiresAt * 1000, claim);
    let tokens: IssuedTokens;
    try {
      tokens = await (await this.upstream()).refresh(this.sealer().open(sealed, key), sub);
    } catch (error) {
      if (!(error instanceof UpstreamRefused)) throw error;
      // Whoever was overtaken hears of a use of the token that was another's.
      if (!(await keep(record.value))) return undefined;
      await this.end(grantHash, sub, error.message);
      throw error;
    }
    // A scope that upstream leaves out is the former one (RFC 6749 section 5.1).
    const renewed = this.#sealed(key, {
      refreshToken: tokens.refreshToken,
      access: access && tokens.access && { scope: access.scope, ...tokens.access },
    });
    return (await stubbornly(() => keep(renewed))) ? renewed : undefined;
  }

  /** Ends the grant, because upstream no longer lets it be of use. */
  async end(grantHash: string, sub: string, reason: string): Promise<void> {
    await this.store.deleteMany([grantKeyOf(grantHash), upstreamTokenKeyOf(grantHash)]);
    logEvent('grant.ended_by_upstream', { sub, reason });
  }

  /** @throws SealError */
  accessTokenOf(grantHash: string, { sealed, expiresAt, ...rest }: SealedAccessToken): UpstreamAccessToken {
    return {
      ...rest,
      accessToken: this.sealer().open(sealed, accessTokenPlace(upstreamTokenKeyOf(grantHash))),
      ...(expiresAt === undefined ? {} : { expiresIn: expiresAt - now() }),
    };
  }

  #sealed(key: string, { refreshToken, access }: IssuedTokens): UpstreamTokenRecord {
    const checkedAt = now();
    return {
      ...(refreshToken === undefined ? {} : { sealed: this.sealer().seal(refreshToken, key) }),
      checkedAt,
      ...(access === undefined ? {} : { access: this.#sealedAccess(key, access, checkedAt) }),
    };
  }

  #sealedAccess(
    key: string,
    { accessToken, expiresIn, ...rest }: IssuedAccessToken,
    issuedAt: number,
  ): SealedAccessToken {
    return {
      ...rest,
      sealed: this.sealer().seal(accessToken, accessTokenPlace(key)),
      ...(expiresIn === undefined ? {} : { expiresAt: issuedAt + expiresIn }),
    };
  }
}

/** Milliseconds between attempts, beyond those of the store itself. Whoever outlasts the claim so is refused by its condition. */
const PAUSES = [250, 750, 2_000];

/**
 * What upstream has given replaces what it does not take any more. If it is not kept, the person has to sign in again, so a store
 * that fails is asked for longer than elsewhere.
 */
async function stubbornly(keep: () => Promise<boolean>): Promise<boolean> {
  for (const pause of PAUSES) {
    try {
      return await keep();
    } catch {
      await setTimeout(pause);
    }
  }
  return keep();
}

/** What an access token is sealed for: in the place of a refresh token it does not open, nor the other way round. */
function accessTokenPlace(key: string): string {
  return `${key}#access`;
}
