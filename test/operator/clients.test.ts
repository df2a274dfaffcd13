import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { clientKey } from '../../lambda/provider/keys';
import { putConfigured } from '../../lambda/store/configured-record';
import { Harness, NOTES, REDIRECT_URI, RESOURCE } from '../lambda/provider/harness';
import { wordsOf } from '../lambda/provider/pages/page';
import { startMetadataHost, trust } from '../support/metadata-host';
import { type } from './operator';

let harness: Harness;
beforeAll(async () => {
  harness = await Harness.start({ instances: 2, internalHosts: ['localhost'] });
});
afterAll(() => harness[Symbol.asyncDispose]());

const clients = (action: string, ...args: string[]) =>
  type(harness.environment, 'clients', action, '--table', 'auth', ...args);

async function add(...args: string[]): Promise<Record<string, string>> {
  const { code, stdout } = await clients('add', '--name', 'Our editor', '--redirect-uri', REDIRECT_URI, ...args);
  expect(code).toBe(0);
  return JSON.parse(stdout);
}

describe('clients add', () => {
  it('registers a public client that signs in at once, vouched for', async () => {
    const client = await add('--redirect-uri', 'http://127.0.0.1/callback');
    expect(client).toEqual({
      client_id: expect.stringMatching(/^[0-9a-f-]{36}$/),
      client_id_issued_at: expect.any(Number),
      client_name: 'Our editor',
      redirect_uris: [REDIRECT_URI, 'http://127.0.0.1/callback'],
      application_type: 'native',
      grant_types: ['authorization_code', 'refresh_token'],
      response_types: ['code'],
      token_endpoint_auth_method: 'none',
    });
    const signIn = await harness.signIn(client);
    expect(wordsOf(signIn.consent)).toContain('This app was registered by the people who run this server.');
    const { body } = await harness.redeem(client, signIn);
    expect((await harness.refresh(client, body.refresh_token)).status).toBe(200);
    const [record] = await harness.store.read([clientKey(client.client_id!)]);
    expect(record?.expiresAt).toBeUndefined();
  });

  it('--secret shows a secret once, by which alone the client is known', async () => {
    const { stdout, stderr } = await clients('add', '--name', 'Backend', '--redirect-uri', REDIRECT_URI, '--secret');
    const client = JSON.parse(stdout);
    expect(stderr).toContain('The secret is shown this once');
    expect(client.client_secret).toMatch(/^[\w-]{43}$/);
    const basic = Buffer.from(`${client.client_id}:${client.client_secret}`).toString('base64');
    const { code, codeVerifier } = await harness.signIn(client);
    const form = { grant_type: 'authorization_code', code, code_verifier: codeVerifier, redirect_uri: REDIRECT_URI };
    expect((await harness.token(form, { authorization: `Basic ${basic}` })).status).toBe(200);
    const refused = await harness.redeem(client, await harness.signIn(client));
    expect(refused).toMatchObject({ status: 401, body: { error: 'invalid_client' } });
    expect(JSON.stringify(await harness.items())).not.toContain(client.client_secret);
    expect((await clients('show', client.client_id)).stdout).not.toContain('client_secret"');
  });

  it.each([
    ['http://client.example.com/callback', 'http is for loopback addresses only'],
    ['javascript:alert(1)', 'the scheme javascript is not one that is allowed here'],
    ['https://client.example.com/a/../callback', 'has a dot segment'],
    ['/callback', 'not an absolute URI'],
  ])('refuses the redirect URI %s, also beside a good one', async (uri, reason) => {
    const before = await harness.items();
    const args = ['--name', 'Our editor', '--redirect-uri', REDIRECT_URI, '--redirect-uri', uri];
    expect(await clients('add', ...args)).toEqual({
      code: 1,
      stdout: '',
      stderr: `The client is not registered: ${uri} cannot be a redirect URI: ${reason}.`,
    });
    expect(await harness.items()).toEqual(before);
  });
});

