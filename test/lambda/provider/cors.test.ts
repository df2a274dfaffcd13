import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest';
import { DynamoStore } from '../../../lambda/store/dynamo-store';
import { Harness, REDIRECT_URI } from './harness';

const ORIGIN = 'http://localhost:6274';

let harness: Harness;
let client: Record<string, string>;
beforeAll(async () => {
  harness = await Harness.start();
  client = await harness.register({ redirect_uris: [`${ORIGIN}/oauth/callback`, REDIRECT_URI] });
});
afterAll(() => harness[Symbol.asyncDispose]());
afterEach(() => {
  vi.restoreAllMocks();
});

const DOCUMENTS = ['/.well-known/oauth-authorization-server', '/.well-known/openid-configuration', '/jwks'];

/** What a browser lets a page of `origin` do with the response. */
function mayRead({ headers }: { headers: Headers }, origin = ORIGIN): boolean {
  return ['*', origin].includes(headers.get('access-control-allow-origin') ?? '');
}

/** The headers that it lets a script see beyond the usual ones. */
const exposed = ({ headers }: { headers: Headers }): string[] =>
  (headers.get('access-control-expose-headers') ?? '').toLowerCase().split(/, ?/);

describe('a page of a browser client', () => {
  it.each([
    ...DOCUMENTS.map((path) => ({ path, method: 'GET' })),
    ...['/token', '/revoke', '/register'].map((path) => ({ path, method: 'POST' })),
  ])('may ask $method $path, with the headers of MCP clients', async ({ path, method }) => {
    const response = await harness.fetch(path, {
      method: 'OPTIONS',
      headers: {
        origin: ORIGIN,
        'access-control-request-method': method,
        'access-control-request-headers': 'authorization,content-type,mcp-protocol-version',
      },
    });
    expect(response.status).toBe(204);
    expect(mayRead(response)).toBe(true);
    expect(response.headers.get('access-control-allow-methods')).toBe(method);
    const allowed = response.headers.get('access-control-allow-headers')?.toLowerCase().split(/, ?/);
    expect(allowed).toEqual(['authorization', 'content-type', 'mcp-protocol-version']);
    expect(response.headers.get('access-control-allow-credentials')).toBeNull();
  });

  it.each([...DOCUMENTS, '/token', '/revoke', '/register'])(
    'gets no error for OPTIONS %s that is no preflight',
    async (path) => {
      expect((await harness.fetch(path, { method: 'OPTIONS' })).status).toBe(204);
    },
  );

  it.each(DOCUMENTS)('may read %s', async (path) => {
    const response = await harness.fetch(path, { headers: { origin: ORIGIN } });
    expect([response.status, mayRead(response)]).toEqual([200, true]);
  });

  it('may read its tokens, and the answer of a revocation', async () => {
    const signIn = await harness.signIn(client);
    const form = {
      grant_type: 'authorization_code',
      client_id: client.client_id,
      redirect_uri: REDIRECT_URI,
      code: signIn.code,
      code_verifier: signIn.codeVerifier,
    };
    const tokens = await harness.post('/token', form, { origin: ORIGIN });
    expect([tokens.status, mayRead(tokens)]).toEqual([200, true]);
    const { refresh_token: token } = (await tokens.json()) as Record<string, string>;
    const revoked = await harness.post('/revoke', { client_id: client.client_id, token }, { origin: ORIGIN });
    expect([revoked.status, mayRead(revoked)]).toEqual([200, true]);
  });

  it.each([
    ['a refused token', '/token', { grant_type: 'refresh_token', refresh_token: 'a.b' }, 400],
    ['an unknown client', '/token', { grant_type: 'refresh_token', refresh_token: 'a.b', client_id: 'unknown' }, 401],
    ['an unknown grant type', '/token', { grant_type: 'password' }, 400],
    ['a revocation of an unknown client', '/revoke', { token: 'a.b', client_id: 'unknown' }, 401],
    ['a refused registration', '/register', {}, 400],
  ])('may read why it gets no further: %s', async (_, path, params, status) => {
    const response = await harness.post(path, { client_id: client.client_id, ...params }, { origin: ORIGIN });
    expect([response.status, mayRead(response)]).toEqual([status, true]);
    expect(await response.json()).toHaveProperty('error');
    expect(exposed(response)).toContain('www-authenticate');
  });

  it.each([
    ...DOCUMENTS.map((path) => [path, 'GET']),
    ...['/token', '/revoke', '/register'].map((path) => [path, 'POST']),
  ])('sends no cookies to %s', async (path = '', method = '') => {
    const response = await harness.fetch(path, { method, headers: { origin: ORIGIN, cookie: 'a=b' } });
    expect(mayRead(response)).toBe(true);
    expect(response.headers.get('access-control-allow-credentials')).toBeNull();
  });

  it('may read that another of its requests was first', async () => {
    const { code, codeVerifier } = await harness.signIn(client);
    const form = {
      grant_type: 'authorization_code',
      client_id: client.client_id,
      redirect_uri: REDIRECT_URI,
      code,
      code_verifier: codeVerifier,
    };
    const answers = await Promise.all([1, 2, 3].map(() => harness.post('/token', form, { origin: ORIGIN })));
    const losers = answers.filter(({ status }) => status === 400);
    expect(losers).toHaveLength(2);
    for (const loser of losers) {
      expect(mayRead(loser)).toBe(true);
      const text = await loser.text();
      expect(JSON.parse(text)).toHaveProperty('error', 'invalid_grant');
      expect([null, String(text.length)]).toContain(loser.headers.get('content-length'));
    }
  });

  it.each(['/token', '/revoke', '/register'])('may read that %s is down, and when to ask again', async (path) => {
    const failing = async () => Promise.reject(Object.assign(new Error('throttled'), { $fault: 'server' }));
    vi.spyOn(DynamoStore.prototype, 'read').mockImplementation(failing);
    vi.spyOn(DynamoStore.prototype, 'count').mockImplementation(failing);
    const response =
      path === '/register'
        ? await harness.fetch(path, {
            method: 'POST',
            headers: { 'content-type': 'application/json', origin: ORIGIN },
            body: JSON.stringify({ redirect_uris: [REDIRECT_URI] }),
          })
        : await harness.post(path, { client_id: client.client_id, token: 'a.b', code: 'a.b' }, { origin: ORIGIN });
    expect([response.status, mayRead(response)]).toEqual([503, true]);
    expect(response.headers.get('access-control-expose-headers')).toContain('Retry-After');
  });
});

describe('a page of another origin', () => {
  it.each(['https://evil.example', 'null'])('gets no tokens with somebody’s refresh token: %s', async (origin) => {
    const { body } = await harness.redeem(client, await harness.signIn(client));
    const form = { grant_type: 'refresh_token', client_id: client.client_id, refresh_token: body.refresh_token };
    const response = await harness.post('/token', form, { origin });
    expect([response.status, mayRead(response, origin)]).toEqual([400, false]);
    expect((await harness.refresh(client, body.refresh_token)).status).toBe(200);
  });
});
