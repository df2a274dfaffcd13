import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { hash } from '../../../lambda/provider/keys';
import { Harness, ISSUER, REDIRECT_URI, RESOURCE } from './harness';

let harness: Harness;
let client: Record<string, string>;
beforeAll(async () => {
  harness = await Harness.start();
  client = await harness.register();
});
afterAll(() => harness[Symbol.asyncDispose]());

describe('an authorization request', () => {
  const scopesShown = async (params: Record<string, string | undefined>) => {
    const page = await harness.browser().open(harness.authorizationRequest(client, params).url);
    return [...page.text.matchAll(/<code>([^<]+)<\/code>/g)].map(([, scope]) => scope);
  };

  it.each([
    [undefined, ['notes:use']],
    ['', ['notes:use']],
    ['unknown', ['notes:use']],
    ['openid profile email', ['notes:use', 'openid']],
    ['offline_access', ['notes:use']],
    ['offline_access notes:read', ['notes:read']],
    [' notes:read  notes:read ', ['notes:read']],
    ['openid offline_access notes:use notes:read notes:write', ['notes:use', 'notes:read', 'notes:write', 'openid']],
    ['notes:write unknown', ['notes:read', 'notes:write']],
  ])('for the scope %j asks for consent to %j', async (scope, shown) => {
    expect(await scopesShown({ scope })).toEqual(shown);
  });

  it.each([
    ['a nonce without openid', { nonce: 'n' }],
    ['an unknown parameter', { claims: '{}', audience: 'x' }],
    ['parameters without a value', { resource: '', scope: '', prompt: '', response_mode: '', state: '', max_age: '' }],
    ['prompt=consent', { prompt: 'consent' }],
    ['prompt=select_account', { prompt: 'select_account' }],
  ])('with %s is answered all the same', async (_, params) => {
    const { answer } = await harness.signIn(client, params);
    expect(answer.searchParams.get('code')).toBeTruthy();
  });

  it.each([
    ['an unknown resource', { resource: 'https://evil.example/mcp' }, 'invalid_target'],
    ['no challenge', { code_challenge: undefined, code_challenge_method: undefined }, 'invalid_request'],
    ['the plain challenge method', { code_challenge_method: 'plain' }, 'invalid_request'],
    ['another response type', { response_type: 'token' }, 'unsupported_response_type'],
    ['the response mode form_post', { response_mode: 'form_post' }, 'unsupported_response_mode'],
    ['the response mode fragment', { response_mode: 'fragment' }, 'unsupported_response_mode'],
    ['prompt=none', { prompt: 'none', scope: 'openid' }, 'login_required'],
  ])('with %s is refused to the client, with state and iss', async (_, params, error) => {
    const { url } = harness.authorizationRequest(client, params);
    const answer = await harness.refusal(url);
    expect(answer.href.startsWith(REDIRECT_URI)).toBe(true);
    // An error to a request for the implicit flow goes to the fragment (OAuth 2.0 Multiple Response Types section 5).
    const answered = answer.hash ? new URLSearchParams(answer.hash.slice(1)) : answer.searchParams;
    expect(Object.fromEntries(answered)).toMatchObject({ error, state: 'client-state', iss: ISSUER });
  });

  it.each([
    ['scope', 'notes:read', 'notes:write'],
    ['prompt', 'consent', 'none'],
    ['response_mode', 'fragment', 'query'],
    ['state', 'client-state', 'another'],
  ])('with two of %s is refused to the client (RFC 6749 section 3.1)', async (name, one, other) => {
    const { url } = harness.authorizationRequest(client, { [name]: one });
    url.searchParams.append(name, other);
    const { searchParams } = await harness.refusal(url);
    expect(searchParams.get('error')).toBe('invalid_request');
    expect(searchParams.get('error_description')).toContain(name);
  });

  it('may name its resource twice (RFC 8707 section 2)', async () => {
    const { url } = harness.authorizationRequest(client);
    url.searchParams.append('resource', `${RESOURCE}/`);
    expect((await harness.fetch(url)).headers.get('location')).toMatch(/^\/interaction\//);
  });

  it.each([
    ['an unknown client', { client_id: 'unknown' }, 'connect again'],
    ['another redirect URI', { redirect_uri: 'https://client.example.com/callback/../evil' }, 'registers its address'],
    [
      'a redirect URI that begins like the right one',
      { redirect_uri: `${REDIRECT_URI}.evil.example` },
      'registers its address',
    ],
  ])('with %s is a page that says what to do, never a redirect', async (_, params, words) => {
    const response = await harness.fetch(harness.authorizationRequest(client, params).url);
    expect(response.status).toBe(400);
    expect(response.headers.get('location')).toBeNull();
    expect(response.headers.get('content-security-policy')).toContain("default-src 'none'");
    expect(await response.text()).toContain(words);
  });

  it.each([
    ['http://127.0.0.1:50000/cb', true],
    ['http://localhost:50000/cb', true],
    ['http://[::1]:50000/cb', true],
    ['http://127.0.0.1:50000/other', false],
    ['http://127.0.0.1.evil.example:50000/cb', false],
    ['https://127.0.0.1:50000/cb', false],
    ['http://127.0.0.1:50000/cb/', false],
  ])('of a client on loopback may name any port, and else nothing: %s %s', async (redirect_uri, taken) => {
    const redirect_uris = ['http://127.0.0.1/cb', 'http://localhost/cb', 'http://[::1]/cb'];
    const native = await harness.register({ redirect_uris });
    const { status, headers } = await harness.fetch(harness.authorizationRequest(native, { redirect_uri }).url);
    expect([status, headers.get('location')]).toEqual(
      taken ? [303, expect.stringMatching(/^\/interaction\//)] : [400, null],
    );
  });

  it('of a client with an https redirect URI names it exactly, port and query included', async () => {
    for (const redirect_uri of [
      'https://client.example.com:8443/callback',
      `${REDIRECT_URI}?x`,
      `${REDIRECT_URI}/`,
      undefined,
    ]) {
      const response = await harness.fetch(harness.authorizationRequest(client, { redirect_uri }).url);
      expect([response.status, response.headers.get('location')]).toEqual([400, null]);
    }
  });

  it('cannot choose its browser binding', async () => {
    const { url } = harness.authorizationRequest(client, { browser_binding: hash('chosen') });
    const page = await harness.browser().open(url);
    const uid = page.url.pathname.split('/').at(-1);
    const elsewhere = await harness.fetch(page.url, { headers: { cookie: `__Host-mcp-${uid}=chosen` } });
    expect(elsewhere.status).toBe(403);
  });

  it('shows what a client says of itself as text', async () => {
    const nasty = await harness.register({ client_name: '<img src=x onerror=alert(1)>"\'&' });
    const page = await harness.browser().open(harness.authorizationRequest(nasty).url);
    expect(page.text).not.toContain('<img');
    expect(page.text).toContain('&#60;img');
  });
});
