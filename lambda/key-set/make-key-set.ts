import { randomBytes } from 'node:crypto';
import { calculateJwkThumbprint, exportJWK, generateKeyPair } from 'jose';
import type { AccessTokenAlgorithm, KeySet, PrivateJwk, SigningKey, SymmetricKey } from '../../lib/contract';

/**
 * The key set that an authorization server begins with.
 *
 * @param now the time of creation in epoch seconds
 * @param algorithm of access tokens
 */
export async function makeKeySet(now: number, algorithm: AccessTokenAlgorithm = 'RS256'): Promise<KeySet> {
  const [current, next] = await Promise.all([makeSigningKey(now, algorithm), makeSigningKey(now, algorithm)]);
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
 * New keys for one period. RS256 is the algorithm that every OpenID Connect client and API Gateway's own JWT authorizer understand.
 *
 * @param now the time of creation in epoch seconds
 * @param algorithm of access tokens
 */
export async function makeSigningKey(now: number, algorithm: AccessTokenAlgorithm = 'RS256'): Promise<SigningKey> {
  const jwk = await makeJwk(algorithm);
  return { jwk, ...(algorithm === 'RS256' ? {} : { idTokenJwk: await makeJwk('RS256') }), createdAt: now };
}

/**
 * A private key. Its `kid` is the JWK thumbprint (RFC 7638): equal keys have equal names, and no two keys share one.
 *
 * @param alg RS256 with 2048 bits, or ES256
 */
export async function makeJwk(alg: AccessTokenAlgorithm): Promise<PrivateJwk> {
  const { privateKey } = await generateKeyPair(alg, { extractable: true });
  // An exported RSA or EC key has string members only (RFC 7518 section 6), `d` among them; jose's type covers every kind of key.
  const jwk = (await exportJWK(privateKey)) as Record<string, string> & { d: string };
  return { ...jwk, kid: await calculateJwkThumbprint(jwk), alg, use: 'sig' };
}

/** @param activeFrom epoch seconds */
export function makeSymmetricKey(activeFrom: number): SymmetricKey {
  return { id: randomBytes(6).toString('base64url'), key: randomBytes(32).toString('base64url'), activeFrom };
}
