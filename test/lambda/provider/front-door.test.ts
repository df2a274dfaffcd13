import { Provider } from 'oidc-provider';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { makeKeySet } from '../../../lambda/key-set/make-key-set';
import { createEngine, type EngineContext } from '../../../lambda/provider/engine';
import { hash } from '../../../lambda/provider/keys';
import { ROUTES } from '../../../lib/contract';
import { Harness, ISSUER, REDIRECT_URI } from './harness';

let harness: Harness;
let client: Record<string, string>;
beforeAll(async () => {
  harness = await Harness.start();
  client = await harness.register();
});
afterAll(() => harness[Symbol.asyncDispose]());

const METADATA = ['/.well-known/oauth-authorization-server', '/.well-known/openid-configuration'];
const FORM = { 'content-type': 'application/x-www-form-urlencoded' };
const JSON_BODY = { 'content-type': 'application/json' };

describe('the metadata', () => {
  it.each(METADATA)('at %s names the issuer and what clients look for', async (path) => {
    const response = await harness.fetch(path, { headers: { origin: 'https://inspector.example' } });
    expect(response.headers.get('access-control-allow-origin')).toBeTruthy();
    expect(response.headers.get('cache-control')).toMatch(/max-age=\d+/);
    expect(await response.json()).toMatchObject({
      issuer: ISSUER,
      authorization_endpoint: `${ISSUER}/authorize`,
      token_endpoint: `${ISSUER}/token`,
      registration_endpoint: `${ISSUER}/register`,
      revocation_endpoint: `${ISSUER}/revoke`,
      jwks_uri: `${ISSUER}/jwks`,
      authorization_response_iss_parameter_supported: true,
      code_challenge_methods_supported: ['S256'],
      grant_types_supported: ['authorization_code', 'refresh_token'],
      id_token_signing_alg_values_supported: ['RS256'],
      response_modes_supported: ['query'],
      response_types_supported: ['code'],
      scopes_supported: ['openid', 'offline_access', 'notes:use', 'notes:read', 'notes:write'],
      subject_types_supported: ['public'],
      token_endpoint_auth_methods_supported: ['none', 'client_secret_basic', 'client_secret_post'],
    });
  });

  it.each(METADATA)('at %s follows no Host and no forwarded header', async (path) => {
    const plain = await (await harness.fetch(path)).text();
    const poisoned: Record<string, string>[] = [
      { host: 'evil.example' },
      { 'x-forwarded-host': 'evil.example', 'x-forwarded-proto': 'http' },
      { forwarded: 'host=evil.example;proto=http' },
    ];
    for (const headers of poisoned) {
      expect(await (await harness.fetch(path, { headers })).text()).toBe(plain);
    }
  });

  it('is not there for another issuer', async () => {
    expect((await harness.fetch('/.well-known/oauth-authorization-server/other')).status).toBe(404);
  });
});

describe('the key set', () => {
  it('holds the public halves of the key that signs and of the next', async () => {
    const response = await harness.fetch('/jwks');
    const { keys } = (await response.json()) as { keys: Record<string, string>[] };
    expect(keys).toHaveLength(2);
    for (const key of keys) expect(Object.keys(key).sort()).toEqual(['alg', 'e', 'kid', 'kty', 'n', 'use']);
    expect(response.headers.get('cache-control')).toBe('public, max-age=60');
  });
});

describe('the routes', () => {
  it('are those of the engine and of the sign-in, each path and method', async () => {
    const routed: string[] = [];
    const engine = await engineWithRoutes((method, path) =>
      routed.push(`${method} ${path.replace(/:(\w+)/g, '{$1}')}`),
    );
    expect(engine).toBeInstanceOf(Provider);
    // The engine registers these whatever its configuration; nothing here leads to them.
    const unused = ['POST /session/end/confirm', 'GET /register/{clientId}'];
    const own = ['GET /interaction/{uid}', 'POST /interaction/{uid}', 'GET /callback', 'OPTIONS /register'];
    const expected = [...routed.filter((route) => !unused.includes(route)), ...own];
    const withHead = expected.flatMap((route) =>
      route.startsWith('GET ') ? [route, route.replace('GET', 'HEAD')] : [route],
    );
    const declared = ROUTES.flatMap(({ path, methods }) => methods.map((method) => `${method} ${path}`));
    expect(declared.sort()).toEqual([...new Set(withHead)].sort());
  });
});