describe('clients add --resource', () => {
  it('registers a resource server, which gets upstream tokens and nothing else', async () => {
    await using acting = await Harness.start({ instances: 1, resources: [{ ...NOTES, upstreamTokens: true }] });
    const args = ['add', '--table', 'auth', '--name', 'Notes server', '--resource', RESOURCE];
    const { code, stdout, stderr } = await type(acting.environment, 'clients', ...args);
    expect(code).toBe(0);
    expect(stderr).toContain('The secret is shown this once');
    const server = JSON.parse(stdout);
    expect(server).toMatchObject({ redirect_uris: [], resource_server_of: [RESOURCE] });
    const app = await acting.register();
    const { body } = await acting.redeem(app, await acting.signIn(app));
    const basic = Buffer.from(`${server.client_id}:${server.client_secret}`).toString('base64');
    const form = {
      grant_type: 'urn:ietf:params:oauth:grant-type:token-exchange',
      subject_token: body.access_token,
      subject_token_type: 'urn:ietf:params:oauth:token-type:access_token',
    };
    const answer = await acting.token(form, { authorization: `Basic ${basic}` });
    expect(answer).toMatchObject({ status: 200, body: { access_token: expect.stringMatching(/^upstream-access-/) } });
    expect(JSON.stringify(await acting.items())).not.toContain(server.client_secret);
  });

  it.each<[string[], string]>([
    [['--resource', 'notes'], 'notes is no identifier of a protected resource.'],
    [['--resource', RESOURCE, '--redirect-uri', REDIRECT_URI], 'A resource server has no redirect URI'],
  ])('refuses %j', async (args, reason) => {
    const before = await harness.items();
    const { code, stderr } = await clients('add', '--name', 'Notes server', ...args);
    expect(code).toBe(1);
    expect(stderr).toContain(reason);
    expect(await harness.items()).toEqual(before);
  });
});

describe('clients show', () => {
  it('tells where a client comes from and when it expires', async () => {
    const added = await add();
    const shown = JSON.parse((await clients('show', added.client_id!)).stdout);
    expect(shown).toEqual({ origin: 'operators', expires: 'never', metadata: added });

    const registered = await harness.register();
    const { stdout } = await clients('show', '--', registered.client_id!);
    expect(JSON.parse(stdout)).toMatchObject({ origin: 'registration', metadata: { client_name: 'Test client' } });
    const left = Date.parse(JSON.parse(stdout).expires) - Date.now();
    expect(left).toBeGreaterThan(23 * 3_600_000);
    expect(left).toBeLessThanOrEqual(24 * 3_600_000);
  });

  it('shows a copy of a metadata document', async () => {
    await using host = await startMetadataHost();
    trust(host);
    const clientId = host.publish('/client');
    await harness.signIn({ client_id: clientId });
    const { stdout } = await clients('show', clientId);
    expect(JSON.parse(stdout)).toMatchObject({ origin: 'document', metadata: { client_id: clientId } });
    const { code, stderr } = await clients('remove', clientId);
    expect({ code, stderr }).toEqual({ code: 1, stderr: expect.stringContaining('is described by its own document') });
    expect((await clients('show', clientId)).code).toBe(0);
  });

  it('sends nothing of a name to the terminal that is its own language', async () => {
    const client_name = 'A\u001b[2J\u009b31m\u202eB';
    const { client_id } = await harness.register({ client_name });
    const { stdout } = await clients('show', '--', client_id!);
    expect(JSON.parse(stdout).metadata.client_name).toBe(client_name);
    expect(stdout.replaceAll('\n', '')).not.toMatch(/[\p{Cc}\p{Cf}]/u);
  });
});

