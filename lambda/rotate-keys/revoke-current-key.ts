import { randomUUID } from 'node:crypto';
import type { SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import type { KeySet } from '../../lib/contract';
import { KeySetSecret, PREVIOUS } from '../key-set/key-set-secret';
import { jwksOf } from '../key-set/public-jwk';
import { tryKeySet } from './try-key-set';
import { withoutCurrentKey } from './without-current-key';

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
