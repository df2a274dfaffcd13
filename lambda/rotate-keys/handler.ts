import { SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import type { SecretsManagerRotationEvent } from 'aws-lambda';
import { CONFIG } from '../../lib/contract';
import { lambdaLog } from '../lambda-log';
import { currentRequest, logEvent, logProblem, logTo } from '../provider/log';
import { KeyRotation } from './key-rotation';

logTo(lambdaLog());
const rotation = new KeyRotation(new SecretsManagerClient({}), JSON.parse(process.env[CONFIG]!));

/** The rotation function of the key set secret. Its steps are one request in the log: the version that they make. */
export function handler(event: SecretsManagerRotationEvent): Promise<void> {
  const { Step: step, ClientRequestToken: id } = event;
  return currentRequest.run({ id }, async () => {
    try {
      await rotation.rotate(event);
    } catch (error) {
      logProblem('key_set.rotation_failed', error, { step });
      throw error;
    }
    if (step === 'finishSecret') logEvent('key_set.rotated');
  });
}
