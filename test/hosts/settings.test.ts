import { inspect } from 'node:util';
import { Keyv } from 'keyv';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { OidcClient, type OidcClientConfig } from '../../hosts/oidc-client';
import { serverFrom } from '../../hosts/serve';
import { SettingsError } from '../../hosts/settings';
import { createOidcServer, type OidcServerOptions } from '../../hosts/standalone';
import { makeJwk } from '../../lambda/key-set/make-key-set';

afterEach(() => {
  vi.unstubAllEnvs();
});

const CLIENT: OidcClientConfig = {
  issuer: 'https://login.example.com',
  clientId: 'mcp',
  clientSecret: 'the-client-secret-of-upstream',
  redirectUri: 'https://auth.example.com/oauth/callback',
};
const GOOD: OidcServerOptions = {
  idpClient: new OidcClient(CLIENT),
  store: new Keyv(),
  secret: 'a secret of thirty-two characters',
  baseUrl: 'https://auth.example.com',
  port: 0,
};

function problemsOf(start: () => unknown): string[] {
  try {
    start();
  } catch (error) {
    if (!(error instanceof SettingsError)) throw error;
    return error.problems.map(({ setting, given, needed }) => `${setting}: got ${given}; needs ${needed}`);
  }
  return [];
}

const withClient = (config: Partial<OidcClientConfig>) => ({ idpClient: new OidcClient({ ...CLIENT, ...config }) });

