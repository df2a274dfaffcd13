import type { KeySet, RotateKeysConfig } from '../../lib/contract';
import { makeSigningKey } from '../key-set/make-key-set';
import { publicJwk } from '../key-set/public-jwk';

/**
 * The key set that follows: `next` begins to sign, a new key is published in its place, and `current` stays published, without its
 * private half, until nothing that it signed can be valid. While `next` has not been published for long enough that every cache knows it,
 * nothing is promoted, and only keys whose time has come are left out.
 *
 * @param now epoch seconds
 */
export async function nextKeySet(
  keySet: KeySet,
  { minimumPublication, retirement }: Pick<RotateKeysConfig, 'minimumPublication' | 'retirement'>,
  now: number,
): Promise<KeySet> {
  const previous = keySet.previous.filter(({ retiredAt }) => now < retiredAt + retirement);
  if (now < keySet.next.createdAt + minimumPublication) {
    return { ...keySet, previous };
  }
  return {
    ...keySet,
    current: keySet.next,
    next: await makeSigningKey(now),
    previous: [{ jwk: publicJwk(keySet.current.jwk), retiredAt: now }, ...previous],
  };
}
