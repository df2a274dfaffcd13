import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { atClient, Harness, ISSUER } from '../lambda/provider/harness';
import { Browser } from '../support/browser';

/** What API Gateway takes of request line and headers, in bytes. */
const MOST_OF_HEADERS = 10_240;

let harness: Harness;
let client: Record<string, string>;
beforeAll(async () => {
  harness = await Harness.start();
  client = await harness.register();
});
afterAll(() => harness[Symbol.asyncDispose]());

describe('many abandoned sign-ins in one browser', () => {
  it('never make a request of that browser too large, and the next sign-in works', async () => {
    const sizes: number[] = [];
    const browser = new Browser((url, init) => {
      if (url.origin === ISSUER) sizes.push(url.href.length + JSON.stringify(init.headers).length);
      return harness.fetch(url, init);
    });
    for (let i = 0; i < 40; i++) await browser.open(harness.authorizationRequest(client).url);
    const { answer } = await harness.signIn(client, {}, browser);
    expect(answer.searchParams.get('code')).toBeTruthy();
    expect(sizes.length).toBeGreaterThan(40);
    // Room for what a browser sends beside: User-Agent, Accept, client hints and the cookies of the domain.
    expect(Math.max(...sizes)).toBeLessThan(MOST_OF_HEADERS / 3);
  });

  it('that another site opens do not end the one that the person is in the middle of', async () => {
    const browser = harness.browser();
    const page = await browser.open(harness.authorizationRequest(client).url);
    for (let i = 0; i < 7; i++) await browser.open(harness.authorizationRequest(client).url);
    const { url } = await browser.submit(page, 'allow', {}, atClient);
    expect(url.searchParams.get('code')).toBeTruthy();
  });

  it('are cleared, the oldest first, when there are more than eight', async () => {
    const browser = harness.browser();
    const first = await browser.open(harness.authorizationRequest(client).url);
    for (let i = 0; i < 8; i++) await browser.open(harness.authorizationRequest(client).url);
    const cookies = browser.cookieHeader(new URL(ISSUER)).split('; ');
    expect(cookies).toHaveLength(8);
    expect((await browser.open(first.url)).status).toBe(403);
  });
});

describe('a request as large as API Gateway lets through', () => {
  const big = 'x'.repeat(9_000);

  it.each<[string, Record<string, string>]>([
    ['one cookie', { cookie: `a=${big}` }],
    ['a thousand cookies', { cookie: Array.from({ length: 1_000 }, (_, i) => `c${i}=x`).join('; ') }],
    [
      'cookies that look like sign-ins',
      { cookie: Array.from({ length: 300 }, (_, i) => `__Host-mcp-${i}=x`).join('; ') },
    ],
    ['the cookie of a sign-in', { cookie: `__Host-mcp-x=a.${'b'.repeat(2_100)}` }],
    ['a language', { 'accept-language': Array.from({ length: 1_000 }, (_, i) => `x-${i};q=0.5`).join(',') }],
    ['what it accepts', { accept: Array.from({ length: 700 }, (_, i) => `text/x${i};q=0.1`).join(',') }],
    ['an Authorization header', { authorization: `Basic ${Buffer.from(big).toString('base64').slice(0, 9_000)}` }],
    ['a DPoP proof', { dpop: big }],
  ])('is answered with no 5xx, anywhere: %s', async (_, headers) => {
    for (const path of [
      '/',
      '/authorize',
      '/interaction/x',
      '/callback',
      '/authorize/x',
      '/.well-known/openid-configuration',
      '/jwks',
    ]) {
      expect((await harness.request({ path, query: 'state=a.b', headers })).status).toBeLessThan(500);
    }
    for (const path of ['/token', '/revoke', '/register', '/interaction/x']) {
      expect(
        (await harness.post(path, { grant_type: 'refresh_token', refresh_token: 'a.b' }, headers)).status,
      ).toBeLessThan(500);
    }
  });

  it.each([
    'state',
    'scope',
    'resource',
    'nonce',
    'prompt',
    'code_challenge',
    'client_id',
    'redirect_uri',
    'login_hint',
  ])('is answered with no 5xx where its %s is long', async (name) => {
    const { url } = harness.authorizationRequest(client, { [name]: big });
    expect((await harness.fetch(url)).status).toBeLessThan(500);
  });

  it('sends the client’s long state back unchanged, so that an answer is never cut', async () => {
    const { answer } = await harness.signIn(client, { state: big.slice(0, 4_000) });
    expect(answer.searchParams.get('state')).toBe(big.slice(0, 4_000));
  });

  it('of a form with 100,000 parameters is refused quickly enough for everyone else', async () => {
    const body = Array.from({ length: 100_000 }, (_, i) => `p${i}=x`).join('&');
    const headers = { 'content-type': 'application/x-www-form-urlencoded' };
    const flood = harness.request({ method: 'POST', path: '/token', headers, body: Buffer.from(body) });
    const others = harness.signIn(client);
    expect((await flood).status).toBeLessThan(500);
    expect((await others).code).toBeTruthy();
  });
});