describe('clients remove', () => {
  it('ends what the client was granted, and keeps it from new sign-ins', async () => {
    const client = await add();
    const { body } = await harness.redeem(client, await harness.signIn(client));
    const { code, stderr } = await clients('remove', client.client_id!);
    expect(code).toBe(0);
    expect(stderr).toMatch(/^Removed Our editor\. What it was granted cannot be used any more/);
    expect(stderr).not.toContain('registers the same metadata again');
    const refused = await harness.refresh(client, body.refresh_token);
    expect(refused).toMatchObject({ status: 401, body: { error: 'invalid_client' } });
    const page = await harness.browser().open(harness.authorizationRequest(client).url);
    expect(wordsOf(page)).toContain('This app is not known here');
    for (const action of ['show', 'remove']) {
      expect(await clients(action, client.client_id!)).toEqual({
        code: 1,
        stdout: '',
        stderr: `No client has the id ${client.client_id} in auth, or it has expired.`,
      });
    }
  });

  it('warns of an app that can register again, with what it was granted', async () => {
    const registered = await harness.register({ client_name: 'Comes back' });
    const { body } = await harness.redeem(registered, await harness.signIn(registered));
    const { stderr } = await clients('remove', '--', registered.client_id!);
    expect(stderr).toContain('An app that registers the same metadata again gets the same id');
    expect((await harness.refresh(registered, body.refresh_token)).status).toBe(401);
    await harness.register({ client_name: 'Comes back' });
    expect((await harness.refresh(registered, body.refresh_token)).status).toBe(200);
  });

  it('warns of a stack that declares the client', async () => {
    const { AWS_ENDPOINT_URL_DYNAMODB: endpoint, ...environment } = harness.environment;
    const dynamoDb = new DynamoDBClient({
      endpoint,
      region: environment.AWS_REGION,
      credentials: {
        accessKeyId: environment.AWS_ACCESS_KEY_ID!,
        secretAccessKey: environment.AWS_SECRET_ACCESS_KEY!,
        sessionToken: environment.AWS_SESSION_TOKEN!,
      },
    });
    await putConfigured(dynamoDb, 'auth', clientKey('declared'), { client_id: 'declared' }, 'the-stack/Client');
    dynamoDb.destroy();
    expect(JSON.parse((await clients('show', 'declared')).stdout)).toMatchObject({ registeredBy: 'the-stack/Client' });
    const { stderr } = await clients('remove', 'declared');
    expect(stderr).toContain('It is declared in the prop clients, by the-stack/Client: take it out there too');
  });
});

describe('clients is refused', () => {
  it.each<[string[], string]>([
    [[], 'clients needs add, show or remove, got nothing.'],
    [['list', '--table', 'auth'], 'clients needs add, show or remove, got list.'],
    [['add', '--table', 'auth', '--name', 'x'], '--name, and at least one --redirect-uri or --resource.'],
    [['add', '--table', 'auth', '--redirect-uri', REDIRECT_URI], 'clients add needs --name, and at least one'],
    [['add', 'mine', '--table', 'auth'], 'clients add gives the client its id, got mine.'],
    [
      ['add', '--name', 'x', '--redirect-uri', REDIRECT_URI],
      'The store is named by --table, by --store, or by STORE_URL',
    ],
    [['show', '--table', 'auth'], 'clients show needs the id of a client.'],
    [['remove', 'a', 'b', '--table', 'auth'], 'One client at a time, got a b.'],
    [
      ['remove', 'a', '--table', 'auth', '--secret'],
      '--name, --redirect-uri, --resource and --secret are for clients add alone.',
    ],
  ])('%j', async (args, message) => {
    const before = harness.calls.length;
    const { code, stdout, stderr } = await type(harness.environment, 'clients', ...args);
    expect({ code, stdout }).toEqual({ code: 1, stdout: '' });
    expect(stderr).toContain(message);
    expect(stderr).toContain('Usage: mcp-oidc-auth clients add (--table NAME | --store URL)');
    expect(harness.calls.length).toBe(before);
  });
});
