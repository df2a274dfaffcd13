import { InvalidTokenError } from '../../lambda/authorizer/invalid-token-error';
import type { AccessToken } from '../../lambda/authorizer/verify-token';
import { hashedGrantKey } from '../../lambda/provider/keys';
import type { Store } from '../../lambda/store/store';
import { GRANT_CLAIM } from '../../lib/contract';

/** For whom a request comes. */
export interface Person {
  /** The `sub` of the access token: stable for one person at one identity provider, and tells neither. */
  accountId: string;
  /** The `sub` at the identity provider, where the authorization server shares its store; else the same as `accountId`. */
  userId: string;
  /** What the identity provider said of the person (its ID token's claims), where the store is shared; else the access token's claims. */
  claims: Record<string, unknown>;
  /** What `extractCustomData` has made of these claims. */
  customData?: Record<string, unknown>;
}

/** As the authorization server keeps it: `PersonalGrant`. */
interface StoredGrant {
  readonly upstreamClaims?: Readonly<Record<string, unknown>>;
  readonly customData?: Readonly<Record<string, unknown>>;
}

/** What an access token says beside the person's claims (RFC 9068 section 2.2). */
const OF_THE_TOKEN = new Set(['iss', 'aud', 'exp', 'iat', 'nbf', 'jti', 'client_id', 'scope', 'cnf', GRANT_CLAIM]);

/**
 * The person behind an access token. What the token names is looked up in the store, so that a grant that has been revoked is over at once,
 * with all its access tokens.
 *
 * @throws InvalidTokenError if the grant is over
 * @throws StoreUnavailable while that cannot be found out
 */
export async function personOf({ sub, claims }: AccessToken, store: Store): Promise<Person> {
  const grant = claims[GRANT_CLAIM];
  if (typeof grant !== 'string') {
    const ofPerson = Object.entries(claims).filter(([name]) => !OF_THE_TOKEN.has(name));
    return { accountId: sub, userId: sub, claims: Object.fromEntries(ofPerson) };
  }
  const [record] = await store.read([hashedGrantKey(grant)]);
  if (record === undefined) throw new InvalidTokenError('grant');
  const { upstreamClaims = {}, customData } = record.value as StoredGrant;
  const { sub: userId } = upstreamClaims;
  return {
    accountId: sub,
    userId: typeof userId === 'string' ? userId : sub,
    claims: { ...upstreamClaims },
    ...(customData === undefined ? {} : { customData: { ...customData } }),
  };
}
