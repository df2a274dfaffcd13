import { createRemoteJWKSet, errors, type JWTVerifyGetKey } from 'jose';

/** The issuer's key set cannot be had at the moment: nothing is known about the token, so it must not be called invalid. */
export class KeySetUnavailableError extends Error {
  override readonly name = 'KeySetUnavailableError';
}

/**
 * The published key set of an issuer, fetched when it is first needed and kept for 10 minutes. A `kid` that it does not have makes it
 * be fetched once more, though not within 30 seconds of the last time, so that made-up names cause no storm.
 *
 * @param jwksUri the `jwks_uri` of RFC 8414
 * @returns finds the key for a token; throws KeySetUnavailableError where the key set does not arrive within 5 seconds or is not one
 */
export function remoteKeySet(jwksUri: string): JWTVerifyGetKey {
  let keySet: JWTVerifyGetKey | undefined;
  return async (header, token) => {
    // Not before it is needed: it makes Node load all of fetch, which is many times what the rest of the authorizer is.
    keySet ??= createRemoteJWKSet(new URL(jwksUri), {
      timeoutDuration: 5_000,
      cooldownDuration: 30_000,
      cacheMaxAge: 600_000,
    });
    try {
      return await keySet(header, token);
    } catch (error) {
      // These two are about the token: it names no key, or none of ours. Everything else is about the key set.
      if (error instanceof errors.JWKSNoMatchingKey || error instanceof errors.JWKSMultipleMatchingKeys) {
        throw error;
      }
      throw new KeySetUnavailableError(`The key set at ${jwksUri} is not available.`, { cause: error });
    }
  };
}
