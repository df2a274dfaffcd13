import type { AccessTokenAlgorithm, KeySet, SymmetricKey } from '../../lib/contract';
import { makeSigningKey, makeSymmetricKey } from '../key-set/make-key-set';

/** Seconds after which every instance has looked at the secret again: `keySetRefresh` is an hour at most, and a value is served for two. */
const KNOWN_EVERYWHERE = 2 * 60 * 60;

/**
 * The key set without the key that signs: `next` takes over at once, however long it has been published, and nothing that `current` has
 * signed verifies any more. Whoever could read that key may have read the symmetric ones too, so new ones follow; what the old ones made
 * keeps working, for by themselves they open nothing.
 *
 * @param now epoch seconds
 */
export async function withoutCurrentKey(keySet: KeySet, now: number): Promise<KeySet> {
  const activeFrom = now + KNOWN_EVERYWHERE;
  // One that was to follow later still has made nothing, and would take over from the new one.
  const kept = (keys: readonly SymmetricKey[]) => keys.filter((key) => key.activeFrom < activeFrom);
  return {
    ...keySet,
    current: keySet.next,
    next: await makeSigningKey(now, keySet.next.jwk.alg as AccessTokenAlgorithm),
    successorKeys: [makeSymmetricKey(activeFrom), ...kept(keySet.successorKeys)],
    encryptionKeys: [makeSymmetricKey(activeFrom), ...kept(keySet.encryptionKeys)],
  };
}
