import type { SecretsManagerRotationEvent } from 'aws-lambda';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { CONFIG } from '../../../lib/contract';
import { catchLog } from '../../support/log-lines';

const SECRET = 'arn:aws:secretsmanager:eu-central-1:123456789012:secret:keys-AbCdEf';
const VERSION = '3c7f3b52-8a5d-4a39-8f0e-1f6d0f5a0d11';

let handler: (event: SecretsManagerRotationEvent) => Promise<void>;
let log: ReturnType<typeof catchLog>;
beforeEach(async () => {
  vi.stubEnv(CONFIG, JSON.stringify({ keySetSecretArn: SECRET, minimumPublication: 600, retirement: 4000 }));
  vi.stubEnv('AWS_REGION', 'eu-central-1');
  ({ handler } = await import('../../../lambda/rotate-keys/handler.js'));
  log = catchLog();
});
afterEach(() => {
  vi.restoreAllMocks();
  vi.unstubAllEnvs();
});

it('tells of a step that has failed, with the version that was to be made, and fails for Secrets Manager too', async () => {
  const event = { Step: 'createSecret', SecretId: `${SECRET}-another`, ClientRequestToken: VERSION } as const;
  await expect(handler(event)).rejects.toThrow('and nothing else');
  expect(log.lines()).toEqual([
    {
      level: 'ERROR',
      timestamp: expect.any(String),
      event: 'key_set.rotation_failed',
      requestId: VERSION,
      error: 'Error',
      message: expect.stringContaining('This function rotates'),
      step: 'createSecret',
    },
  ]);
});

it('is silent about a step that is not the last', async () => {
  await handler({ Step: 'setSecret', SecretId: SECRET, ClientRequestToken: VERSION });
  expect(log.lines()).toEqual([]);
});