describe('a registration', () => {
  const register = (metadata: object) =>
    harness.fetch('/register', { method: 'POST', headers: JSON_BODY, body: JSON.stringify(metadata) });

  it.each([
    [
      'Cursor',
      [
        'cursor://anysphere.cursor-mcp/oauth/callback',
        'https://www.cursor.com/agents/mcp/oauth/callback',
        'http://localhost:8787/callback',
      ],
      'native',
    ],
    ['Claude', ['https://claude.ai/api/mcp/auth_callback'], 'web'],
    ['VS Code', ['http://127.0.0.1:33418/', 'http://127.0.0.1/', 'https://vscode.dev/redirect'], 'native'],
  ])('of %s is taken with all its redirect URIs', async (client_name, redirect_uris, type) => {
    const response = await register({
      client_name,
      redirect_uris,
      application_type: 'web',
      logo_uri: '',
      contacts: null,
    });
    expect(response.status).toBe(201);
    expect(response.headers.get('access-control-allow-origin')).toBe('*');
    expect(await response.json()).toMatchObject({
      redirect_uris,
      application_type: type,
      grant_types: ['authorization_code', 'refresh_token'],
    });
  });

  it.each([
    'javascript:alert(1)',
    'data:text/html,x',
    'http://internal.example.com/cb',
    'http://localhost.evil.com/cb',
    'https://user:pass@client.example.com/cb',
    'https://*.example.com/cb',
    'https://client.example.com/a/../b',
    'https://client.example.com/a/%2e%2e/b',
    'https://client.example.com/cb#fragment',
    'not a uri',
  ])('leaves out the redirect URI %s, and is refused where it is the only one', async (bad) => {
    const beside = (await (await register({ redirect_uris: [bad, REDIRECT_URI] })).json()) as {
      redirect_uris: string[];
    };
    expect(beside.redirect_uris).toEqual([REDIRECT_URI]);
    const alone = await register({ redirect_uris: [bad] });
    expect([alone.status, await alone.json()]).toEqual([
      400,
      expect.objectContaining({ error: 'invalid_redirect_uri' }),
    ]);
  });

  it('keeps nothing that it does not know', async () => {
    const response = await register({
      redirect_uris: [REDIRECT_URI],
      evil: 'x',
      jwks_uri: 'http://169.254.169.254/',
      scope: 'admin',
    });
    const body = (await response.json()) as object;
    for (const name of ['evil', 'jwks_uri', 'scope', 'registration_access_token'])
      expect(body).not.toHaveProperty(name);
  });

  it('answers a preflight', async () => {
    const response = await harness.fetch('/register', {
      method: 'OPTIONS',
      headers: { origin: 'http://localhost:6274', 'access-control-request-method': 'POST' },
    });
    expect(response.status).toBe(204);
    expect(response.headers.get('access-control-allow-methods')).toBe('POST');
    expect(response.headers.get('access-control-allow-credentials')).toBeNull();
  });
});

