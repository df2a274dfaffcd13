import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest';
import { ClientPolicy } from '../../../lambda/provider/client-policy';
import { clientKey } from '../../../lambda/provider/keys';
import { BY_OPERATORS, preRegisteredClient } from '../../../lambda/provider/pre-registered-client';
import { STANDS_FOR } from '../../../lambda/provider/resource-server';
import { Harness, later, REDIRECT_URI, RESOURCE } from './harness';
import { wordsOf } from './pages/page';

const VOUCHED = 'This app was registered by the people who run this server.';
const UNVERIFIED = 'Nobody has verified it.';

let harness: Harness;
beforeAll(async () => {
  harness = await Harness.start({ instances: 2 });
});
afterEach(() => vi.useRealTimers());
afterAll(() => harness[Symbol.asyncDispose]());

async function preRegister(clientId: string, redirectUris = [REDIRECT_URI], secret?: string) {
  const metadata = preRegisteredClient(new ClientPolicy(), { clientId, name: 'Our editor', redirectUris }, secret);
  await harness.store.configure(clientKey(clientId), metadata);
  return { client_id: clientId };
}

const expiryOf = async (clientId: string) => {
  const [record] = await harness.store.read([clientKey(clientId)]);
  expect(record).toBeDefined();
  return record!.expiresAt;
};

describe('a pre-registered client', () => {
  it('signs in, and the consent page says that the operators vouch for it', async () => {
    const client = await preRegister('editor');
    const signIn = await harness.signIn(client);
    const words = wordsOf(signIn.consent);
    expect(words).toContain(VOUCHED);
    expect(words).toContain('Our editor');
    expect(words).not.toContain(UNVERIFIED);
    expect((await harness.redeem(client, signIn)).status).toBe(200);
  });

  it('is not what a record with an end says of itself', async () => {
    const { client_id: clientId = '' } = await harness.register();
    const [record] = await harness.store.read([clientKey(clientId)]);
    const claims = { [BY_OPERATORS]: true, [STANDS_FOR]: [RESOURCE] };
    const expires = (record!.expiresAt ?? 0) * 1000;
    await harness.store.set(clientKey(clientId), { ...(record!.value as object), ...claims }, expires);
    const signIn = await harness.signIn({ client_id: clientId });
    expect(wordsOf(signIn.consent)).not.toContain(VOUCHED);
    const { body } = await harness.redeem({ client_id: clientId }, signIn);
    const asked = await harness.post('/introspect', { token: body.access_token, client_id: clientId });
    expect(await asked.json()).toEqual({ active: false });
  });

  it('never expires, used or not', async () => {
    const client = await preRegister('lasting');
    const { body } = await harness.redeem(client, await harness.signIn(client));
    expect(await expiryOf('lasting')).toBeUndefined();
    later(20 * 86_400);
    expect((await harness.refresh(client, body.refresh_token)).status).toBe(200);
    expect(await expiryOf('lasting')).toBeUndefined();
    later(200 * 86_400);
    expect((await harness.redeem(client, await harness.signIn(client))).status).toBe(200);
  });

  it.each([
    ['http://127.0.0.1/callback', 'http://127.0.0.1:4711/callback'],
    ['cursor://anysphere.cursor-mcp/callback', 'cursor://anysphere.cursor-mcp/callback'],
    ['com.example.app:/callback', 'com.example.app:/callback'],
  ])('may have the redirect URI %s', async (registered, redirect_uri) => {
    const client = await preRegister('native', [REDIRECT_URI, registered]);
    const { url } = harness.authorizationRequest(client, { redirect_uri });
    expect(wordsOf(await harness.browser().open(url))).toContain(VOUCHED);
  });

  it('stays what it is where somebody registers the same metadata by the same id', async () => {
    const registered = await harness.register({ client_name: 'Our editor' });
    await preRegister(registered.client_id!);
    expect((await harness.register({ client_name: 'Our editor' })).client_id).toBe(registered.client_id);
    expect(await expiryOf(registered.client_id!)).toBeUndefined();
  });

  it('with a secret proves itself by it, in the header or in the form', async () => {
    const client = await preRegister('confidential', [REDIRECT_URI], 'the secret');
    const inForm = await harness.redeem(client, await harness.signIn(client), { client_secret: 'the secret' });
    expect(inForm.status).toBe(200);
    const basic = Buffer.from('confidential:the+secret').toString('base64');
    const form = { grant_type: 'refresh_token', refresh_token: inForm.body.refresh_token };
    expect((await harness.token(form, { authorization: `Basic ${basic}` })).status).toBe(200);
    for (const wrong of ['another secret', undefined]) {
      const refused = await harness.redeem(client, await harness.signIn(client), { client_secret: wrong });
      expect(refused).toMatchObject({ status: 401, body: { error: 'invalid_client' } });
    }
    expect(JSON.stringify(await harness.items())).not.toContain('the secret');
  });
});

describe('a client that registers itself', () => {
  it('cannot say that the operators vouch for it', async () => {
    const client = await harness.register({ client_name: 'Boaster', [BY_OPERATORS]: true });
    expect(client).not.toHaveProperty(BY_OPERATORS);
    const { consent } = await harness.signIn(client);
    expect(wordsOf(consent)).toContain(UNVERIFIED);
    expect(wordsOf(consent)).not.toContain(VOUCHED);
  });
});
