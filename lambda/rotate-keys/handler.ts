import { SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import type { SecretsManagerRotationEvent } from 'aws-lambda';
import { CONFIG } from '../../lib/contract';
import { KeyRotation } from './key-rotation';

const rotation = new KeyRotation(new SecretsManagerClient({}), JSON.parse(process.env[CONFIG]!));

/** The rotation function of the key set secret. */
export function handler(event: SecretsManagerRotationEvent): Promise<void> {
  return rotation.rotate(event);
}
