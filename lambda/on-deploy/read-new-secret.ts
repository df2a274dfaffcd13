import { setTimeout as delay } from 'node:timers/promises';
import { GetSecretValueCommand, type SecretsManagerClient } from '@aws-sdk/client-secrets-manager';

/** Milliseconds between two attempts. */
const PAUSE = 2_000;
/** With the pauses less than the function may run: who is not allowed by then never will be. */
const ATTEMPTS = 15;

/**
 * Reads a secret that this function has been allowed to read a moment ago: IAM takes a while until that is known everywhere.
 *
 * @param secretArn the ARN of the secret
 */
export async function readNewSecret(secretsManager: SecretsManagerClient, secretArn: string): Promise<string> {
  for (let attempt = 1; ; attempt++) {
    try {
      const { SecretString = '' } = await secretsManager.send(new GetSecretValueCommand({ SecretId: secretArn }));
      return SecretString;
    } catch (error) {
      const isDenied = error instanceof Error && error.name === 'AccessDeniedException';
      if (!isDenied || attempt === ATTEMPTS) throw error;
      await delay(PAUSE);
    }
  }
}
