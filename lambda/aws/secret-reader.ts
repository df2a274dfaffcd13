import { GetSecretValueCommand, type SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import type { SecretValue } from '../provider/cached-secret';

/**
 * Reads a version of a secret.
 *
 * @param secretId the secret's ARN or name
 * @param stage the staging label of the version
 */
export function secretReader(
  client: SecretsManagerClient,
  secretId: string,
  stage: 'AWSCURRENT' | 'AWSPREVIOUS' = 'AWSCURRENT',
): () => Promise<SecretValue> {
  return async () => {
    const { SecretString, VersionId } = await client.send(
      new GetSecretValueCommand({ SecretId: secretId, VersionStage: stage }),
    );
    return { text: SecretString ?? '', versionId: VersionId ?? '' };
  };
}
