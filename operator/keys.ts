import { setTimeout } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { RotateSecretCommand, SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import { CURRENT, KeySetSecret } from '../lambda/key-set/key-set-secret';
import { makeJwk } from '../lambda/key-set/make-key-set';
import { KeySetError } from '../lambda/key-set/parse-key-set';
import { revokeCurrentKey } from '../lambda/rotate-keys/revoke-current-key';
import { explained } from './aws-errors';
import { OperatorError, UsageError } from './errors';
import { STORE_OPTIONS } from './opened-store';
import type { Output } from './output';
import { rotateStored } from './stored-keys';
import { revoked, turned } from './turned-keys';

export const KEYS_USAGE = `Usage: mcp-oidc-auth keys generate [--alg RS256|ES256] [--pretty]
       mcp-oidc-auth keys rotate (--secret NAME | --store URL) [--revoke-current]

generate prints a new private key as a JWK Set, for those who bring their own.
rotate turns the signing keys over now instead of at the scheduled time.

  --alg             RS256 (default) or ES256
  --pretty          on several lines
  --secret          the name or ARN of the key set secret of an authorization server on AWS
  --store           the URL of the store of one elsewhere that makes its own keys, or STORE_URL; SESSION_SECRET is its secret. Both are read
                    from the environment or .env
  --namespace       of the Keyv that the server was given, where it has one
  --revoke-current  takes the key that signs out of use at once, because it has leaked

Region and credentials for a secret are those that the AWS CLI uses (AWS_REGION, AWS_PROFILE ...).`;

/** Secrets Manager calls the four steps one after the other; each takes a second or two, and a cold start. */
const LONGEST_ROTATION_MS = 60_000;
const LOOK_EVERY_MS = 500;

/** Makes keys, or turns those of an authorization server over. */
export async function keys(args: string[], output: Output): Promise<void> {
  const { values, positionals } = parseArgs({
    args,
    allowPositionals: true,
    options: {
      alg: { type: 'string' },
      pretty: { type: 'boolean' },
      secret: { type: 'string' },
      store: STORE_OPTIONS.store,
      namespace: STORE_OPTIONS.namespace,
      'revoke-current': { type: 'boolean' },
    },
  });
  const { alg, pretty, secret, store, namespace, 'revoke-current': revokeCurrent = false } = values;
  const [action, ...rest] = positionals;
  if ((action !== 'generate' && action !== 'rotate') || rest.length > 0) {
    throw new UsageError(`keys needs generate or rotate, got ${positionals.join(' ') || 'nothing'}.`);
  }
  if (action === 'generate') {
    if (secret !== undefined || store !== undefined || namespace !== undefined || revokeCurrent) {
      throw new UsageError('--secret, --store, --namespace and --revoke-current are for keys rotate.');
    }
    return generate(alg, pretty, output);
  }
  if (alg !== undefined || pretty) throw new UsageError('--alg and --pretty are for keys generate.');
  if (secret !== undefined && store !== undefined) throw new UsageError('Give --secret or --store, not both.');
  if (secret === undefined) return rotateStored({ store, namespace }, revokeCurrent, output);
  if (secret === '') throw new UsageError('--secret needs the name or ARN of the key set secret.');
  return onSecret(secret, (client) => (revokeCurrent ? revoke : rotate)(client, secret, output));
}

async function generate(alg = 'RS256', pretty = false, output: Output): Promise<void> {
  if (alg !== 'RS256' && alg !== 'ES256') throw new UsageError(`--alg needs RS256 or ES256, got '${alg}'.`);
  output.print(JSON.stringify({ keys: [await makeJwk(alg)] }, null, pretty ? 2 : 0));
}

async function rotate(client: SecretsManagerClient, secretId: string, output: Output): Promise<void> {
  const secret = new KeySetSecret(client, secretId);
  const before = (await secret.current()).keySet;
  const { VersionId: version = '' } = await client.send(new RotateSecretCommand({ SecretId: secretId }));
  output.note('Secrets Manager rotates the key set. This takes some seconds.');
  const end = Date.now() + LONGEST_ROTATION_MS;
  while (!(await secret.labels())[version]?.includes(CURRENT)) {
    if (Date.now() > end) {
      throw new OperatorError(
        'The rotation has not ended within a minute. The log of the rotation function says why; Secrets Manager tries again by itself.',
      );
    }
    await setTimeout(LOOK_EVERY_MS);
  }
  output.note(turned(before, (await secret.current()).keySet));
}

async function revoke(client: SecretsManagerClient, secretId: string, output: Output): Promise<void> {
  const { revoked: kids, keySet } = await revokeCurrentKey(client, secretId);
  for (const kid of kids) output.print(kid);
  output.note(
    revoked(
      keySet,
      'instances look every keySetRefresh (1 minute by default) and serve what they have for twice as long, and so do authorizers, beside their own result caches',
    ),
  );
}

async function onSecret(name: string, act: (client: SecretsManagerClient) => Promise<void>): Promise<void> {
  const client = new SecretsManagerClient({});
  try {
    await act(client);
  } catch (error) {
    if (error instanceof KeySetError) {
      throw new OperatorError(`The secret '${name}' does not hold the key set of an authorization server.`);
    }
    throw await explained(error, client.config.region, {
      NoKeySetError: (region) =>
        `There is no secret '${name}' in the region ${region}, or it has no key set yet. AWS_REGION sets another region; the stack that holds McpOidcAuth names its key set secret.`,
      InvalidParameterException: () =>
        'The key set has changed in this moment: somebody else has turned it over. Look at it again.',
    });
  } finally {
    client.destroy();
  }
}
