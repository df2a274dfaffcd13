import { InvalidTokenError } from '../../lambda/authorizer/invalid-token-error';
import type { AccessToken } from '../../lambda/authorizer/verify-token';
import { grantKeyOf } from '../../lambda/provider/keys';
import type { PersonalGrant } from '../../lambda/provider/personal-grant';
import type { Store } from '../../lambda/store/store';
import { GRANT_CLAIM } from '../../lib/contract';
import type { AuthInfo, Person } from './caller';

/** What an access token says beside the person's claims (RFC 9068 section 2.2). */
const OF_THE_TOKEN = new Set(['iss', 'aud', 'exp', 'iat', 'nbf', 'jti', 'client_id', 'scope', 'cnf', GRANT_CLAIM]);

/**
 * Who is behind a verified access token. The grant that the token names is looked up in the store, so that one that has been revoked is over
 * at once, with all its access tokens.
 *
 * @param token as it was presented
 * @throws InvalidTokenError if the grant is over
 * @throws StoreUnavailable while that cannot be found out
 */
export async function findCaller(
  token: string,
  verified: AccessToken,
  store: Store,
): Promise<{ readonly user: Person; readonly auth: AuthInfo }> {
  const { client_id, scope, claims } = verified;
  const user = await personOf(verified, store);
  const auth = {
    token,
    clientId: client_id,
    scopes: scope.split(' ').filter(Boolean),
    expiresAt: claims.exp,
    resource: new URL(claims.aud as string),
    extra: { sub: user.accountId, claims: user.claims, customData: user.customData },
  };
  return { user, auth };
}

async function personOf({ sub, claims }: AccessToken, store: Store): Promise<Person> {
  const grant = claims[GRANT_CLAIM];
  if (typeof grant !== 'string') {
    const ofPerson = Object.entries(claims).filter(([name]) => !OF_THE_TOKEN.has(name));
    return { accountId: sub, userId: sub, claims: Object.fromEntries(ofPerson) };
  }
  const [record] = await store.read([grantKeyOf(grant)]);
  if (record === undefined) throw new InvalidTokenError('grant');
  const { upstreamClaims = {}, customData } = record.value as PersonalGrant;
  const { sub: userId } = upstreamClaims;
  return {
    accountId: sub,
    userId: typeof userId === 'string' ? userId : sub,
    claims: { ...upstreamClaims },
    ...(customData === undefined ? {} : { customData: { ...customData } }),
  };
}
