import { randomUUID } from 'node:crypto';
import { exportJWK, type GenerateKeyPairResult, generateKeyPair, SignJWT } from 'jose';
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest';
import { type MetadataHost, startMetadataHost, trust } from '../../support/metadata-host';
import { Harness, ISSUER, later } from './harness';

let host: MetadataHost;
let harness: Harness;
let own: GenerateKeyPairResult;
let foreign: GenerateKeyPairResult;
let jwks: object;
beforeAll(async () => {
  [host, own, foreign] = await Promise.all([startMetadataHost(), generateKeyPair('ES256'), generateKeyPair('ES256')]);
  trust(host);
  jwks = { keys: [{ ...(await exportJWK(own.publicKey)), kid: 'own', alg: 'ES256', use: 'sig' }] };
  harness = await Harness.start({ internalHosts: ['localhost'], instances: 4 });
});
afterAll(async () => {
  await harness[Symbol.asyncDispose]();
  await host.close();
});
afterEach(() => {
  vi.useRealTimers();
  vi.restoreAllMocks();
  host.mend();
});

let number = 0;
const newPath = (kind: string) => `/${kind}-${++number}`;

/** A client whose document has the keys at an address of their own. */
function withKeysAt(metadata: Record<string, unknown> = {}) {
  const keysPath = newPath('jwks');
  const jwks_uri = host.serve(keysPath, { body: jwks });
  const client_id = host.publish(newPath('client'), {
    token_endpoint_auth_method: 'private_key_jwt',
    jwks_uri,
    ...metadata,
  });
  return { client_id, keysPath };
}

/** What ChatGPT's document says: keys of its own, and `none` beside them. */
const eitherWay = () => withKeysAt({ token_endpoint_auth_methods_supported: ['private_key_jwt', 'none'] });

interface AssertionOptions {
  readonly key?: GenerateKeyPairResult;
  readonly claims?: Record<string, unknown>;
  readonly expires?: string;
}

async function assertion(
  client: { client_id: string },
  { key = own, claims = {}, expires = '5m' }: AssertionOptions = {},
) {
  const jwt = new SignJWT({ iss: client.client_id, sub: client.client_id, aud: ISSUER, jti: randomUUID(), ...claims })
    .setProtectedHeader({ alg: 'ES256', kid: 'own' })
    .setIssuedAt()
    .setExpirationTime(expires);
  return {
    client_assertion_type: 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer',
    client_assertion: await jwt.sign(key.privateKey),
  };
}

const invalidClient = { status: 401, body: { error: 'invalid_client' } };

describe('a client with keys of its own', () => {
  it.each(['jwks', 'jwks_uri'])(
    'in its document (%s) authenticates by them, and gets nothing without',
    async (where) => {
      const client = where === 'jwks_uri' ? withKeysAt() : withKeysAt({ jwks_uri: undefined, jwks });
      const signIn = await harness.signIn(client);
      expect(await harness.redeem(client, signIn)).toMatchObject(invalidClient);
      const { status, body } = await harness.redeem(client, signIn, await assertion(client));
      expect(status).toBe(200);
      expect(await harness.refresh(client, body.refresh_token)).toMatchObject(invalidClient);
      expect((await harness.refresh(client, body.refresh_token, await assertion(client))).status).toBe(200);
    },
  );

  it('may register them too', async () => {
    const client = await harness.register({ token_endpoint_auth_method: 'private_key_jwt', jwks });
    expect(client).not.toHaveProperty('client_secret');
    const signIn = await harness.signIn(client);
    const presented = await assertion({ client_id: client.client_id! });
    expect((await harness.redeem(client, signIn, presented)).status).toBe(200);
  });

  it('that names itself in its assertion alone is remembered while it is in use', async () => {
    const client = await harness.register({ token_endpoint_auth_method: 'private_key_jwt', jwks });
    const named = { client_id: client.client_id! };
    const anonymous = { client_id: undefined };
    const { body } = await harness.redeem(client, await harness.signIn(client), {
      ...(await assertion(named)),
      ...anonymous,
    });
    later(25 * 60 * 60);
    const refreshed = await harness.refresh(client, body.refresh_token, { ...(await assertion(named)), ...anonymous });
    expect(refreshed.status).toBe(200);
  });

  it('may use the token endpoint as the audience', async () => {
    const client = withKeysAt();
    const presented = await assertion(client, { claims: { aud: `${ISSUER}/token` } });
    expect((await harness.redeem(client, await harness.signIn(client), presented)).status).toBe(200);
  });

  it('that offers `none` as well is taken either way, each request as it presents itself', async () => {
    const client = eitherWay();
    const { body } = await harness.redeem(client, await harness.signIn(client), await assertion(client));
    const refreshed = await harness.refresh(client, body.refresh_token);
    expect(refreshed.status).toBe(200);
    const wrong = await assertion(client, { key: foreign });
    expect(await harness.refresh(client, refreshed.body.refresh_token, wrong)).toMatchObject(invalidClient);
  });

  it.each([
    ['no keys', { token_endpoint_auth_method: 'private_key_jwt' }],
    [
      'keys twice',
      { token_endpoint_auth_method: 'private_key_jwt', jwks: { keys: [] }, jwks_uri: 'https://a.example/k' },
    ],
    ['keys over plain http', { token_endpoint_auth_method: 'private_key_jwt', jwks_uri: 'http://a.example/k' }],
  ])('cannot register with %s', async (_, metadata) => {
    expect(await harness.register(metadata)).toMatchObject({ error: 'invalid_client_metadata' });
  });
});