describe('an authorization request', () => {
  const scopesShown = async (params: Record<string, string | undefined>) => {
    const page = await harness.browser().open(harness.authorizationRequest(client, params).url);
    return [...page.text.matchAll(/<code>([^<]+)<\/code>/g)].map(([, scope]) => scope);
  };

  it.each([
    [undefined, ['notes:use']],
    ['', ['notes:use']],
    ['unknown', ['notes:use']],
    ['openid profile email', ['notes:use']],
    ['offline_access notes:read', ['notes:read']],
    ['notes:write unknown', ['notes:read', 'notes:write']],
  ])('for the scope %j asks for consent to %j', async (scope, shown) => {
    expect(await scopesShown({ scope })).toEqual(shown);
  });

  it.each([
    ['a nonce without openid', { nonce: 'n' }],
    ['an unknown parameter', { claims: '{}', audience: 'x' }],
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
    const answer = new URL((await harness.fetch(url)).headers.get('location') ?? '');
    expect(answer.href.startsWith(REDIRECT_URI)).toBe(true);
    // An error to a request for the implicit flow goes to the fragment (OAuth 2.0 Multiple Response Types section 5).
    const answered = answer.hash ? new URLSearchParams(answer.hash.slice(1)) : answer.searchParams;
    expect(Object.fromEntries(answered)).toMatchObject({ error, state: 'client-state', iss: ISSUER });
  });

  it.each([
    ['an unknown client', { client_id: 'unknown' }, 'connect again'],
    ['another redirect URI', { redirect_uri: 'https://client.example.com/callback/../evil' }, 'redirect_uri'],
    ['a redirect URI that begins like the right one', { redirect_uri: `${REDIRECT_URI}.evil.example` }, 'redirect_uri'],
  ])('with %s is a page that says what to do, never a redirect', async (_, params, words) => {
    const response = await harness.fetch(harness.authorizationRequest(client, params).url);
    expect(response.status).toBe(400);
    expect(response.headers.get('location')).toBeNull();
    expect(response.headers.get('content-security-policy')).toContain("default-src 'none'");
    expect(await response.text()).toContain(words);
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

describe('malformed input', () => {
  const bodies = [
    '',
    '{',
    '[]',
    'null',
    '"x"',
    '0',
    'a=b',
    '%',
    '%ff=%fe',
    `a=${'b'.repeat(70_000)}`,
    '\u0000',
    'grant_type=refresh_token&refresh_token=.',
    'grant_type=authorization_code&code=..&client_id=x&client_id=y',
    '{"redirect_uris":"x"}',
    '{"redirect_uris":[1,null,{}]}',
    '{"redirect_uris":["https://a.example/"],"client_name":{}}',
    '{"redirect_uris":["https://a.example/"],"grant_types":"x","response_types":7}',
  ];
  const types = [
    {},
    FORM,
    JSON_BODY,
    { 'content-type': 'text/plain' },
    { 'content-type': '///' },
    { ...FORM, authorization: 'Basic %' },
    { ...FORM, authorization: 'Basic Og==' },
    { ...FORM, authorization: 'Bearer x' },
  ];

  it.each(['/token', '/revoke', '/register'])('at %s gets the protocol’s own error', async (path) => {
    for (const body of bodies) {
      for (const headers of types) {
        const response = await harness.fetch(path, {
          method: 'POST',
          headers: headers as Record<string, string>,
          body,
        });
        expect(response.status, `${JSON.stringify(headers)} ${body.slice(0, 50)}`).toBeGreaterThanOrEqual(400);
        expect(response.status).toBeLessThan(500);
        expect(await response.json()).toHaveProperty('error');
      }
    }
  });

  it.each(['/authorize', '/authorize/x', '/authorize/%', '/interaction/x', '/interaction/%00', '/callback'])(
    'at %s gets a page',
    async (path) => {
      for (const query of [
        '',
        '?',
        '?%',
        '?client_id',
        '?client_id=%ff',
        `?client_id=${client.client_id}`,
        '?state=',
        '?state=a.b&code=c',
        '?resource=a&resource=b&scope=%00',
        `?client_id=${client.client_id}&redirect_uri=${encodeURIComponent(REDIRECT_URI)}&redirect_uri=x`,
      ]) {
        for (const cookie of ['', '=', '__Host-mcp-x=y', `__Host-mcp-${'x'.repeat(500)}=%`, '__Secure-mcp-resume=x']) {
          const response = await harness.fetch(`${ISSUER}${path}${query}`, { headers: { cookie } });
          expect(response.status, `${query} ${cookie}`).toBeLessThan(500);
          const text = await response.text();
          expect(text).not.toMatch(/\bat .*:\d+:\d+/);
        }
      }
    },
  );
});

async function engineWithRoutes(onRoute: (method: string, path: string) => void): Promise<Provider> {
  const { default: Router } = await import('oidc-provider/lib/helpers/router.js' as string);
  for (const method of ['get', 'post', 'put', 'delete', 'options']) {
    const register = Router.prototype[method];
    Router.prototype[method] = function (name: string, path: string, ...rest: unknown[]) {
      onRoute(method.toUpperCase(), path);
      return register.call(this, name, path, ...rest);
    };
  }
  const config = { issuer: ISSUER, lifetimes: { accessToken: 1, authorizationCode: 1, interaction: 1, grant: 1 } };
  const context = { config, renderError() {}, onServerError() {} } as unknown as EngineContext;
  return createEngine(context, await makeKeySet(0));
}