describe('createOidcServer', () => {
  it.each<[string, object]>([
    ['a Keyv in memory', {}],
    ['an issuer with a slash, which is left out', { baseUrl: 'https://auth.example.com/' }],
    [
      'this machine over http',
      { baseUrl: 'http://localhost:1', ...withClient({ redirectUri: 'http://localhost:1/cb' }) },
    ],
    ['an identity provider by its host', withClient({ issuer: 'login.example.com' })],
    ['a list of secrets', { secret: ['a'.repeat(32), 'b'.repeat(40)] }],
    ['production with a database and keys in it', { isProduction: true, jwks: 'store', store: 'redis://localhost' }],
  ])('takes %s', (_, options) => {
    expect(problemsOf(() => createOidcServer({ ...GOOD, ...options }))).toEqual([]);
  });

  it.each<[string, object, RegExp]>([
    ['baseUrl', { baseUrl: undefined }, /^baseUrl: got nothing; needs the public URL/],
    ['baseUrl', { baseUrl: 'https://auth.example.com/oidc' }, /^baseUrl: got 'https:.*oidc'; needs .* without a path/],
    ['baseUrl', { baseUrl: 'http://auth.example.com' }, /^baseUrl: got .*; needs .*https, or http on this machine/],
    ['baseUrl', { baseUrl: 'https://user:pw@auth.example.com' }, /^baseUrl: /],
    ['idpClient', { idpClient: undefined }, /^idpClient: got nothing; needs a new OidcClient/],
    ['idpClient', { idpClient: { createAuthorizationUrl() {} } }, /^idpClient: got a client with an implementation/],
    ['issuer', withClient({ issuer: '' }), /^idpClient.issuer: got nothing; needs your identity provider's issuer/],
    ['issuer', withClient({ issuer: 'http://login.example.com' }), /^idpClient.issuer: got 'http:/],
    ['clientId', withClient({ clientId: undefined as never }), /^idpClient.clientId: got nothing/],
    ['clientSecret', withClient({ clientSecret: '' }), /^idpClient.clientSecret: got nothing/],
    [
      'redirectUri',
      withClient({ redirectUri: 'https://other.example.com/cb' }),
      /^idpClient.redirectUri: got .*URL of this server/,
    ],
    [
      'redirectUri',
      withClient({ redirectUri: 'https://auth.example.com/token' }),
      /^idpClient.redirectUri: got .*URL of this server/,
    ],
    ['extractCustomData', withClient({ extractCustomData: 'x' as never }), /^idpClient.extractCustomData: got 'x'/],
    ['secret', { secret: undefined }, /^secret: got nothing; needs at least 32 random characters/],
    ['secret', { secret: 'too short' }, /^secret: got 9 characters; needs at least 32/],
    ['secret', { secret: ['a'.repeat(32), 'short'] }, /^secret: got 5 characters/],
    ['store', { store: undefined }, /^store: got nothing; needs a Keyv/],
    ['store', { store: { get() {}, set() {} } }, /^store: got a Keyv on another adapter; needs .*singleProcess: true/],
    [
      'store',
      { store: 'mysql://user:pw@localhost' },
      /^store: got a text that begins with 'mysql:'; needs a URL that begins/,
    ],
    [
      'store',
      { store: new Keyv(), isProduction: true, jwks: 'store' },
      /^store: got the memory of this process; needs /,
    ],
    [
      'store',
      { store: 'memory:', isProduction: true, jwks: 'store' },
      /^store: got the memory of this process; needs /,
    ],
    [
      'jwks',
      { store: 'redis://localhost', isProduction: true },
      /^jwks: got nothing; needs .*keys generate.*or 'store'/,
    ],
    ['jwks', { jwks: { keys: [] } }, /^jwks: got no JWK Set with keys; needs the output of `npx mcp-oidc-auth keys/],
    [
      'jwks',
      { jwks: { keys: [{ kty: 'oct', k: 'c2VjcmV0LWtleQ' }] } },
      /^jwks: got a key at position 1 that is neither/,
    ],
    ['sessionMaxAge', { sessionMaxAge: -1 }, /^sessionMaxAge: got -1; needs milliseconds/],
    ['sessionMaxAge', { sessionMaxAge: 401 * 86_400_000 }, /^sessionMaxAge: got .*400 days/],
    ['additionalCorsOrigins', { additionalCorsOrigins: ['https://a.example/'] }, /^additionalCorsOrigins: got 'https/],
    ['resources', { resources: [{ identifier: 'https://a.example/#b' }] }, /^resources\[0\].identifier: got 'https/],
    [
      'resources',
      { resources: [{ identifier: 'https://a.example', scopes: [{ name: 'a b' }] }] },
      /^resources\[0\].scopes: got 'a b'/,
    ],
    [
      'resources',
      { resources: [{ identifier: 'https://a.example', scopes: [{ name: 'openid' }] }] },
      /^resources\[0\].scopes: got 'openid'/,
    ],
    ['trustedProxies', { trustedProxies: 1.5 }, /^trustedProxies: got 1.5; needs the number of reverse proxies/],
    ['port', { port: 70_000 }, /^port: got 70000; needs a number from 0 to 65535/],
  ])('says what it needs of %s: %j', (_, options, message) => {
    const problems = problemsOf(() => createOidcServer({ ...GOOD, ...options } as OidcServerOptions));
    expect(problems).toEqual([expect.stringMatching(message)]);
  });

  it('names everything that is wrong at once, and shows no secret', () => {
    const problems = problemsOf(() =>
      createOidcServer({
        ...withClient({ redirectUri: 'nowhere' }),
        store: 'mysql://user:the-password@db',
        secret: 'the-short-secret',
        baseUrl: 'https://auth.example.com',
        port: -1,
        jwks: { keys: [{ kty: 'oct', k: 'the-private-key' }] },
      }),
    );
    expect(problems.map((problem) => problem.split(':')[0])).toEqual([
      'port',
      'store',
      'idpClient.redirectUri',
      'secret',
      'jwks',
    ]);
    expect(problems.join()).not.toMatch(/the-password|the-short-secret|the-private-key|the-client-secret/);
  });

  it('prints no secret of the client', () => {
    expect(inspect(GOOD.idpClient, { depth: 9 }) + JSON.stringify(GOOD.idpClient)).not.toContain(CLIENT.clientSecret);
  });

  it('in production is what NODE_ENV says, unless told otherwise', () => {
    vi.stubEnv('NODE_ENV', 'production');
    expect(problemsOf(() => createOidcServer(GOOD))).toHaveLength(2);
    expect(problemsOf(() => createOidcServer({ ...GOOD, isProduction: false }))).toEqual([]);
  });

  it('takes keys of ES256 with one of RS256, for ID tokens, and none without', async () => {
    const [es256, rs256] = await Promise.all([makeJwk('ES256'), makeJwk('RS256')]);
    expect(problemsOf(() => createOidcServer({ ...GOOD, jwks: { keys: [es256, rs256] } }))).toEqual([]);
    expect(problemsOf(() => createOidcServer({ ...GOOD, jwks: { keys: [es256] } }))).toEqual([
      expect.stringMatching(/^jwks: got private keys of ES256 alone/),
    ]);
    const { d, ...published } = rs256;
    expect(problemsOf(() => createOidcServer({ ...GOOD, jwks: { keys: [published, rs256] } }))).toEqual([
      expect.stringMatching(/^jwks: got a public key first/),
    ]);
  });
});

describe('serve', () => {
  const ENV = {
    OIDC_ISSUER: 'https://auth.example.com',
    UPSTREAM_ISSUER: 'https://login.example.com',
    UPSTREAM_CLIENT_ID: 'mcp',
    UPSTREAM_CLIENT_SECRET: 'secret',
    STORE_URL: 'redis://localhost',
    SESSION_SECRET: 'a secret of thirty-two characters',
  };

  it('needs six variables, and names all that are missing', () => {
    expect(problemsOf(() => serverFrom(ENV))).toEqual([]);
    const missing = problemsOf(() => serverFrom({})).map((problem) => problem.split(':')[0]);
    expect(missing.toSorted()).toEqual(Object.keys(ENV).toSorted());
  });

  it('needs no keys in production, where it keeps its own in the store', () => {
    expect(problemsOf(() => serverFrom({ ...ENV, NODE_ENV: 'production' }))).toEqual([]);
    expect(problemsOf(() => serverFrom({ ...ENV, NODE_ENV: 'production', STORE_URL: 'memory:' }))).toEqual([
      expect.stringMatching(/^STORE_URL: got the memory of this process; needs a database in production/),
      expect.stringMatching(/^JWKS: got nothing/),
    ]);
  });

  it.each([
    [{ JWKS: '{"keys":' }, /^JWKS: got what is no JSON/],
    [{ OIDC_PORT: 'http' }, /^OIDC_PORT: got 'http'; needs a number/],
    [{ UPSTREAM_ALLOW: '@example.com' }, /^UPSTREAM_ALLOW: got what is no JSON; needs rules such as/],
    [{ UPSTREAM_ALLOW: '["@example.com"]' }, /^UPSTREAM_ALLOW: got .*; needs rules/],
    [{ UPSTREAM_REDIRECT_URI: '/callback' }, /^UPSTREAM_REDIRECT_URI: got '\/callback'; needs a URL of this server/],
    [{ SESSION_SECRET_PREVIOUS: 'short' }, /^SESSION_SECRET: got 5 characters/],
    [{ SESSION_MAX_AGE_DAYS: '500' }, /^SESSION_MAX_AGE_DAYS: got .*; needs/],
    [{ MCP_RESOURCES: 'https://a.example/mcp, b' }, /^MCP_RESOURCES\[1\].identifier: got 'b'/],
    [{ MCP_RESOURCES: '[{"identifier":"x"}]' }, /^MCP_RESOURCES\[0\].identifier: got 'x'/],
    [{ CORS_ORIGINS: 'https://a.example/x' }, /^CORS_ORIGINS: got 'https:/],
    [{ TRUSTED_PROXIES: '-1' }, /^TRUSTED_PROXIES: got -1/],
  ])('says what it needs, by the name of the variable: %j', (env, message) => {
    expect(problemsOf(() => serverFrom({ ...ENV, ...env }))).toEqual([expect.stringMatching(message)]);
  });
});