describe('a client assertion', () => {
  it('is taken from one of twenty that present it at once, and burns no code for the others', async () => {
    const client = withKeysAt();
    const signIns = await Promise.all(Array.from({ length: 20 }, () => harness.signIn(client)));
    const presented = await assertion(client);
    const answers = await Promise.all(signIns.map((signIn) => harness.redeem(client, signIn, presented)));
    expect(answers.filter(({ status }) => status === 200)).toHaveLength(1);
    for (const answer of answers.filter(({ status }) => status !== 200)) expect(answer).toMatchObject(invalidClient);
    const loser = signIns[answers.findIndex(({ status }) => status !== 200)]!;
    expect((await harness.redeem(client, loser, await assertion(client))).status).toBe(200);
  });

  it.each<[string, AssertionOptions]>([
    ['for another audience', { claims: { aud: 'https://other.example.com' } }],
    ['of another client', { claims: { iss: 'https://other.example.com/client' } }],
    ['without a jti', { claims: { jti: undefined } }],
    ['that has expired', { expires: '-5m' }],
    ['that lives for a day', { expires: '1d' }],
  ])('%s is refused', async (_, options) => {
    const client = withKeysAt();
    const presented = await assertion(client, options);
    expect(await harness.redeem(client, await harness.signIn(client), presented)).toMatchObject(invalidClient);
  });

  it('signed by a stranger is refused, and burns nothing', async () => {
    const client = withKeysAt();
    const signIn = await harness.signIn(client);
    expect(await harness.redeem(client, signIn, await assertion(client, { key: foreign }))).toMatchObject(
      invalidClient,
    );
    expect((await harness.redeem(client, signIn, await assertion(client))).status).toBe(200);
  });
});

describe('keys', () => {
  it('that cannot be fetched now are an outage, not a wrong client', async () => {
    const client = withKeysAt();
    const signIn = await harness.signIn(client);
    host.disturb({ status: 503 });
    const down = await harness.redeem(client, signIn, await assertion(client));
    expect([down.status, down.body.error]).toEqual([503, 'temporarily_unavailable']);
    host.mend();
    expect((await harness.redeem(client, signIn, await assertion(client))).status).toBe(200);
  });

  it.each(['/revoke', '/introspect'])('that cannot be fetched now are an outage at %s too', async (path) => {
    const client = withKeysAt();
    await harness.signIn(client);
    host.disturb({ status: 500 });
    const response = await harness.post(path, {
      ...(await assertion(client)),
      client_id: client.client_id,
      token: 'x',
    });
    expect([response.status, await response.json()]).toEqual([503, { error: 'temporarily_unavailable' }]);
    expect(response.headers.get('retry-after')).toBe('5');
  });

  it('that the client has changed are fetched again', async () => {
    const client = withKeysAt();
    const signIn = await harness.signIn(client);
    expect((await harness.redeem(client, signIn, await assertion(client))).status).toBe(200);
    const keys = [{ ...(await exportJWK(foreign.publicKey)), kid: 'own', alg: 'ES256', use: 'sig' }];
    host.serve(client.keysPath, { body: { keys } });
    later(61);
    const next = await harness.signIn(client);
    expect((await harness.redeem(client, next, await assertion(client, { key: foreign }))).status).toBe(200);
  });

  it('in the network of this server are not asked for', async () => {
    const jwks_uri = 'https://169.254.169.254/latest/meta-data';
    const client = await harness.register({ token_endpoint_auth_method: 'private_key_jwt', jwks_uri });
    const presented = await assertion({ client_id: client.client_id! });
    expect(await harness.redeem(client, await harness.signIn(client), presented)).toMatchObject(invalidClient);
  });
});
