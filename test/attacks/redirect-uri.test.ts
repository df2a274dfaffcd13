import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ClientPolicy } from '../../lambda/provider/client-policy';
import { clientKey } from '../../lambda/provider/keys';
import { preRegisteredClient } from '../../lambda/provider/pre-registered-client';
import { Harness, ISSUER, linkOf } from '../lambda/provider/harness';

let harness: Harness;
beforeAll(async () => {
  harness = await Harness.start();
});
afterAll(() => harness[Symbol.asyncDispose]());

const REGISTERED = [
  'https://client.example.com/callback',
  'https://client.example.com/callback?fixed=1',
  'http://127.0.0.1/cb',
  'http://localhost/cb',
  'http://[::1]/cb',
  'cursor://app/cb',
];

/** What the authorization endpoint does with a redirect URI; only a page at the issuer is no redirect to it. */
async function ask(redirect_uri: string) {
  const client = await harness.register({ redirect_uris: REGISTERED });
  const { url } = harness.authorizationRequest(client, { redirect_uri });
  const { status, headers } = await harness.fetch(url);
  return { status, location: headers.get('location') };
}

describe('a redirect URI that is not the registered one', () => {
  it.each([
    // prefix and suffix
    'https://client.example.com/callback.evil.example',
    'https://client.example.com/callback/evil',
    'https://client.example.com/callback/',
    'https://client.example.com/callbac',
    'https://client.example.com/callback;x',
    'https://client.example.com/callback?',
    'https://client.example.com/callback?x=1',
    'https://client.example.com/callback?fixed=1&x=2',
    'https://client.example.com/callback?fixed=2',
    'https://client.example.com/callback#',
    'https://client.example.com/callback#x',
    'https://client.example.com.evil.example/callback',
    'https://evilclient.example.com/callback',
    'https://sub.client.example.com/callback',
    'https://evil.example/?https://client.example.com/callback',
    'https://evil.example/#https://client.example.com/callback',
    // case
    'https://client.example.com/Callback',
    'https://CLIENT.example.com/callback',
    'HTTPS://client.example.com/callback',
    // encoding
    'https://client.example.com/%63allback',
    'https://client.example.com/callback%00',
    'https://client.example.com/callback%0d%0aset-cookie:x=y',
    'https://client.example.com/callback\r\nset-cookie: x=y',
    'https://client.example.com/callback\t',
    'https://client.example.com/call\nback',
    'https://clıent.example.com/callback',
    'https://client。example.com/callback',
    // dot segments
    'https://client.example.com/evil/../callback',
    'https://client.example.com/./callback',
    'https://client.example.com/callback/..',
    'https://client.example.com/callback/../../evil',
    'https://client.example.com/evil/%2e%2e/callback',
    'https://client.example.com/evil\\..\\callback',
    // user information and backslashes
    'https://evil.example@client.example.com/callback',
    'https://client.example.com@evil.example/callback',
    'https://client.example.com:x@evil.example/callback',
    'https://client.example.com\\@evil.example/callback',
    'https:\\\\client.example.com\\callback',
    // scheme and authority
    'http://client.example.com/callback',
    'https:client.example.com/callback',
    '//client.example.com/callback',
    '/callback',
    'https://client.example.com:8443/callback',
    'https://client.example.com:443/callback',
    'https://client.example.com./callback',
    'javascript:alert(1)',
    'data:text/html,x',
    'javascript://client.example.com/callback%0aalert(1)',
  ])('gets no answer: %s', async (uri) => {
    expect(await ask(uri)).toEqual({ status: 400, location: null });
  });

  it.each([
    'http://127.0.0.1:5000/cb/',
    'http://127.0.0.1:5000/CB',
    'http://127.0.0.1:5000/c%62',
    'http://127.0.0.1:5000/x/../cb',
    'http://127.0.0.1:5000/./cb',
    'http://127.0.0.1:5000/%2e/cb',
    'http://127.0.0.1:5000/cb?x=1',
    'http://127.0.0.1:5000/cb#',
    'http://user@127.0.0.1:5000/cb',
    'http://127.0.0.1:5000@evil.example/cb',
    'http://127.0.0.1:5000\\@evil.example/cb',
    'http://127.0.0.1:5000.evil.example/cb',
    'http://127.0.0.1:99999/cb',
    'http://127.0.0.1.evil.example:5000/cb',
    'http://127.0.0.1./cb',
    'http://127.0.0.2:5000/cb',
    'http://127.1:5000/cb',
    'http://2130706433:5000/cb',
    'http://0x7f.0.0.1:5000/cb',
    'http://0.0.0.0:5000/cb',
    'http://[::ffff:127.0.0.1]:5000/cb',
    'http://[::]:5000/cb',
    'http://127。0。0。1:5000/cb',
    'http://localhost.:5000/cb',
    'http://localhost.evil.example:5000/cb',
    'http://LOCALHOST:5000/cb',
    'https://localhost:5000/cb',
    'http://169.254.169.254/cb',
  ])('gets no answer on loopback, where only the port is free: %s', async (uri) => {
    expect(await ask(uri)).toEqual({ status: 400, location: null });
  });

  it.each([
    'cursor://APP/cb',
    'CURSOR://app/cb',
    'cursor://app:1/cb',
    'cursor://app/cb/',
    'cursor://evil/cb',
    'cursor:/app/cb',
    'vscode://app/cb',
  ])('gets no answer by a private-use scheme: %s', async (uri) => {
    expect(await ask(uri)).toEqual({ status: 400, location: null });
  });

  it('is told from the registered ones, which do get theirs', async () => {
    for (const uri of [...REGISTERED, 'http://127.0.0.1:5000/cb']) {
      expect(await ask(uri)).toEqual({ status: 303, location: expect.stringMatching(/^\/interaction\//) });
    }
  });

  it('gets no answer beside a registered one', async () => {
    const client = await harness.register({ redirect_uris: REGISTERED });
    const { url } = harness.authorizationRequest(client, { redirect_uri: REGISTERED[0]! });
    url.searchParams.append('redirect_uri', 'https://evil.example/');
    const { status, headers } = await harness.fetch(url);
    expect([status, headers.get('location')]).toEqual([400, null]);
  });

  it('redeems no code, not even with another port on loopback', async () => {
    const client = await harness.register({ redirect_uris: REGISTERED });
    const browser = harness.browser();
    const redirectUri = 'http://127.0.0.1:5000/cb';
    const { url, codeVerifier } = harness.authorizationRequest(client, { redirect_uri: redirectUri });
    const { url: answer } = await browser.submit(
      await browser.open(url),
      'allow',
      {},
      ({ host }) => host === '127.0.0.1:5000',
    );
    const code = answer.searchParams.get('code') ?? '';
    for (const redirect_uri of [
      'http://127.0.0.1:5001/cb',
      'http://127.0.0.1/cb',
      'http://localhost:5000/cb',
      REGISTERED[0],
    ]) {
      expect(await harness.redeem(client, { code, codeVerifier }, { redirect_uri })).toMatchObject({ status: 400 });
    }
    expect((await harness.redeem(client, { code, codeVerifier }, { redirect_uri: redirectUri })).status).toBe(200);
  });
});

/** Requests that are refused before anybody is asked for consent. */
const REFUSED: [string, Record<string, string | undefined>][] = [
  ['prompt=none', { prompt: 'none', scope: 'openid notes:use' }],
  ['no PKCE', { code_challenge: undefined, code_challenge_method: undefined }],
  ['response_type=token', { response_type: 'token' }],
  ['an unknown resource', { resource: 'https://other.example/mcp' }],
];

describe('a refused request', () => {
  const PHISH = 'https://phish.example/login';
  const DEVICE = 'http://127.0.0.1/cb';
  const APP = 'cursor://app/cb';
  const stranger = () => harness.register({ client_name: 'Stranger', redirect_uris: [PHISH, DEVICE, APP] });

  it.each(REFUSED)('sends nobody on to a site that a stranger has registered: %s', async (_, params) => {
    const { url } = harness.authorizationRequest(await stranger(), { redirect_uri: PHISH, ...params });
    const page = await harness.fetch(url);
    expect([page.status, page.headers.get('location'), page.headers.get('refresh')]).toEqual([400, null, null]);
    const text = await page.text();
    expect(text).toContain('Go back to <bdi>phish.example</bdi></a>');
    // For a person who goes there all the same, the client's error is as it always was.
    const { origin, pathname, searchParams, hash } = linkOf(text);
    expect(`${origin}${pathname}`).toBe(PHISH);
    const answer = hash ? new URLSearchParams(hash.slice(1)) : searchParams;
    expect(Object.fromEntries(answer)).toMatchObject({ error: expect.any(String), state: 'client-state', iss: ISSUER });
  });

  it.each(REFUSED)('sends the person back to a program on the same device: %s', async (_, params) => {
    for (const redirect_uri of ['http://127.0.0.1:5000/cb', APP]) {
      const { url } = harness.authorizationRequest(await stranger(), { redirect_uri, ...params });
      const { status, headers } = await harness.fetch(url);
      expect([status, headers.get('location')]).toEqual([303, expect.stringMatching(`^${redirect_uri}[?#].*error=`)]);
    }
  });

  it.each(REFUSED)('sends the person back to an app that operators have registered: %s', async (_, params) => {
    const editor = { clientId: 'editor', name: 'Our editor', redirectUris: [PHISH] };
    await harness.store.configure(clientKey('editor'), preRegisteredClient(new ClientPolicy(), editor));
    const { url } = harness.authorizationRequest({ client_id: 'editor' }, { redirect_uri: PHISH, ...params });
    const { status, headers } = await harness.fetch(url);
    expect([status, headers.get('location')]).toEqual([303, expect.stringMatching(`^${PHISH}[?#].*error=`)]);
  });

  it('is not one that the person cancels: that is a click of its own', async () => {
    const browser = harness.browser();
    const { url } = harness.authorizationRequest(await stranger(), { redirect_uri: PHISH });
    const { url: answer } = await browser.submit(await browser.open(url), 'deny', {}, ({ href }) =>
      href.startsWith(PHISH),
    );
    expect(answer.searchParams.get('error')).toBe('access_denied');
  });
});

describe('an open redirect', () => {
  it('is nowhere: what no client has registered leads to no other host', async () => {
    const elsewhere = 'https://evil.example/';
    const names = [
      'redirect_uri',
      'post_logout_redirect_uri',
      'target_link_uri',
      'returnTo',
      'return_to',
      'next',
      'url',
    ];
    const query = new URLSearchParams(Object.fromEntries(names.map((name) => [name, elsewhere]))).toString();
    const paths = [
      '/',
      '//evil.example/',
      '/authorize',
      '/authorize/x',
      '/callback',
      '/interaction/x',
      '/session/end',
      '/logout',
      '/.well-known/openid-configuration',
    ];
    for (const path of paths) {
      const { headers } = await harness.request({ path, query });
      const location = headers.location;
      if (location !== undefined) expect([path, new URL(location, ISSUER).origin]).toEqual([path, ISSUER]);
    }
  });
});
