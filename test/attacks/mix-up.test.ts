import { decodeJwt } from 'jose';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { atClient, Harness, ISSUER, linkOf, REDIRECT_URI } from '../lambda/provider/harness';
import { Browser } from '../support/browser';

let harness: Harness;
let client: Record<string, string>;
beforeAll(async () => {
  harness = await Harness.start();
  client = await harness.register();
});
afterAll(() => harness[Symbol.asyncDispose]());
afterEach(() => {
  delete harness.upstream.error;
  delete harness.upstream.nonce;
});

/** Who a client would believe to be the issuer. */
const EVIL = 'evil.example';

describe('a client that is to take the answer of one issuer for that of another (mix-up)', () => {
  const answerOf = async (decision: string, params: Record<string, string> = {}) => {
    const browser = harness.browser();
    const page = await browser.open(harness.authorizationRequest(client, params).url, atClient);
    return page.status === 400 ? linkOf(page.text) : (await browser.submit(page, decision, {}, atClient)).url;
  };

  it.each<[string, () => Promise<URL>]>([
    ['a code', () => answerOf('allow')],
    ['the person’s refusal', () => answerOf('deny')],
    [
      'upstream’s refusal',
      () => {
        harness.upstream.error = 'access_denied';
        return answerOf('allow');
      },
    ],
    [
      'an answer of upstream that cannot be trusted',
      () => {
        harness.upstream.nonce = 'stolen';
        return answerOf('allow');
      },
    ],
    ['an error before any page', () => answerOf('', { resource: 'https://other.example/mcp' })],
    ['an error that the engine finds', () => answerOf('', { code_challenge_method: 'plain' })],
  ])('is told by `iss` whose answer it is: %s', async (_, answer) => {
    const { href, searchParams } = await answer();
    expect(href.startsWith(REDIRECT_URI)).toBe(true);
    expect(searchParams.getAll('iss')).toEqual([ISSUER]);
    expect(searchParams.getAll('state')).toEqual(['client-state']);
    expect(searchParams.has('code')).not.toBe(searchParams.has('error'));
  });

  it('cannot have another `iss` put into its answer', async () => {
    expect((await answerOf('allow', { iss: `https://${EVIL}` })).searchParams.getAll('iss')).toEqual([ISSUER]);
    const own = await harness.register({ redirect_uris: [`${REDIRECT_URI}?iss=https://${EVIL}`] });
    const redirect_uri = `${REDIRECT_URI}?iss=https://${EVIL}`;
    const { answer } = await harness.signIn(own, { redirect_uri });
    expect(answer.searchParams.getAll('iss')).toEqual([ISSUER]);
  });

  it('may know from the metadata that there must be an `iss`', async () => {
    const metadata = await (await harness.fetch('/.well-known/oauth-authorization-server')).json();
    expect(metadata).toMatchObject({ issuer: ISSUER, authorization_response_iss_parameter_supported: true });
  });
});

describe('poisoned headers', () => {
  it.each<[string, Record<string, string>]>([
    ['Host', { host: EVIL }],
    ['Host with a port', { host: `auth.example.com:${EVIL}` }],
    [
      'X-Forwarded-*',
      {
        'x-forwarded-host': EVIL,
        'x-forwarded-proto': 'http',
        'x-forwarded-port': '81',
        'x-forwarded-prefix': '/evil',
      },
    ],
    ['X-Forwarded-For', { 'x-forwarded-for': '127.0.0.1', 'x-real-ip': '127.0.0.1' }],
    ['Forwarded', { forwarded: `for=127.0.0.1;host=${EVIL};proto=http` }],
    [
      'headers that rewrite the path',
      { 'x-original-url': '/evil', 'x-rewrite-url': '/evil', 'x-http-method-override': 'DELETE' },
    ],
  ])('change no address from the first request to the token: %s', async (_, poison) => {
    const seen: string[] = [];
    const browser = new Browser(async (url, init) => {
      const response = await harness.fetch(url, { ...init, headers: { ...init.headers, ...poison } });
      seen.push(JSON.stringify([...response.headers]), await response.clone().text());
      return response;
    });
    const { url, codeVerifier } = harness.authorizationRequest(client, { scope: 'openid notes:use' });
    const page = await browser.open(url);
    const { url: answer } = await browser.submit(page, 'allow', {}, atClient);
    expect(answer.searchParams.get('iss')).toBe(ISSUER);
    expect(harness.upstream.requests.at(-1)?.get('redirect_uri')).toBe(`${ISSUER}/callback`);
    const { body } = await harness.token(
      {
        grant_type: 'authorization_code',
        client_id: client.client_id,
        code: answer.searchParams.get('code') ?? '',
        code_verifier: codeVerifier,
        redirect_uri: REDIRECT_URI,
      },
      poison,
    );
    for (const token of [body.access_token, body.id_token]) expect(decodeJwt(token!).iss).toBe(ISSUER);
    const registered = await harness.fetch('/register', {
      method: 'POST',
      headers: { 'content-type': 'application/json', ...poison },
      body: JSON.stringify({ redirect_uris: [REDIRECT_URI] }),
    });
    expect(registered.status).toBe(201);
    expect([...seen, await registered.text()].join('\n')).not.toMatch(/evil|:81\b|http:\/\/auth/);
  });
});
