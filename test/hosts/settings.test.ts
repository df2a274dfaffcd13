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

const LOGO = `data:image/svg+xml;base64,${Buffer.from('<svg xmlns="http://www.w3.org/2000/svg"/>').toString('base64')}`;
const RESOURCE = { identifier: 'https://a.example/mcp' };

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
    ['a redirect URI at /callback', withClient({ redirectUri: 'https://auth.example.com/callback' })],
    ['an identity provider by its host', withClient({ issuer: 'login.example.com' })],
    ['a list of secrets', { secret: ['a'.repeat(32), 'b'.repeat(40)] }],
    ['a client of another copy of this package', { idpClient: { config: CLIENT } }],
    [
      'every option that there is',
      {
        ...withClient({
          scopes: ['openid', 'offline_access'],
          additionalAuthParams: { hd: 'example.com' },
          extractCustomData: () => undefined,
          allow: [{ claim: 'email', values: ['@example.com'] }],
          claims: ['email'],
          recheck: 60,
        }),
        singleProcess: true,
        isProduction: false,
        sessionMaxAge: 1000,
        additionalCorsOrigins: ['https://app.example.com'],
        resources: [
          {
            identifier: 'https://mcp.example.com/mcp',
            name: 'Reports',
            scopes: [
              { name: 'read', description: 'Read', descriptions: { de: 'Lesen' }, default: true },
              { name: 'write', implies: ['read'] },
            ],
            default: true,
            upstreamTokens: true,
          },
          { identifier: 'https://other.example.com/' },
        ],
        trustedProxies: 1,
        dpop: true,
        appearance: {
          name: 'Example Corp',
          logo: LOGO,
          colors: { accent: '#7a1fa2', accentDark: '#ffcc00' },
          supportUrl: 'mailto:help@example.com',
          words: { de: { allow: 'Weiter' } },
        },
        lifetimes: { accessToken: 86_400, refreshGrace: 0, client: undefined },
        registration: { perAddress: 1, inAll: 2, sharedEgress: ['192.0.2.0/24'], privateUseSchemes: ['my-app'] },
        clientMetadata: { internalHosts: ['localhost'], allowedHosts: ['*.example.com'], deniedHosts: [] },
        onListen() {},
      },
    ],
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
    ...['/', '/token', '/.well-known/callback', '/health', '/Health/', '/ready'].map(
      (path): [string, object, RegExp] => [
        'a redirectUri at a path that is for something else',
        withClient({ redirectUri: `https://auth.example.com${path}` }),
        /^idpClient.redirectUri: got .*URL of this server.*, and not at \/health, \/ready, .*\/token/,
      ],
    ),
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
    [
      'allow beside idpClient',
      { allow: [] },
      /^allow: got an option that is not known here; needs new OidcClient\(\{ allow \}\)$/,
    ],
    [
      'a misspelled option',
      { sessionMaxage: 1 },
      /^sessionMaxage: got an option that .*; needs one of idpClient, store,/,
    ],
    [
      'an option of another host',
      { mcpEndpointPath: '/mcp' },
      /^mcpEndpointPath: .*; needs setupMcpExpress\(.*\) or createMcpAuthProvider\(/,
    ],
    ['a misspelled option of the client', withClient({ alow: [] } as never), /^idpClient.alow: got an option that/],
    [
      'dpop in the client',
      withClient({ dpop: true } as never),
      /^idpClient.dpop: .*; needs createOidcServer\(\{ dpop \}\)/,
    ],
    [
      'allow',
      withClient({ allow: '@example.com' as never }),
      /^idpClient.allow: got '@example.com'; needs a list of rules/,
    ],
    ['allow', withClient({ allow: [{ claim: 'hd', values: [] }] }), /^idpClient.allow: got no value of 'hd'; needs/],
    [
      'allow',
      withClient({ allow: [{ claim: 'hd', values: ['x'], not: true } as never] }),
      /^idpClient.allow: got 'not' in the rule for 'hd'/,
    ],
    ['scopes', withClient({ scopes: 5 as never }), /^idpClient.scopes: got 5; needs a list/],
    ['scopes', withClient({ scopes: ['a b'] }), /^idpClient.scopes: got 'a b'; needs scope tokens/],
    [
      'parameters of its own',
      withClient({ additionalAuthParams: { redirect_uri: 'https://evil.example' } }),
      /^idpClient.additionalAuthParams: got 'redirect_uri'; needs parameters that/,
    ],
    [
      'claims',
      withClient({ claims: ['sub'] }),
      /^idpClient.claims: got 'sub'; needs names of claims that access tokens/,
    ],
    [
      'recheck',
      withClient({ recheck: '1h' as never }),
      /^idpClient.recheck: got '1h'; needs a whole number, at least 60/,
    ],
    [
      'an issuer that is its discovery document',
      withClient({ issuer: 'https://login.example.com/.well-known/openid-configuration' }),
      /^idpClient.issuer: got 'https:.*; needs the issuer, not the URL of its discovery document/,
    ],
    [
      'an issuer with a query',
      withClient({ issuer: 'https://login.example.com/?a=b' }),
      /^idpClient.issuer: got 'https/,
    ],
    [
      'clientSecret',
      withClient({ clientSecret: 5 as never }),
      /^idpClient.clientSecret: got a number; needs the secret/,
    ],
    ['sessionMaxAge', { sessionMaxAge: '30d' }, /^sessionMaxAge: got '30d'; needs milliseconds/],
    [
      'additionalCorsOrigins',
      { additionalCorsOrigins: 'https://a.example' },
      /^additionalCorsOrigins: got .*; needs a list/,
    ],
    ['dpop', { dpop: 'no' }, /^dpop: got 'no'; needs true or false/],
    [
      'isProduction',
      { isProduction: 'false', jwks: 'store', store: 'redis://localhost' },
      /^isProduction: got 'false'/,
    ],
    ['singleProcess', { singleProcess: 'false' }, /^singleProcess: got 'false'; needs true or false/],
    ['onListen', { onListen: 'log' }, /^onListen: got 'log'; needs a function/],
    ['resources', { resources: 'https://a.example' }, /^resources: got 'https:.*'; needs a list of resources/],
    ['resources', { resources: ['https://a.example'] }, /^resources\[0\]: got 'https:.*'; needs \{ identifier/],
    ['resources', { resources: [{ ...RESOURCE, scope: 'x' }] }, /^resources\[0\].scope: got an option that/],
    [
      'an identifier in another spelling',
      { resources: [{ identifier: 'https://A.example/mcp' }] },
      /^resources\[0\].identifier: got .*; needs the canonical spelling, 'https:\/\/a.example\/mcp'/,
    ],
    [
      'the same resource twice',
      { resources: [RESOURCE, { identifier: `${RESOURCE.identifier}/` }] },
      /^resources\[1\].identifier: got '.*' a second time; needs each resource once/,
    ],
    [
      'two default resources',
      {
        resources: [
          { ...RESOURCE, default: true },
          { identifier: 'https://b.example', default: true },
        ],
      },
      /^resources: got 2 with default: true; needs one default at most/,
    ],
    ['resources', { resources: [{ ...RESOURCE, default: 'no' }] }, /^resources\[0\].default: got 'no'/],
    ['resources', { resources: [{ ...RESOURCE, upstreamTokens: 1 }] }, /^resources\[0\].upstreamTokens: got 1/],
    [
      'resources',
      { resources: [{ ...RESOURCE, name: '' }] },
      /^resources\[0\].name: got nothing; needs what people read/,
    ],
    ['resources', { resources: [{ ...RESOURCE, scopes: ['read'] }] }, /^resources\[0\].scopes: got a list of 1; needs/],
    [
      'a scope that implies an unknown one',
      { resources: [{ ...RESOURCE, scopes: [{ name: 'read', implies: ['admin'] }] }] },
      /^implies of read in resources\[0\].scopes: got 'admin'; needs scopes of the resource/,
    ],
    [
      'scopes',
      { resources: [{ ...RESOURCE, scopes: [{ name: 'a', implied: [] }] }] },
      /^resources\[0\].scopes.implied: got an option that/,
    ],
    [
      'scopes',
      { resources: [{ ...RESOURCE, scopes: [{ name: 'a' }, { name: 'a' }] }] },
      /^resources\[0\].scopes: got 'a' twice; needs scopes of different names/,
    ],
    [
      'scopes',
      { resources: [{ ...RESOURCE, scopes: [{ name: 'a', descriptions: { german_: 'x' } }] }] },
      /^descriptions of a in resources\[0\].scopes: got 'german_'; needs tags of languages/,
    ],
    [
      'scopes',
      { resources: [{ ...RESOURCE, scopes: [{ name: 'a', description: 5 }] }] },
      /^resources\[0\].scopes.description: got 5; needs what people read/,
    ],
    [
      'scopes',
      { resources: [{ ...RESOURCE, scopes: [{ name: 'a', default: 'yes' }] }] },
      /^resources\[0\].scopes.default: got 'yes'; needs true or false/,
    ],
    ['lifetimes', { lifetimes: 3600 }, /^lifetimes: got 3600; needs an object/],
    [
      'lifetimes',
      { lifetimes: { accesToken: 60 } },
      /^lifetimes.accesToken: got an option that .*; needs one of accessToken,/,
    ],
    ['lifetimes', { lifetimes: { grant: 60 } }, /^lifetimes.grant: .*; needs sessionMaxAge, in milliseconds/],
    [
      'lifetimes',
      { lifetimes: { accessToken: '1h' } },
      /^lifetimes.accessToken: got '1h'; needs a whole number, from 1 to 86400/,
    ],
    ['lifetimes', { lifetimes: { accessToken: 2_592_000 } }, /^lifetimes.accessToken: got 2592000; needs/],
    [
      'registration',
      { registration: { perAddress: 'many' } },
      /^registration.perAddress: got 'many'; needs a whole number/,
    ],
    ['registration', { registration: { inAll: 0 } }, /^registration.inAll: got 0; needs a whole number, at least 1/],
    [
      'registration',
      { registration: { sharedEgress: ['192.0.2.1'] } },
      /^registration.sharedEgress: got '192.*CIDR ranges/,
    ],
    [
      'registration',
      { registration: { privateUseSchemes: ['javascript'] } },
      /^registration.privateUseSchemes: got 'java/,
    ],
    ['registration', { registration: { limit: 5 } }, /^registration.limit: got an option that/],
    [
      'clientMetadata',
      { clientMetadata: { allowedHosts: 'claude.ai' } },
      /^clientMetadata.allowedHosts: .*; needs a list/,
    ],
    [
      'clientMetadata',
      { clientMetadata: { allowedHosts: [] } },
      /^clientMetadata.allowedHosts: got an empty list; needs/,
    ],
    [
      'clientMetadata',
      { clientMetadata: { deniedHosts: ['https://x.example'] } },
      /^clientMetadata.deniedHosts: got 'https/,
    ],
    [
      'clientMetadata',
      { clientMetadata: { internalHosts: ['*.corp'] } },
      /^clientMetadata.internalHosts: got '\*.corp'/,
    ],
    ['appearance', { appearance: 'dark' }, /^appearance: got 'dark'; needs an object/],
    ['appearance', { appearance: { title: 'x' } }, /^appearance.title: got an option that/],
    [
      'appearance',
      { appearance: { name: 'x'.repeat(61) } },
      /^appearance.name: got .*; needs a text of 1 to 60 characters/,
    ],
    [
      'a logo that is a path',
      { appearance: { name: 'x', logo: './logo.svg' } },
      /^appearance.logo: got '.\/logo.svg'; needs a data: URI/,
    ],
    [
      'a logo that is another image than it says',
      { appearance: { name: 'x', logo: LOGO.replace('svg+xml', 'png') } },
      /^appearance.logo: got 'data:image\/png/,
    ],
    [
      'a logo that is too large',
      { appearance: { name: 'x', logo: LOGO.replace('base64,', `base64,${'A'.repeat(48 * 1024)}`) } },
      /^appearance.logo: got 'data:.{0,40}'; needs .* at most 32 KiB/,
    ],
    [
      'a logo without words',
      { appearance: { logo: LOGO } },
      /^appearance.name: got nothing; needs the text alternative of appearance.logo/,
    ],
    ['appearance', { appearance: { supportUrl: 'javascript:alert(1)' } }, /^appearance.supportUrl: got 'java/],
    [
      'appearance',
      { appearance: { colors: { accent: '#ffcc00' } } },
      /^appearance.colors.accent: got .* with 1.5.*; needs a darker/,
    ],
    [
      'a colour that is reckoned',
      { appearance: { colors: { accent: '#7a1fa2', onAccent: '#000000' } } },
      /^appearance.colors.onAccent: got an option that .*; needs one of accent, accentDark/,
    ],
    [
      'appearance',
      { appearance: { words: { de: 'Hallo' } } },
      /^appearance.words: got an object; needs words by language/,
    ],
    [
      'appearance',
      { appearance: { words: { it: { allow: 'x' } } } },
      /^appearance.words.it: got none for: .*; needs all words/,
    ],
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

  it('takes what an identity provider is asked, which claims are copied, and how the pages look', () => {
    const more = {
      UPSTREAM_AUTH_PARAMS: '{"hd":"example.com","access_type":"offline"}',
      UPSTREAM_CLAIMS: '["email"]',
      APPEARANCE: '{"name":"Example Corp","colors":{"accent":"#7a1fa2"}}',
    };
    expect(problemsOf(() => serverFrom({ ...ENV, ...more }))).toEqual([]);
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
    [{ UPSTREAM_ALLOW: '["@example.com"]' }, /^UPSTREAM_ALLOW: got '@example.com' as a rule; needs a list of rules/],
    [{ UPSTREAM_ALLOW: 'null' }, /^UPSTREAM_ALLOW: got null; needs a list of rules/],
    [{ UPSTREAM_SCOPES: 'openid "email"' }, /^UPSTREAM_SCOPES: got '"email"'; needs scope tokens/],
    [{ UPSTREAM_AUTH_PARAMS: 'hd=example.com' }, /^UPSTREAM_AUTH_PARAMS: got what is no JSON; needs an object such as/],
    [{ UPSTREAM_AUTH_PARAMS: '["hd"]' }, /^UPSTREAM_AUTH_PARAMS: got a list of 1; needs an object of texts/],
    [{ UPSTREAM_AUTH_PARAMS: '{"max_age":60}' }, /^UPSTREAM_AUTH_PARAMS.max_age: got 60; needs a text/],
    [{ UPSTREAM_AUTH_PARAMS: '{"state":"x"}' }, /^UPSTREAM_AUTH_PARAMS: got 'state'; needs parameters that the/],
    [{ UPSTREAM_CLAIMS: '"email"' }, /^UPSTREAM_CLAIMS: got 'email'; needs a list/],
    [{ UPSTREAM_CLAIMS: '["sub"]' }, /^UPSTREAM_CLAIMS: got 'sub'; needs names of claims/],
    [{ APPEARANCE: 'Example Corp' }, /^APPEARANCE: got what is no JSON; needs an object such as/],
    [
      { APPEARANCE: '{"title":"x"}' },
      /^APPEARANCE.title: got an option that is not known here; needs one of name, logo/,
    ],
    [{ APPEARANCE: '{"colors":{"accent":"red"}}' }, /^APPEARANCE.colors.accent: got 'red'; needs a colour like/],
    [{ UPSTREAM_REDIRECT_URI: '/callback' }, /^UPSTREAM_REDIRECT_URI: got '\/callback'; needs a URL of this server/],
    [{ SESSION_SECRET_PREVIOUS: 'short' }, /^SESSION_SECRET: got 5 characters/],
    [{ SESSION_MAX_AGE_DAYS: '500' }, /^SESSION_MAX_AGE_DAYS: got 500; needs days, at most 400$/],
    [{ MCP_RESOURCES: 'https://a.example/mcp, b' }, /^MCP_RESOURCES\[1\].identifier: got 'b'/],
    [{ MCP_RESOURCES: '[{"identifier":"x"}]' }, /^MCP_RESOURCES\[0\].identifier: got 'x'/],
    [
      { MCP_RESOURCES: '[{"identifier":"https://a.example","scopes":[{"name":"a","implies":["b"]}]}]' },
      /^implies of a in MCP_RESOURCES\[0\].scopes: got 'b'; needs scopes of the resource/,
    ],
    [{ CORS_ORIGINS: 'https://a.example/x' }, /^CORS_ORIGINS: got 'https:/],
    [{ TRUSTED_PROXIES: '-1' }, /^TRUSTED_PROXIES: got -1/],
  ])('says what it needs, by the name of the variable: %j', (env, message) => {
    expect(problemsOf(() => serverFrom({ ...ENV, ...env }))).toEqual([expect.stringMatching(message)]);
  });
});
