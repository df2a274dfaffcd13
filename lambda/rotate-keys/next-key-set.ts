import { type KeySet, LONGEST_LIFETIME, type RotateKeysConfig, type SymmetricKey } from '../../lib/contract';
import { makeSigningKey, makeSymmetricKey } from '../key-set/make-key-set';
import { jwksOf, publicJwk } from '../key-set/public-jwk';

/** Seconds that a symmetric key makes things before the next one does: with the 400 days that those may live, some 15 keys are kept. */
const SYMMETRIC_PERIOD = 30 * 24 * 60 * 60;

/**
 * The key set that follows: `next` begins to sign, a new key is published in its place, and `current` stays published, without its
 * private half, until nothing that it signed can be valid. While `next` has not been published for long enough that every cache knows it,
 * nothing is promoted, and only keys whose time has come are left out.
 *
 * @param now epoch seconds
 */
export async function nextKeySet(
  keySet: KeySet,
  config: Pick<RotateKeysConfig, 'algorithm' | 'minimumPublication' | 'retirement'>,
  now: number,
): Promise<KeySet> {
  const { algorithm, minimumPublication, retirement } = config;
  const pruned = {
    ...keySet,
    previous: keySet.previous.filter(({ retiredAt }) => now < retiredAt + retirement),
    successorKeys: stillNeeded(keySet.successorKeys, now - minimumPublication),
    encryptionKeys: stillNeeded(keySet.encryptionKeys, now - minimumPublication),
  };
  if (now < keySet.next.createdAt + minimumPublication) {
    return pruned;
  }
  const retired = jwksOf(keySet.current).map((jwk) => ({ jwk: publicJwk(jwk), retiredAt: now }));
  const activeFrom = now + minimumPublication;
  return {
    ...pruned,
    current: keySet.next,
    next: await makeSigningKey(now, algorithm),
    previous: [...retired, ...pruned.previous],
    successorKeys: turnedOver(pruned.successorKeys, activeFrom),
    encryptionKeys: turnedOver(pruned.encryptionKeys, activeFrom),
  };
}

/**
 * Without the keys whose last work has expired: they stopped when the next one became active, and nothing that they made lives longer
 * than any record.
 */
function stillNeeded(keys: readonly SymmetricKey[], now: number): SymmetricKey[] {
  const newestFirst = [...keys].sort((a, b) => b.activeFrom - a.activeFrom);
  return newestFirst.filter((_, i) => i === 0 || now < newestFirst[i - 1]!.activeFrom + LONGEST_LIFETIME);
}

/** A new key in front, where the newest has been at work for its period. */
function turnedOver(newestFirst: readonly SymmetricKey[], activeFrom: number): SymmetricKey[] {
  const due = activeFrom >= newestFirst[0]!.activeFrom + SYMMETRIC_PERIOD;
  return due ? [makeSymmetricKey(activeFrom), ...newestFirst] : [...newestFirst];
}
