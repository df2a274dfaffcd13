import { randomUUID } from 'node:crypto';
import type { SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import type { AccessTokenAlgorithm, KeySet } from '../../lib/contract';
import { KeySetSecret, PREVIOUS } from '../key-set/key-set-secret';
import { makeSigningKey, makeSymmetricKey } from '../key-set/make-key-set';
import { jwksOf } from '../key-set/public-jwk';
import { tryKeySet } from './try-key-set';

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
  return {
    ...keySet,
    current: keySet.next,
    next: await makeSigningKey(now, keySet.next.jwk.alg as AccessTokenAlgorithm),
    successorKeys: [makeSymmetricKey(activeFrom), ...keySet.successorKeys],
    encryptionKeys: [makeSymmetricKey(activeFrom), ...keySet.encryptionKeys],
  };
}

export interface Revocation {
  /** The `kid` of each key that nothing is verified with any more. */
  readonly revoked: readonly string[];
  /** The key set that is in use now. */
  readonly keySet: KeySet;
}

/**
 * Takes the key that signs out of use at once, and the version of the secret that has it out of reach.
 *
 * @param secretId ARN or name of the key set secret
 * @throws InvalidParameterException where the key set has changed meanwhile
 */
export async function revokeCurrentKey(secretsManager: SecretsManagerClient, secretId: string): Promise<Revocation> {
  const secret = new KeySetSecret(secretsManager, secretId);
  const { keySet, versionId } = await secret.current();
  const following = { ...(await withoutCurrentKey(keySet, Math.floor(Date.now() / 1000))), basedOn: versionId };
  await tryKeySet(following);
  const token = randomUUID();
  // Being pending, it takes the place of a rotation that was under way and might bring the key back.
  await secret.prepare(token, following);
  await secret.promote(token, versionId);
  await secret.unlabel(PREVIOUS, versionId);
  return { revoked: jwksOf(keySet.current).map(({ kid }) => kid), keySet: following };
}
