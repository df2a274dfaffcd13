import { GetSecretValueCommand, SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import type { SecretsManagerRotationEvent } from 'aws-lambda';
import { calculateJwkThumbprint, importJWK, type JWK } from 'jose';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { makeKeySet } from '../../lambda/key-set/make-key-set';
import { parseKeySet } from '../../lambda/key-set/parse-key-set';
import { KeyRotation } from '../../lambda/rotate-keys/key-rotation';
import type { KeySet } from '../../lib/contract';
import { AccessControl } from '../../local/aws/access-control';
import { type LocalSecretsManager, startSecretsManager } from '../../local/aws/secrets-manager';
import { type } from './operator';

const region = 'eu-central-1';

let secrets: LocalSecretsManager;
let environment: Record<string, string>;
let client: SecretsManagerClient;
let first: KeySet;

/** An operator who may do everything, and a key set whose rotation is set up. */
beforeEach(async () => {
  const accessControl = new AccessControl({ region, account: '123456789012' });
  const credentials = accessControl.addCaller({
    functionName: 'operator',
    roleArn: 'arn:aws:iam::123456789012:role/operator',
    policies: [{ Version: '2012-10-17', Statement: { Effect: 'Allow', Action: '*', Resource: '*' } }],
  });
  let rotation: KeyRotation;
  secrets = await startSecretsManager({
    accessControl,
    invoke: (_, event) => rotation.rotate(event as SecretsManagerRotationEvent),
  });
  client = new SecretsManagerClient({ region, endpoint: secrets.endpoint, credentials });
  first = await makeKeySet(Math.floor(Date.now() / 1000) - 86_400);
  const { arn: keySetSecretArn } = secrets.createSecret({ name: 'keys', value: JSON.stringify(first) });
  rotation = new KeyRotation(client, { keySetSecretArn, algorithm: 'RS256', minimumPublication: 60, retirement: 4000 });
  await secrets.setRotation({
    secretArn: keySetSecretArn,
    functionArn: 'arn:aws:lambda:eu-central-1:123456789012:function:rotate-keys',
    scheduleExpression: 'rate(30 days)',
    rotateImmediately: false,
  });
  environment = {
    AWS_REGION: region,
    AWS_ACCESS_KEY_ID: credentials.accessKeyId,
    AWS_SECRET_ACCESS_KEY: credentials.secretAccessKey,
    AWS_SESSION_TOKEN: credentials.sessionToken,
    AWS_ENDPOINT_URL_SECRETS_MANAGER: secrets.endpoint,
  };
});
afterEach(async () => {
  client.destroy();
  await secrets.close();
});

const keys = (...args: string[]) => type(environment, 'keys', ...args);

async function inUse(): Promise<KeySet> {
  const { SecretString = '' } = await client.send(new GetSecretValueCommand({ SecretId: 'keys' }));
  return parseKeySet(SecretString);
}

describe('keys generate', () => {
  test.each([
    [[], { kty: 'RSA', alg: 'RS256' }],
    [['--alg', 'RS256'], { kty: 'RSA', alg: 'RS256' }],
    [['--alg', 'ES256'], { kty: 'EC', crv: 'P-256', alg: 'ES256' }],
  ])('prints a JWK Set with one private key: %j', async (args, members) => {
    const { code, stdout, stderr } = await type({}, 'keys', 'generate', ...args);
    expect([code, stderr, stdout.includes('\n')]).toEqual([0, '', false]);
    const [key, ...others] = (JSON.parse(stdout) as { keys: JWK[] }).keys;
    expect(others).toEqual([]);
    expect(key).toMatchObject({
      ...members,
      use: 'sig',
      d: expect.any(String),
      kid: await calculateJwkThumbprint(key!),
    });
    await importJWK(key!);
  });

  test('prints another key each time, on several lines where it is asked to', async () => {
    const [one, other] = [await keys('generate', '--pretty'), await keys('generate', '--pretty')];
    expect(one.stdout).not.toBe(other.stdout);
    expect(one.stdout.split('\n').length).toBeGreaterThan(5);
  });
});

describe('keys rotate', () => {
  test('lets the next key sign, and says which', async () => {
    const { code, stdout, stderr } = await keys('rotate', '--secret', 'keys');
    expect([code, stdout]).toEqual([0, '']);
    expect(stderr).toContain(`${first.next.jwk.kid} signs from now on.`);
    expect((await inUse()).current).toEqual(first.next);
  });

  test('says that nothing was promoted, while not everybody knows the next key', async () => {
    await keys('rotate', '--secret', 'keys');
    const { code, stderr } = await keys('rotate', '--secret', 'keys');
    expect(code).toBe(0);
    expect(stderr).toContain(`${first.next.jwk.kid} signs on`);
    expect((await inUse()).current).toEqual(first.next);
  });

  test('--revoke-current takes the key out at once, prints it, and says what that ends', async () => {
    const { code, stdout, stderr } = await keys('rotate', '--secret', 'keys', '--revoke-current');
    expect([code, stdout]).toEqual([0, first.current.jwk.kid]);
    expect(stderr).toContain(`${first.next.jwk.kid} signs from now on.`);
    expect(stderr).toContain('Every access token and ID token that the revoked key has signed becomes invalid');
    expect(JSON.stringify(await inUse())).not.toContain(first.current.jwk.kid);
  });

  test('shows nothing private', async () => {
    const said = await keys('rotate', '--secret', 'keys', '--revoke-current');
    const { d, p } = (await inUse()).current.jwk;
    for (const secret of [d!, p!, first.current.jwk.d!]) expect(JSON.stringify(said)).not.toContain(secret);
  });

  test('says what a secret holds that is no key set, without showing it', async () => {
    secrets.createSecret({ name: 'password', value: 'hunter2' });
    expect(await keys('rotate', '--secret', 'password', '--revoke-current')).toEqual({
      code: 1,
      stdout: '',
      stderr: "The secret 'password' does not hold the key set of an authorization server.",
    });
  });

  test('says where a secret would be', async () => {
    expect((await keys('rotate', '--secret', 'none')).stderr).toMatch(
      /^There is no secret 'none' in the region eu-central-1, or it has no key set yet\. /,
    );
  });
});

describe('what was typed', () => {
  test.each([
    [[], 'keys needs generate or rotate, got nothing.'],
    [['rotate', 'now'], 'keys needs generate or rotate, got rotate now.'],
    [['generate', '--alg', 'HS256'], "--alg needs RS256 or ES256, got 'HS256'."],
    [['generate', '--secret', 'keys'], '--secret, --store, --namespace and --revoke-current are for keys rotate.'],
    [['rotate', '--pretty', '--secret', 'keys'], '--alg and --pretty are for keys generate.'],
    [['rotate'], 'keys rotate needs --secret, --store or STORE_URL.'],
    [['rotate', '--secret', ''], '--secret needs the name or ARN of the key set secret.'],
    [['rotate', '--secret', 'keys', '--store', 'sqlite:auth.db'], 'Give --secret or --store, not both.'],
  ])('is put right: %j', async (args, message) => {
    const { code, stderr } = await keys(...args);
    expect([code, stderr.split('\n')[0]]).toEqual([1, message]);
  });
});
