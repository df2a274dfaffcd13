import { createLocalJWKSet, importJWK, jwtVerify, SignJWT } from 'jose';
import type { KeySet } from '../../lib/contract';
import { jwksOf, publicJwks } from '../key-set/public-jwk';

/**
 * Uses a key set as it will be used: what `current` signs, and what `next` will sign, has to verify with what is published.
 *
 * @throws JOSEError or TypeError where it does not
 */
export async function tryKeySet(keySet: KeySet): Promise<void> {
  const published = createLocalJWKSet(publicJwks(keySet));
  for (const jwk of [keySet.current, keySet.next].flatMap(jwksOf)) {
    const { kid, alg } = jwk;
    const token = await new SignJWT().setProtectedHeader({ alg, kid }).sign(await importJWK(jwk, alg));
    await jwtVerify(token, published, { algorithms: [alg] });
  }
}
