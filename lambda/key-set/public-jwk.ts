import type { KeySet, PrivateJwk, PublicJwk, SigningKey } from '../../lib/contract';

/** The members of a public key (RFC 7518 section 6). Whatever else a JWK carries is private or of no use to a verifier. */
const PUBLIC_MEMBERS: Readonly<Record<string, readonly string[]>> = {
  RSA: ['kty', 'n', 'e'],
  EC: ['kty', 'crv', 'x', 'y'],
};

/**
 * The public half of a signing key, by a list of what may be published rather than of what may not.
 *
 * @throws TypeError if the key is of another type than RSA or EC
 */
export function publicJwk(jwk: PrivateJwk | PublicJwk): PublicJwk {
  const members = PUBLIC_MEMBERS[jwk.kty ?? ''];
  if (members === undefined) {
    throw new TypeError('A signing key has to be of type RSA or EC.');
  }
  return Object.fromEntries([...members, 'kid', 'alg', 'use'].map((member) => [member, jwk[member]])) as PublicJwk;
}

/**
 * The JWK Set (RFC 7517 section 5) to publish: the key that signs, the one that will sign next, so that every cache knows it before it is
 * used, and those whose signatures may still be valid.
 */
export function publicJwks(keySet: KeySet): { keys: PublicJwk[] } {
  return { keys: everyJwk(keySet).map(publicJwk) };
}

/** The keys that belong to one period. */
export function jwksOf({ jwk, idTokenJwk }: SigningKey): [PrivateJwk, ...PrivateJwk[]] {
  return idTokenJwk ? [jwk, idTokenJwk] : [jwk];
}

/** Every key of the set, in the order in which they are published; those that sign come first. */
export function everyJwk({ current, next, previous }: KeySet): (PrivateJwk | PublicJwk)[] {
  return [...jwksOf(current), ...jwksOf(next), ...previous.map(({ jwk }) => jwk)];
}
