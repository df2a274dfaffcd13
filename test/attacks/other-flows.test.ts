import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Harness, ISSUER, REDIRECT_URI } from '../lambda/provider/harness';
import { Browser } from '../support/browser';

let harness: Harness;
let client: Record<string, string>;
beforeAll(async () => {
  harness = await Harness.start();
  client = await harness.register({ token_endpoint_auth_method: 'client_secret_post' });
});
afterAll(() => harness[Symbol.asyncDispose]());

describe('a flow that is not offered', () => {
  it.each([
    ['password', { username: 'ada', password: 'x' }],
    ['client_credentials', {}],
    ['implicit', {}],
    ['urn:ietf:params:oauth:grant-type:device_code', { device_code: 'x' }],
    ['urn:ietf:params:oauth:grant-type:jwt-bearer', { assertion: 'a.b.c' }],
    ['urn:ietf:params:oauth:grant-type:saml2-bearer', { assertion: 'x' }],
    ['urn:openid:params:grant-type:ciba', { auth_req_id: 'x' }],
  ])('gives no token: %s', async (grant_type, params) => {
    const own = { client_id: client.client_id, client_secret: client.client_secret };
    const { status, body } = await harness.token({ grant_type, ...own, ...params });
    expect([status, body.error]).toEqual([400, 'unsupported_grant_type']);
    const { grant_types } = await harness.register({ grant_types: [grant_type, 'authorization_code'] });
    expect(grant_types).toEqual(['authorization_code']);
  });

  it.each(['token', 'id_token', 'code token', 'code id_token', 'code id_token token', 'none', ''])(
    'puts no token into an address: response_type=%s',
    async (response_type) => {
      const params = { response_type, scope: 'openid notes:use', nonce: 'n' };
      const { href: location } = await harness.refusal(harness.authorizationRequest(client, params).url);
      expect(location.startsWith(REDIRECT_URI)).toBe(true);
      expect(location).toContain('error=');
      expect(location).not.toMatch(/access_token|id_token=|code=/);
    },
  );

  it.each<[string, Record<string, string>]>([
    ['a request object, even one that is not signed', { request: 'eyJhbGciOiJub25lIn0.e30.' }],
    ['a request object at an address that the client names', { request_uri: 'https://169.254.169.254/latest' }],
    ['a pushed request', { request_uri: 'urn:ietf:params:oauth:request_uri:x' }],
  ])('carries no parameters past the checks: %s', async (_, params) => {
    const { headers } = await harness.fetch(harness.authorizationRequest(client, params).url);
    expect(headers.get('location') ?? '').not.toMatch(/^\/interaction/);
  });

  it.each([
    '/me',
    '/userinfo',
    '/token/introspection',
    '/request',
    '/device',
    '/session/end',
    '/backchannel',
    '/admin',
  ])('has no address: %s', async (path) => {
    for (const method of ['GET', 'POST']) {
      const { status, headers } = await harness.request({ method, path, headers: { authorization: 'Bearer x' } });
      expect([method, status]).toEqual([method, 404]);
      expect(headers).not.toHaveProperty('location');
    }
  });
});

describe('a page of another origin', () => {
  it.each(['/authorize', '/interaction/x', '/callback', '/authorize/x'])('cannot read %s', async (path) => {
    const query = harness.authorizationRequest(client).url.search;
    const origin = 'https://evil.example';
    for (const method of ['GET', 'OPTIONS']) {
      const headers = { origin, 'access-control-request-method': 'GET' };
      const response = await harness.fetch(`${ISSUER}${path}${query}`, { method, headers });
      expect(response.headers.get('access-control-allow-origin')).toBeNull();
      expect(response.headers.get('access-control-allow-credentials')).toBeNull();
    }
  });
});

describe('a redirect', () => {
  it('makes no browser send the person’s form on to the next place (307), and none keeps its address', async () => {
    const seen: [string, Response][] = [];
    const fetch = harness.fetch.bind(harness);
    const browser = new Browser(async (url, init) => {
      const response = await fetch(url, init);
      if (url.origin === ISSUER) seen.push([url.pathname, response]);
      return response;
    });
    await harness.signIn(client, {}, browser);
    const redirects = seen.filter(([, { status }]) => status >= 300 && status < 400);
    expect(redirects).toHaveLength(3);
    for (const [path, { status, headers }] of redirects) {
      expect([path, status, headers.get('cache-control')]).toEqual([path, 303, 'no-store']);
    }
  });
});
