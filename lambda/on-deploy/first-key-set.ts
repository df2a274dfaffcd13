import { createHash } from 'node:crypto';
import {
  GetSecretValueCommand,
  PutSecretValueCommand,
  ResourceExistsException,
  ResourceNotFoundException,
  type SecretsManagerClient,
} from '@aws-sdk/client-secrets-manager';
import type { OnDeployConfig } from '../../lib/contract';
import { makeKeySet } from '../key-set/make-key-set';
import { parseKeySet } from '../key-set/parse-key-set';

/**
 * Puts the first key set into the secret, unless it has one.
 *
 * @param config.keySetSecretArn the secret, without a value on the first deployment
 * @throws KeySetError where the secret holds something else, which is not overwritten
 */
export async function ensureKeySet(
  secretsManager: SecretsManagerClient,
  { keySetSecretArn: secretArn, algorithm }: Pick<OnDeployConfig, 'keySetSecretArn' | 'algorithm'>,
): Promise<void> {
  const value = await currentValue(secretsManager, secretArn);
  if (value !== undefined) {
    parseKeySet(value);
    return;
  }
  try {
    await secretsManager.send(
      new PutSecretValueCommand({
        SecretId: secretArn,
        ClientRequestToken: firstVersion(secretArn),
        SecretString: JSON.stringify(await makeKeySet(Math.floor(Date.now() / 1000), algorithm)),
      }),
    );
  } catch (error) {
    if (!(error instanceof ResourceExistsException)) {
      throw error;
    }
  }
}

async function currentValue(secretsManager: SecretsManagerClient, secretArn: string): Promise<string | undefined> {
  try {
    const { SecretString = '' } = await secretsManager.send(new GetSecretValueCommand({ SecretId: secretArn }));
    return SecretString;
  } catch (error) {
    if (error instanceof ResourceNotFoundException) {
      return undefined;
    }
    throw error;
  }
}

/**
 * The same version id for everyone who tries: Secrets Manager refuses a second value for it, so that of two at once one wins and the
 * other finds that there is a key set.
 */
function firstVersion(secretArn: string): string {
  return createHash('sha256').update(`The first key set of ${secretArn}`).digest('hex');
}
