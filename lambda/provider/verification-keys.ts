import { createLocalJWKSet, type JWTVerifyGetKey } from 'jose';
import { publicJwk } from '../key-set/public-jwk';
import type { ServerKeys } from './key-source';

/** What access tokens of this server are verified with: the keys that it signs with, has signed with and will sign with. */
export function verificationKeys({ signing, published }: ServerKeys): JWTVerifyGetKey {
  let keySet: JWTVerifyGetKey | undefined;
  return (...token) => {
    // Made when it is first asked for: few requests verify a token, and every start would wait for it.
    keySet ??= createLocalJWKSet({ keys: [...signing.map(publicJwk), ...published] });
    return keySet(...token);
  };
}
