import { randomBytes } from 'node:crypto';
import { calculateJwkThumbprint, exportJWK, generateKeyPair } from 'jose';
import type { KeySet, SigningKey, SymmetricKey } from '../../lib/contract';

/**
 * The key set that an authorization server begins with.
 *
 * @param now the time of creation in epoch seconds
 */
export async function makeKeySet(now: number): Promise<KeySet> {
  const [current, next] = await Promise.all([makeSigningKey(now), makeSigningKey(now)]);
  return {
    v: 1,
    current,
    next,
    previous: [],
    successorKeys: [makeSymmetricKey(now)],
    encryptionKeys: [makeSymmetricKey(now)],
  };
}

/**
 * A new RSA key of 2048 bits for RS256, the algorithm that every OpenID Connect client and API Gateway's own JWT authorizer understand.
 * Its `kid` is the JWK thumbprint (RFC 7638): equal keys have equal names, and no two keys share one.
 *
 * @param now the time of creation in epoch seconds
 */
export async function makeSigningKey(now: number): Promise<SigningKey> {
  const { privateKey } = await generateKeyPair('RS256', { modulusLength: 2048, extractable: true });
  // An exported RSA key has string members only (RFC 7518 section 6.3); jose's type covers every kind of key.
  const jwk = (await exportJWK(privateKey)) as Record<string, string>;
  const kid = await calculateJwkThumbprint(jwk);
  return { jwk: { ...jwk, kid, alg: 'RS256', use: 'sig' }, createdAt: now };
}

function makeSymmetricKey(now: number): SymmetricKey {
  return { id: randomBytes(6).toString('base64url'), key: randomBytes(32).toString('base64url'), createdAt: now };
}
