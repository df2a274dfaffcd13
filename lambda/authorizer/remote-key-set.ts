import { createRemoteJWKSet, customFetch, errors, type FetchImplementation, type JWTVerifyGetKey } from 'jose';

/** The issuer's key set cannot be had at the moment: nothing is known about the token, so it must not be called invalid. */
export class KeySetUnavailableError extends Error {
  override readonly name = 'KeySetUnavailableError';
}

/** How a key set is kept, in milliseconds. */
export interface KeySetCache {
  /** A `kid` that is not known makes the key set be fetched again, but no sooner after the last time than this; 30 000 where absent. */
  readonly cooldownDuration?: number;
  /**
   * How long a key set is used while there is no other, and its `max-age` at most, so that a key that was revoked does not go on for days;
   * 600 000 where absent.
   */
  readonly cacheMaxAge?: number;
}

/** Of its `max-age`: past this it is not used while a newer one is fetched. What else depends on it: lib/key-set.ts. */
const HARD_BOUND = 2;
/** Milliseconds until a fetch that failed is tried again. */
const RETRY = 1_000;

/**
 * The published key set of an issuer. It is fetched when it is first needed and kept for its `max-age` (RFC 9111 section 5.2.2.1); from then on
 * it serves while the next one is fetched, so that no request fails or waits for a rotation. A `kid` that it does not have makes it be
 * fetched once more, though not within `cooldownDuration` of the last time, so that made-up names cause no storm.
 *
 * @param jwksUri the `jwks_uri` of RFC 8414
 * @param ask how it is fetched
 * @returns finds the key for a token; throws KeySetUnavailableError where the key set does not arrive within 5 seconds or is not one
 */
export function remoteKeySet(
  jwksUri: string,
  { cooldownDuration = 30_000, cacheMaxAge: longest = 600_000 }: KeySetCache = {},
  ask: FetchImplementation = fetch,
): JWTVerifyGetKey {
  let maxAge = longest;
  let answeredMaxAge = longest;
  let fetchedAt = Number.NEGATIVE_INFINITY;
  let failedAt = Number.NEGATIVE_INFINITY;
  let made: ReturnType<typeof createRemoteJWKSet> | undefined;

  /** Not before it is needed: it makes Node load all of fetch, which is many times what the rest of the authorizer is. */
  function keySet() {
    made ??= createRemoteJWKSet(new URL(jwksUri), {
      timeoutDuration: 5_000,
      cooldownDuration,
      // Its age is looked after here.
      cacheMaxAge: Number.POSITIVE_INFINITY,
      [customFetch]: async (url, options) => {
        const response = await ask(url, options);
        answeredMaxAge = maxAgeOf(response.headers.get('cache-control'));
        return response;
      },
    });
    return made;
  }

  async function refresh(): Promise<void> {
    const begun = Date.now();
    try {
      await keySet().reload();
      // What else is answered, such as an error, says nothing about how long a key set is good for.
      maxAge = Math.min(answeredMaxAge, longest);
      fetchedAt = begun;
    } catch (error) {
      failedAt = Date.now();
      throw error;
    }
  }

  async function keepUpToDate(): Promise<void> {
    // Of either sign: a clock that was set back does not make it last until that time comes again.
    const age = Math.abs(Date.now() - fetchedAt);
    const tooOld = age >= longest;
    if (age < maxAge || (!tooOld && Math.abs(Date.now() - failedAt) < RETRY)) {
      return;
    }
    const refreshed = refresh().catch((error) => {
      // An old one beats an outage, up to there.
      if (tooOld) {
        throw error;
      }
    });
    if (age >= maxAge * HARD_BOUND) {
      await refreshed;
    }
  }

  return async (header, token) => {
    try {
      await keepUpToDate();
      return await keySet()(header, token);
    } catch (error) {
      // These two are about the token: it names no key, or none of ours. Everything else is about the key set.
      if (error instanceof errors.JWKSNoMatchingKey || error instanceof errors.JWKSMultipleMatchingKeys) {
        throw error;
      }
      throw new KeySetUnavailableError(`The key set at ${jwksUri} is not available.`, { cause: error });
    }
  };
}

function maxAgeOf(cacheControl: string | null): number {
  const [, seconds] = /(?:^|[\s,])max-age=(\d+)/i.exec(cacheControl ?? '') ?? [];
  return seconds === undefined ? Number.POSITIVE_INFINITY : Number(seconds) * 1000;
}
