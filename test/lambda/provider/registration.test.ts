import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Harness, REDIRECT_URI } from './harness';

let harness: Harness;
beforeAll(async () => {
  harness = await Harness.start();
});
afterAll(() => harness[Symbol.asyncDispose]());

describe('a registration', () => {
  const register = (metadata: object) =>
    harness.fetch('/register', {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(metadata),
    });

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
    'https://client.example.com/a b',
    'https://client.example.com\\@evil.example/',
    'https://:pass@client.example.com/cb',
    'https://user@client.example.com/cb',
    'client.example.com/cb',
    'https://client.example.com/a/.%2E/b',
    'https://client.example.com/a%2f..%2fb',
    'https://client.example.com/cb#',
    'https://clïent.example.com/cb',
    'vbscript:x',
    'blob:https://client.example.com/x',
    'file:///etc/passwd',
    'about:blank',
    'ms-msdt:/id',
    'search-ms:query=x',
    'intent://x/',
    'view-source:https://client.example.com/',
    'smb://x/y',
    'urn:ietf:wg:oauth:2.0:oob',
    'mailto:a@b.example',
    'filesystem:https://client.example.com/x',
    'http://127.0.0.1.evil.com/cb',
    'http://169.254.169.254/cb',
    'http://0.0.0.0/cb',
  ])('leaves out the redirect URI %s, and is refused where it is the only one', async (bad) => {
    const beside = (await (await register({ redirect_uris: [bad, REDIRECT_URI] })).json()) as {
      redirect_uris: string[];
    };
    expect(beside.redirect_uris).toEqual([REDIRECT_URI]);
    const alone = await register({ redirect_uris: [bad] });
    expect([alone.status, await alone.json()]).toEqual([
      400,
      expect.objectContaining({
        error: 'invalid_redirect_uri',
        error_description: expect.stringContaining('no usable redirect URI: '),
      }),
    ]);
  });

  it('takes a private-use scheme that is a reverse domain name', async () => {
    const redirect_uris = ['com.example.app:/oauth'];
    expect(await (await register({ redirect_uris })).json()).toMatchObject({
      redirect_uris,
      application_type: 'native',
    });
  });

  it('keeps nothing that it does not know', async () => {
    const response = await register({
      redirect_uris: [REDIRECT_URI],
      evil: 'x',
      jwks_uri: 'http://169.254.169.254/',
      scope: 'admin',
    });
    const body = (await response.json()) as object;
    expect(response.status).toBe(201);
    for (const name of ['evil', 'jwks_uri', 'scope', 'registration_access_token'])
      expect(body).not.toHaveProperty(name);
  });

  it.each([
    ['no redirect URI', {}, 'invalid_redirect_uri'],
    ['21 redirect URIs', { redirect_uris: Array(21).fill(REDIRECT_URI) }, 'invalid_redirect_uri'],
    [
      'a redirect URI of 3000 characters',
      { redirect_uris: [`${REDIRECT_URI}/${'x'.repeat(3000)}`] },
      'invalid_redirect_uri',
    ],
    ['another way to authenticate', { token_endpoint_auth_method: 'private_key_jwt' }, 'invalid_client_metadata'],
  ])('with %s is refused', async (_, metadata, error) => {
    const one = error === 'invalid_redirect_uri' ? {} : { redirect_uris: [REDIRECT_URI] };
    const response = await register({ ...one, ...metadata });
    expect([response.status, await response.json()]).toEqual([400, expect.objectContaining({ error })]);
    expect(response.headers.get('access-control-allow-origin')).toBe('*');
  });

  it.each([undefined, 'text/plain', 'application/x-www-form-urlencoded', 'application/jsonp'])(
    'that is not sent as JSON is told so: %s',
    async (type) => {
      const response = await harness.fetch('/register', {
        method: 'POST',
        headers: type === undefined ? {} : { 'content-type': type },
        body: JSON.stringify({ redirect_uris: [REDIRECT_URI] }),
      });
      expect([response.status, await response.json()]).toEqual([
        400,
        { error: 'invalid_client_metadata', error_description: 'the body must be sent as application/json' },
      ]);
    },
  );

  it.each(['application/json; charset=utf-8', 'Application/JSON', 'application/json ;charset=x'])(
    'may be sent as %s',
    async (type) => {
      const response = await harness.fetch('/register', {
        method: 'POST',
        headers: { 'content-type': type },
        body: JSON.stringify({ redirect_uris: [REDIRECT_URI] }),
      });
      expect(response.status).toBe(201);
    },
  );

  it.each([
    [
      ['refresh_token', 'authorization_code', 'implicit'],
      ['refresh_token', 'authorization_code'],
    ],
    [['authorization_code'], ['authorization_code']],
    [['client_credentials'], ['authorization_code', 'refresh_token']],
    [undefined, ['authorization_code', 'refresh_token']],
  ])('for the grants %j gets %j', async (grant_types, granted) => {
    const response = await register({ redirect_uris: [REDIRECT_URI], grant_types, response_types: ['code', 'token'] });
    expect(await response.json()).toMatchObject({ grant_types: granted, response_types: ['code'] });
  });

  it('keeps links to https pages only', async () => {
    const response = await register({
      redirect_uris: [REDIRECT_URI],
      logo_uri: 'javascript:alert(1)',
      tos_uri: 'http://client.example.com/',
      policy_uri: `https://client.example.com/${'x'.repeat(3000)}`,
      client_uri: 'https://client.example.com/',
    });
    const body = (await response.json()) as object;
    expect(body).toHaveProperty('client_uri', 'https://client.example.com/');
    for (const name of ['logo_uri', 'tos_uri', 'policy_uri']) expect(body).not.toHaveProperty(name);
  });

  it('gives a secret to a client that can keep one, and none to one that cannot', async () => {
    const none = await harness.register({ token_endpoint_auth_method: 'none' });
    expect(none).not.toHaveProperty('client_secret');
    const basic = await harness.register({ token_endpoint_auth_method: undefined });
    expect(basic).toMatchObject({ token_endpoint_auth_method: 'client_secret_basic', client_secret_expires_at: 0 });
    expect(basic.client_secret).toMatch(/^[\w-]{43,}$/);
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
