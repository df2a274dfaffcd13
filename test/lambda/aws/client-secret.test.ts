import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { ClientSecret } from '../../../lambda/aws/client-secret';
import { secretsManager } from '../../../lambda/aws/services';
import { logTo } from '../../../lambda/provider/log';
import { type LocalSecretsManager, startSecretsManager } from '../../../local/aws/secrets-manager';
import { addCaller, allow, clientConfig, newAccessControl } from '../../local/aws/credentials';

let service: LocalSecretsManager;
let environment: Record<string, string>;
const logged = vi.fn();
beforeEach(async () => {
  const accessControl = newAccessControl();
  service = await startSecretsManager({ accessControl, invoke: async () => undefined });
  const { credentials } = clientConfig(addCaller(accessControl, 'provider', allow(['secretsmanager:*'], '*')), '');
  environment = {
    AWS_REGION: 'us-east-1',
    AWS_ACCESS_KEY_ID: credentials.accessKeyId,
    AWS_SECRET_ACCESS_KEY: credentials.secretAccessKey,
    AWS_SESSION_TOKEN: credentials.sessionToken,
    AWS_ENDPOINT_URL_SECRETS_MANAGER: service.endpoint,
  };
  logTo(logged);
});
afterEach(() => service.close());

function clientSecret(id: string): ClientSecret {
  return new ClientSecret(
    secretsManager({ maxAttempts: 1, connectionTimeout: 1_000, requestTimeout: 2_000 }, environment),
    id,
  );
}

async function others(secret: ClientSecret): Promise<string[]> {
  const found: string[] = [];
  for await (const other of secret.othersThan(await secret.current())) found.push(other);
  return found;
}

describe('the client secret, where upstream refuses the one that is known', () => {
  it('has no other value while the operator has never changed it, which is no problem', async () => {
    const secret = clientSecret(service.createSecret({ name: 'upstream', value: 'first' }).arn);
    expect(await others(secret)).toEqual([]);
    expect(logged).not.toHaveBeenCalled();
  });

  it('is said to be unreadable where it cannot be read', async () => {
    const secret = clientSecret(service.createSecret({ name: 'upstream', value: 'first' }).arn);
    await secret.current();
    await service.close();
    expect(await others(secret)).toEqual([]);
    expect(logged).toHaveBeenCalledWith('error', 'secret.unavailable', expect.anything());
  });
});
