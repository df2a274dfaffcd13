import { setTimeout } from 'node:timers/promises';
import { GRANT_CLAIM } from '../../lib/contract';
import type { Store, StoredRecord } from '../store/store';
import { now } from './clock';
import { grantKeyOf, upstreamTokenKeyOf } from './keys';
import { logProblem } from './log';
import type { PersonalGrant } from './personal-grant';
import { UnderWayError } from './race';
import type { Resources } from './resources';
import { recordsOf } from './unit-of-work';
import { UpstreamRefused, UpstreamUnavailable } from './upstream-errors';
import type { UpstreamAccessToken, UpstreamTokenRecord, UpstreamTokens } from './upstream-tokens';

/** There is no upstream token for this access token, and a repetition would change nothing. */
export class NoUpstreamToken extends Error {
  override readonly name = 'NoUpstreamToken';

  /** @param error of the token endpoint (RFC 6749 section 5.2, RFC 8693 section 2.2.2) */
  constructor(
    readonly error: 'invalid_grant' | 'invalid_target',
    description: string,
  ) {
    super(description);
  }
}

/** Of an access token of this server's that has been verified. */
export interface AccessTokenClaims {
  readonly sub: string;
  readonly client_id: string;
  readonly aud: string;
  readonly [claim: string]: unknown;
}

/** What the Grant's record holds, of all that the engine keeps there. */
type GrantRecord = PersonalGrant & { readonly accountId?: string; readonly clientId?: string };

/** Seconds before its end from which on an access token is renewed, or a quarter of its life where that is shorter. */
const EARLY = 60;
/** Seconds for which an access token is taken to live where upstream does not say. */
const UNSAID_LIFETIME = 60 * 60;
/** Seconds after which whoever began to renew has ended, one way or the other: longer than any request may take. */
const LONGEST_RENEWAL = 30;
/** Milliseconds between two looks whether another has renewed, and how often one looks. */
const LOOK_EVERY = 100;
const LOOKS = 50;

/** Lets a resource server act upstream as the person whose access token it has received. */
export class UpstreamAccess {
  constructor(
    private readonly store: Store,
    private readonly resources: Resources,
    private readonly tokens: UpstreamTokens,
  ) {}

  /**
   * A token that is good for a while: one that is about to expire is renewed first, by one of all who ask for it at the same time.
   *
   * @throws NoUpstreamToken where there is none to be had
   * @throws UpstreamUnavailable, UnderWayError where that cannot be found out at the moment
   */
  async tokenFor(claims: AccessTokenClaims): Promise<UpstreamAccessToken> {
    const resource = (await this.resources.catalogue()).find(claims.aud);
    if (!resource?.upstreamTokens) {
      throw new NoUpstreamToken('invalid_target', 'upstream tokens are not for this protected resource');
    }
    const grantHash = grantHashOf(claims);
    if (!grantHash) throw new NoUpstreamToken('invalid_grant', 'the person has not agreed to this; they sign in again');
    let { grant, record } = await this.#read(grantHash);
    for (let looks = 0; looks < LOOKS; looks++) {
      const access = isGrantOf(grant, claims) ? (record?.value as UpstreamTokenRecord | undefined)?.access : undefined;
      if (!record || !access) throw new NoUpstreamToken('invalid_grant', 'the grant behind the access token has ended');
      const { sealed, checkedAt } = record.value as UpstreamTokenRecord;
      const isExpired = access.expiresAt !== undefined && now() >= access.expiresAt;
      if (!isExpired && (sealed === undefined || now() < renewableFrom(checkedAt, access.expiresAt))) {
        return this.tokens.accessTokenOf(grantHash, access);
      }
      if (sealed === undefined) {
        await this.tokens.end(grantHash, claims.sub, 'The access token has expired, and there is no refresh token');
        throw new NoUpstreamToken('invalid_grant', 'the upstream access has expired');
      }
      const renewed = await this.#renewed(grantHash, record, claims.sub, isExpired);
      if (renewed) return this.tokens.accessTokenOf(grantHash, renewed);
      // Somebody else renews it: what is still good will do, else it is there in a moment.
      if (!isExpired) return this.tokens.accessTokenOf(grantHash, access);
      await setTimeout(LOOK_EVERY);
      ({ grant, record } = await this.#read(grantHash, { anew: true }));
    }
    throw new UnderWayError('the upstream access token is being renewed');
  }

  /** @returns undefined where it is somebody else who renews, or where upstream is down and what there is will do */
  async #renewed(
    grantHash: string,
    record: StoredRecord,
    sub: string,
    isNeeded: boolean,
  ): Promise<UpstreamTokenRecord['access']> {
    const claim = await this.tokens.claim(record, LONGEST_RENEWAL);
    if (claim === undefined) return undefined;
    try {
      return (await this.tokens.renew(grantHash, record, sub, claim))?.access;
    } catch (error) {
      if (error instanceof UpstreamRefused) throw new NoUpstreamToken('invalid_grant', 'upstream has ended the access');
      logProblem('upstream_token.renewal_failed', error, { sub });
      await this.tokens.release(record, claim);
      if (isNeeded) throw new UpstreamUnavailable('The identity provider cannot be asked', { cause: error });
      return undefined;
    }
  }

  async #read(
    grantHash: string,
    { anew = false } = {},
  ): Promise<{ grant: StoredRecord | undefined; record: StoredRecord | undefined }> {
    const keys = [grantKeyOf(grantHash), upstreamTokenKeyOf(grantHash)];
    const [grant, record] = await (anew ? this.store.read(keys) : recordsOf(this.store, keys));
    return { grant, record };
  }
}

/** Which grant an access token comes from, where it says so. Whether its person has agreed is in the grant. */
export function grantHashOf({ [GRANT_CLAIM]: claim }: Readonly<Record<string, unknown>>): string | undefined {
  return typeof claim === 'string' && /^[\w-]{43}$/.test(claim) ? claim : undefined;
}

/** The claim names the grant, and the grant's record says whose it is. */
function isGrantOf(grant: StoredRecord | undefined, { sub, client_id: clientId }: AccessTokenClaims): boolean {
  const { accountId, clientId: grantedTo, upstreamTokens } = (grant?.value ?? {}) as GrantRecord;
  return upstreamTokens === true && accountId === sub && grantedTo === clientId;
}

function renewableFrom(issuedAt: number, expiresAt = issuedAt + UNSAID_LIFETIME): number {
  return expiresAt - Math.min(EARLY, (expiresAt - issuedAt) / 4);
}
