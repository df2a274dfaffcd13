import { once } from 'node:events';
import { request } from 'node:http';
import KeyvRedis from '@keyv/redis';
import { DpopSession } from '@modelcontextprotocol/client';
import { McpServer as McpServer1 } from '@modelcontextprotocol/sdk/server/mcp.js';
import { StreamableHTTPServerTransport } from '@modelcontextprotocol/sdk/server/streamableHttp.js';
import { type Response as ExpressResponse, urlencoded } from 'express';
import { decodeJwt, UnsecuredJWT } from 'jose';
import { Keyv } from 'keyv';
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest';
import type { McpRequestHandler } from '../../hosts/mcp/setup-express';
import { requireScope } from '../../lambda/authorizer/bearer';
import { grantKey } from '../../lambda/provider/keys';
import { StoreUnavailable } from '../../lambda/store/store';
import { storeFor } from '../../stores/store-for';
import { McpApp } from '../e2e/mcp-app';
import { CLIENT_2, type OfficialSdk, SDK_1 } from '../e2e/official-sdks';
import { redisMissing, startRedis } from '../stores/redis-server';
import { noteNotRun } from '../support/not-run';
import { SOON } from '../support/soon';
import { type ExpressHost, type ExpressHostOptions, mountTools, startExpressHost } from './express-host';
import { Visitor } from './visitor';

if (redisMissing) noteNotRun(redisMissing);

const SCOPES = [
  { name: 'notes:read', description: 'Read your notes', default: true },
  { name: 'notes:write', description: 'Change your notes' },
];
const ADA = { sub: 'ada', name: 'Ada', email: 'ada@example.com', groups: ['staff'] };

/** More than a connection takes at once. */
const LARGE = 'x'.repeat(20_000_000);

const hosts: ExpressHost[] = [];
async function start(options: ExpressHostOptions = {}): Promise<ExpressHost> {
  const host = await startExpressHost({ scopesSupported: SCOPES, ...options });
  host.upstream.claims = ADA;
  hosts.push(host);
  return host;
}
afterEach(async () => {
  vi.restoreAllMocks();
  for (const host of hosts.splice(0)) await host[Symbol.asyncDispose]();
});

/** An app whose person has signed in. */
async function signedIn(host: ExpressHost, sdk: OfficialSdk = CLIENT_2, dpop?: DpopSession): Promise<McpApp> {
  const app = new McpApp(host.mcpUrl, new Visitor(), { sdk, dpop });
  await app.connect();
  return app;
}

/** Answers with what the handler knows. */
const mountEcho = ({ handleMcpRequest }: ExpressHost['express']) =>
  handleMcpRequest((req, res) => res.json({ user: req.user, scopes: req.auth?.scopes, body: req.body }));

const post = (host: ExpressHost, headers: Record<string, string>, body = '{}') =>
  fetch(host.mcpUrl, { method: 'POST', headers: { 'content-type': 'application/json', ...headers }, body });

describe.each([CLIENT_2, SDK_1])('$name', (sdk) => {
  it('signs in from a bare 401, with consent, calls tools, and refreshes', async () => {
    const host = await start({ name: 'Team notes', client: { extractCustomData: ({ groups }) => ({ groups }) } });
    const person = new Visitor();
    const app = new McpApp(host.mcpUrl, person, { sdk });
    await app.connect();
    const metadata = `${host.issuer}/.well-known/oauth-protected-resource/mcp`;
    expect(app.exchanges[0]).toMatchObject({
      status: 401,
      challenge: `Bearer scope="notes:read", resource_metadata="${metadata}"`,
    });
    expect(app.asked[0]).toBe(metadata);
    expect(person.consentPage).toContain('Read your notes');
    expect(person.consentPage).toContain('Team notes');

    const { extra, clientId, scopes, resource } = JSON.parse(await app.call('whoami'));
    const { sub } = decodeJwt(app.current!.access_token);
    expect({ clientId, scopes, resource }).toEqual({
      clientId: app.clientInformation()!.client_id,
      scopes: ['notes:read'],
      resource: host.mcpUrl,
    });
    expect(extra).toEqual({ sub, claims: expect.objectContaining(ADA), customData: { groups: ['staff'] } });

    const before = app.current!;
    app.current = { ...before, access_token: 'worn out' };
    expect(await app.call('whoami')).toContain('ada@example.com');
    expect(app.current.refresh_token).not.toBe(before.refresh_token);
    expect(app.authorizations).toHaveLength(1);
    await app.close();
  });
});

describe('a tool that needs more than its client has', () => {
  it('makes client 2.4 step up', async () => {
    const app = await signedIn(await start());
    expect(await app.call('write')).toContain('done');
    expect(app.authorizations).toHaveLength(2);
    expect(decodeJwt(app.current!.access_token).scope).toBe('notes:read notes:write');
    await app.close();
  });

  it('fails for sdk 1.32, which tries its refresh token, until the app asks for the scope', async () => {
    const app = await signedIn(await start(), SDK_1);
    await expect(app.call('write')).rejects.toThrow('403');
    await app.signInFor('notes:read notes:write');
    expect(await app.call('write')).toContain('done');
    await app.close();
  });
});

describe('the handler', () => {
  it('knows the person, by the name that the identity provider has for them too', async () => {
    const host = await start({ mount: mountEcho, client: { extractCustomData: () => ({ plan: 'pro' }) } });
    const token = await tokenFor(host);
    const response = await post(host, { authorization: `Bearer ${token}` }, '{"jsonrpc":"2.0"}');
    expect(await response.json()).toEqual({
      user: {
        accountId: decodeJwt(token).sub,
        userId: 'ada',
        claims: expect.objectContaining(ADA),
        customData: { plan: 'pro' },
      },
      scopes: ['notes:read'],
      body: { jsonrpc: '2.0' },
    });
  });

  it('may be that of an app on mcp-oidc-provider, with the transport of sdk 1.32', async () => {
    const host = await start({
      mount: ({ handleMcpRequest }) =>
        handleMcpRequest(async (req, res) => {
          if (!req.user) {
            res.status(401).json({ error: 'Unauthorized' });
            return;
          }
          const server = new McpServer1({ name: 'example', version: '1.0.0' }, { capabilities: { tools: {} } });
          server.registerTool('whoami', { description: 'Says who is calling' }, async () => ({
            content: [{ type: 'text', text: JSON.stringify({ user: req.user }) }],
          }));
          const transport = new StreamableHTTPServerTransport({
            sessionIdGenerator: undefined,
            enableJsonResponse: true,
          });
          res.on('close', () => {
            void transport.close();
            void server.close();
          });
          await server.connect(transport);
          await transport.handleRequest(req, res, req.body);
        }),
    });
    const app = await signedIn(host, SDK_1);
    expect(JSON.parse(await app.call('whoami'))).toMatchObject({ user: { userId: 'ada', claims: ADA } });
    await app.close();
  });

  it('gets every method, each with a token', async () => {
    const methods: string[] = [];
    const host = await start({
      mount: ({ handleMcpRequest }) =>
        handleMcpRequest((req, res) => {
          methods.push(`${req.method} ${req.user?.userId}`);
          res.end();
        }),
    });
    const authorization = `Bearer ${await tokenFor(host)}`;
    for (const method of ['GET', 'POST', 'DELETE', 'PUT']) {
      expect((await fetch(host.mcpUrl, { method })).status).toBe(401);
      expect((await fetch(host.mcpUrl, { method, headers: { authorization } })).status).toBe(200);
    }
    expect(methods).toEqual(['GET ada', 'POST ada', 'DELETE ada', 'PUT ada']);
  });

  it.each(['of this copy', 'of the copy in another bundle'])(
    'asks for a step-up by throwing what requireScope throws, %s',
    async (copy) => {
      if (copy !== 'of this copy') vi.resetModules();
      const bearer = await import('../../lambda/authorizer/bearer.js');
      expect(bearer.requireScope === requireScope).toBe(copy === 'of this copy');
      const handler: McpRequestHandler = (req) => bearer.requireScope(req.auth, 'notes:write');
      const host = await start({ mount: ({ handleMcpRequest }) => handleMcpRequest(handler) });
      const response = await post(host, { authorization: `Bearer ${await tokenFor(host)}` });
      expect(response.status).toBe(403);
      expect(response.headers.get('www-authenticate')).toBe(
        `Bearer error="insufficient_scope", scope="notes:read notes:write", resource_metadata="${host.issuer}/.well-known/oauth-protected-resource/mcp"`,
      );
      // Express answers an error that has a status with these too, and with a page that has its stack.
      expect(await response.json()).toMatchObject({ error: 'insufficient_scope' });
    },
  );

  it.each<[string, unknown]>([
    ['an error', new Error('the-secret of ada@example.com')],
    ['an error with a status', Object.assign(new Error('the-secret'), { status: 418, headers: { 'x-secret': '1' } })],
    ['what is no error', 'the-secret'],
    ['nothing', undefined],
  ])('that fails tells the client nothing of why, and the log: %s', async (_, thrown) => {
    const log = vi.spyOn(console, 'error').mockReturnValue();
    const host = await start({
      mount: ({ handleMcpRequest }) =>
        handleMcpRequest(async () => {
          throw thrown;
        }),
    });
    const response = await post(host, { authorization: `Bearer ${await tokenFor(host)}` });
    expect(response.status).toBe(500);
    expect([...response.headers.keys()]).not.toContain('x-secret');
    expect(await response.json()).toEqual({
      jsonrpc: '2.0',
      error: { code: -32603, message: 'Internal error' },
      id: null,
    });
    expect(log).toHaveBeenCalledOnce();
    const [line] = log.mock.calls[0]!;
    expect(JSON.parse(line)).toMatchObject({ level: 'ERROR', event: 'request.failed', path: '/mcp' });
    if (thrown !== undefined) expect(line).toContain('the-secret');
    if (thrown instanceof Error) expect(line).toContain('express-host.test.ts:');
    expect(line).not.toContain('ada@');
  });

  it.each([
    ['has begun its answer, ends it in the middle', (res: ExpressResponse) => res.write('{'), 'terminated'],
    ['has answered, has answered', (res: ExpressResponse) => res.end(LARGE), LARGE],
  ])('that fails when it %s', async (_, answer, expected) => {
    const log = vi.spyOn(console, 'error').mockReturnValue();
    const host = await start({
      mount: ({ handleMcpRequest }) =>
        handleMcpRequest((_req, res) => {
          answer(res);
          throw new Error('too late');
        }),
    });
    const response = await post(host, { authorization: `Bearer ${await tokenFor(host)}` });
    expect(response.status).toBe(200);
    const received = await response.text().catch((error: Error) => error.message);
    // Not shown letter by letter.
    expect(received === expected).toBe(true);
    expect(log.mock.calls.join()).toContain('too late');
  });

  it('gets no body that is no JSON', async () => {
    const handler = vi.fn();
    const host = await start({ mount: ({ handleMcpRequest }) => handleMcpRequest(handler) });
    const authorization = `Bearer ${await tokenFor(host)}`;
    const broken = await post(host, { authorization }, '{');
    expect(broken.status).toBe(400);
    expect(await broken.json()).toMatchObject({ jsonrpc: '2.0', error: { code: -32700 }, id: null });
    const large = await post(host, { authorization }, JSON.stringify('x'.repeat(5 * 1024 * 1024)));
    expect(large.status).toBe(413);
    expect(handler).not.toHaveBeenCalled();
  });

  it('is mounted once', async () => {
    const host = await start();
    expect(() => mountTools(host.express)).toThrow('already');
  });
});

describe('a call is refused with 401 and the way to another token, where it has', () => {
  let host: ExpressHost;
  let token: string;
  let idToken: string;
  let elsewhere: string;
  beforeAll(async () => {
    host = await startExpressHost({
      scopesSupported: SCOPES,
      resources: [{ identifier: 'https://other.example.com/mcp', scopes: SCOPES }],
    });
    host.upstream.claims = ADA;
    token = await tokenFor(host);
    ({ id_token: idToken } = await tokensFor(host, { scope: 'openid notes:read' }));
    ({ access_token: elsewhere } = await tokensFor(host, { resource: 'https://other.example.com/mcp' }));
  });
  afterAll(() => host[Symbol.asyncDispose]());
  afterEach(() => vi.useRealTimers());

  const refused = async (response: Response) => {
    expect(response.status).toBe(401);
    expect(response.headers.get('www-authenticate')).toMatch(
      /^Bearer (error="invalid_token", error_description="[^"]+", )?scope="notes:read", resource_metadata="[^"]+"$/,
    );
    expect(await response.json()).toMatchObject({ error: 'invalid_token' });
  };

  it.each<[string, () => string | undefined]>([
    ['no token', () => undefined],
    ['a token of another resource', () => `Bearer ${elsewhere}`],
    ['an ID token', () => `Bearer ${idToken}`],
    ['a token that is not signed', () => `Bearer ${new UnsecuredJWT(decodeJwt(token)).encode()}`],
    ['a token whose signature is another', () => `Bearer ${token.slice(0, -4)}AAAA`],
    ['two tokens in one header', () => `Bearer ${token}, Bearer ${token}`],
    ['the token under another scheme', () => `DPoP ${token}`],
    ['the token as a password', () => `Basic ${btoa(`x:${token}`)}`],
  ])('%s', async (_, authorization) => {
    const value = authorization();
    await refused(await post(host, value === undefined ? {} : { authorization: value }));
  });

  it('two Authorization headers', async () => {
    for (const authorization of [
      [`Bearer ${token}`, `Bearer ${token}`],
      ['Bearer x', `Bearer ${token}`],
      [`Bearer ${token}`, 'Basic eDp5'],
    ]) {
      const sent = request(host.mcpUrl, { method: 'POST', headers: { authorization } as never });
      sent.end();
      const [response] = await once(sent, 'response');
      expect(response.statusCode).toBe(401);
      response.resume();
    }
  });

  it('the token in the query or in a cookie', async () => {
    await refused(await fetch(`${host.mcpUrl}?access_token=${token}`, { method: 'POST' }));
    await refused(await post(host, { cookie: `access_token=${token}` }));
  });

  it('a token that has expired', async () => {
    expect((await post(host, { authorization: `Bearer ${token}` })).status).not.toBe(401);
    vi.useFakeTimers({ toFake: ['Date'], now: Date.now() + 3_601_000 });
    await refused(await post(host, { authorization: `Bearer ${token}` }));
  });
});

describe('a token', () => {
  it('is over with its grant, at once', async () => {
    const keyv = new Keyv();
    const host = await start({ store: keyv, mount: mountEcho });
    const tokens = await tokensFor(host);
    const authorization = `Bearer ${tokens.access_token}`;
    expect((await post(host, { authorization })).status).toBe(200);
    await fetch(`${host.issuer}/revoke`, {
      method: 'POST',
      body: new URLSearchParams({ token: tokens.refresh_token, client_id: tokens.client_id }),
    });
    const grantId = tokens.refresh_token.split('.')[0]!;
    expect(await storeFor(keyv).read([grantKey(grantId)])).toEqual([undefined]);
    expect((await post(host, { authorization })).status).toBe(401);
  });

  it('is no invalid one while the store is down', async () => {
    const keyv = new Keyv();
    const host = await start({ store: keyv, mount: mountEcho });
    const authorization = `Bearer ${await tokenFor(host)}`;
    vi.spyOn(storeFor(keyv), 'read').mockRejectedValue(new StoreUnavailable('gone'));
    const response = await post(host, { authorization });
    expect(response.status).toBe(503);
    expect(response.headers.get('retry-after')).toBe('5');
    expect(response.headers.get('www-authenticate')).toBeNull();
  });

  it('without a scope that every call needs is asked for it', async () => {
    const host = await start({ mount: mountEcho });
    const { access_token } = await tokensFor(host, { scope: 'notes:write' });
    const response = await post(host, { authorization: `Bearer ${access_token}` });
    expect(response.status).toBe(403);
    expect(response.headers.get('www-authenticate')).toMatch(
      /^Bearer error="insufficient_scope", scope="notes:write notes:read", /,
    );
  });

  it('may be bound to a key, where that is switched on, and is worth nothing without it', async () => {
    const host = await start({ dpop: true });
    const app = await signedIn(host, CLIENT_2, await DpopSession.create());
    expect(app.exchanges[0]!.challenge).toMatch(/, DPoP algs="ES256 EdDSA RS256 PS256"$/);
    expect(await app.call('whoami')).toContain('ada@example.com');
    for (const [scheme, error] of [
      ['Bearer', 'invalid_token'],
      ['DPoP', 'invalid_dpop_proof'],
    ]) {
      const response = await post(host, { authorization: `${scheme} ${app.current!.access_token}` });
      expect(response.status, scheme).toBe(401);
      expect(response.headers.get('www-authenticate')).toContain(`${scheme} error="${error}"`);
    }
    await app.close();
  });
});

describe('browsers', () => {
  it('may ask from every origin, without credentials, and read why they were refused', async () => {
    const host = await start();
    const origin = 'https://app.example.com';
    const preflight = await fetch(host.mcpUrl, {
      method: 'OPTIONS',
      headers: { origin, 'access-control-request-method': 'POST' },
    });
    expect(preflight.status).toBe(204);
    expect(preflight.headers.get('access-control-allow-origin')).toBe('*');
    expect(preflight.headers.get('access-control-allow-credentials')).toBeNull();
    const response = await post(host, { origin });
    expect(response.status).toBe(401);
    expect(response.headers.get('access-control-allow-origin')).toBe('*');
    expect(response.headers.get('access-control-expose-headers')).toContain('WWW-Authenticate');
  });
});

describe('the app', () => {
  it('tells where to sign in for this MCP server, and for no other', async () => {
    const host = await start();
    for (const path of ['/.well-known/oauth-protected-resource/mcp', '/.well-known/oauth-protected-resource']) {
      expect(await (await fetch(host.issuer + path)).json()).toEqual({
        resource: host.mcpUrl,
        authorization_servers: [host.issuer],
        scopes_supported: ['notes:read'],
        bearer_methods_supported: ['header'],
      });
      for (const [method, status] of [
        ['OPTIONS', 204],
        ['POST', 405],
      ] as const) {
        const response = await fetch(host.issuer + path, { method });
        expect([response.status, response.headers.get('allow')]).toEqual([status, 'GET, HEAD, OPTIONS']);
      }
    }
    for (const path of ['oauth-protected-resource/other', 'oauth-authorization-server/mcp']) {
      expect((await fetch(`${host.issuer}/.well-known/${path}`)).status).toBe(404);
    }
  });

  it('tells what the MCP server is called, where it has a name', async () => {
    const host = await start({ name: 'Notes' });
    const response = await fetch(`${host.issuer}/.well-known/oauth-protected-resource`);
    expect(await response.json()).toMatchObject({ resource: host.mcpUrl, resource_name: 'Notes' });
  });

  it.each([
    ['/jwks', 200],
    ['/authorize?client_id=none', 400],
    ['/.well-known/oauth-protected-resource', 200],
    ['/mcp', 401],
    ['/health', 200],
    ['/nothing', 404],
  ])('answers a request whose target is a whole URL, whichever host that names: %s', async (address, expected) => {
    const host = await start();
    const sent = request(host.issuer, { path: `http://other.example${address}`, agent: false }).end();
    const [response] = await once(sent, 'response');
    expect(response.statusCode).toBe(expected);
    response.resume();
  });

  it('takes further routes, also for its root, and says that it runs', async () => {
    const host = await start();
    host.express.app.get('/', (_req, res) => res.send('Welcome'));
    expect(await (await fetch(host.issuer)).text()).toBe('Welcome');
    expect(await (await fetch(`${host.issuer}/health`)).json()).toMatchObject({ status: 'ok' });
    expect((await fetch(`${host.issuer}/nothing`)).status).toBe(404);
  });

  it('lets middleware see every request', async () => {
    const seen: string[] = [];
    const host = await start({
      customMiddleware: [
        (req, _res, next) => {
          seen.push(req.path);
          next();
        },
      ],
    });
    await fetch(`${host.issuer}/jwks`);
    await post(host, {});
    expect(seen).toEqual(['/jwks', '/mcp']);
  });

  it('lets middleware set cookies of its own, beside those of a sign-in', async () => {
    const host = await start({
      customMiddleware: [
        (req, res, next) => {
          // With the answer that sets those of the sign-in, too.
          if (req.path === '/authorize') res.cookie('lang', 'de');
          next();
        },
      ],
    });
    const person = new Visitor();
    const app = new McpApp(host.mcpUrl, person);
    await app.connect();
    expect(person.browser.cookieHeader(new URL(host.issuer))).toContain('lang=de');
    await app.close();
  });

  it('has its MCP endpoint where nothing else is, also at its root', async () => {
    const host = await start({ mcpEndpointPath: '/' });
    expect((await post(host, {})).headers.get('www-authenticate')).toContain(`${host.issuer}/.well-known/`);
  });

  it('says in the log where middleware has read what was for the authorization server', async () => {
    const log = vi.spyOn(console, 'error').mockReturnValue();
    const host = await start({ customMiddleware: [urlencoded({ extended: true })] });
    const response = await fetch(`${host.issuer}/token`, {
      method: 'POST',
      body: new URLSearchParams({ grant_type: 'refresh_token' }),
    });
    expect(response.status).toBe(500);
    expect(await response.json()).toEqual({ error: 'server_error' });
    expect(log.mock.calls.flat().join()).toContain('before every parser of bodies');
  });

  it('is what a request means that names no resource', async () => {
    const host = await start({ resources: [{ identifier: 'https://other.example.com/mcp' }] });
    const { access_token } = await tokensFor(host, { resource: undefined });
    expect(decodeJwt(access_token).aud).toBe(host.mcpUrl);
  });

  it('goes on where the store was down when it started', async () => {
    const keyv = new Keyv();
    const store = storeFor(keyv);
    const list = vi.spyOn(store, 'list').mockRejectedValue(new StoreUnavailable('gone'));
    const host = await start({ store: keyv });
    expect((await fetch(`${host.issuer}/jwks`)).status).toBe(503);
    list.mockRestore();
    await expect(tokenFor(host)).resolves.toBeTruthy();
  });
});

describe.skipIf(redisMissing !== undefined)('the app on a Keyv whose database does not answer', () => {
  it('says so at its start, answers 503, and goes on once it does', async () => {
    const logged = vi.spyOn(console, 'error').mockReturnValue();
    const server = await startRedis();
    await server.process.stop();
    const adapter = new KeyvRedis(server.url);
    const host = await start({ store: new Keyv({ store: adapter }), mount: mountEcho });
    await vi.waitFor(() => expect(String(logged.mock.calls)).toContain('server.not_ready'), SOON);
    await server.process.start();
    await vi.waitFor(async () => expect((await fetch(`${host.issuer}/jwks`)).status).toBe(200), SOON);
    const authorization = `Bearer ${await tokenFor(host)}`;
    expect((await post(host, { authorization })).status).toBe(200);
    await server.process.stop();
    const response = await post(host, { authorization });
    expect([response.status, response.headers.get('retry-after')]).toEqual([503, '5']);
    await adapter.disconnect(true);
  });
});

describe('a setting that is wrong', () => {
  const right = { baseUrl: 'http://localhost:3000', isProduction: true, jwks: 'store' as const };
  const other = { identifier: 'https://other.example.com/mcp' };
  const redirectTo = (path: string): ExpressHostOptions => ({ client: { redirectUri: right.baseUrl + path } });
  it.each<[string, ExpressHostOptions]>([
    ['mcpEndpointPath', { mcpEndpointPath: 'mcp' }],
    ["mcpEndpointPath: got '/token'; needs a path that is for nothing else", { mcpEndpointPath: '/token' }],
    ["mcpEndpointPath: got '/JWKS'; needs a path that is for nothing else", { mcpEndpointPath: '/JWKS' }],
    ['mcpEndpointPath', { mcpEndpointPath: '/interaction/mcp' }],
    ['mcpEndpointPath', { mcpEndpointPath: '/.well-known/oauth-protected-resource' }],
    ['mcpEndpointPath', { mcpEndpointPath: '/health' }],
    ["/mcp'; needs another URL than that of the MCP endpoint, 'http://localhost:3000/mcp'", redirectTo('/mcp')],
    ["/MCP/'; needs another URL than that of the MCP endpoint, 'http://localhost:3000/mcp'", redirectTo('/MCP/')],
    ['scopesSupported', { scopesSupported: ['two words'] }],
    ['scopesSupported', { scopesSupported: 'read write' as never }],
    ['baseUrl', { baseUrl: undefined as never }],
    ['allow: got an option that is not known here', { allow: [] } as never],
    ['idpClient.scope: got an option that is not known here', { client: { scope: 'openid' } } as never],
    ['name: got nothing', { name: ' '.trim() }],
    ['upstreamTokens', { upstreamTokens: 'no' as never }],
    ['customMiddleware', { customMiddleware: [{}] as never }],
    ['resources[0].scope:', { resources: [{ ...other, scope: 'x' } as never] }],
    ['resources[0].identifier', { resources: [{ identifier: 'http://localhost:3000/mcp/' }] }],
    ['resources: got', { resources: other as never }],
    ['secret', { secret: 'short' }],
    ['baseUrl', { baseUrl: 'mcp.example.com' }],
    ['jwks', { jwks: undefined }],
    ['store: got the memory', {}],
  ])('is named at the start: %s', async (name, wrong) => {
    await expect(startExpressHost({ ...right, ...wrong })).rejects.toThrow(name);
  });
});

async function tokenFor(host: ExpressHost): Promise<string> {
  return (await tokensFor(host)).access_token;
}

/** What a client gets that asks for something of its own. */
async function tokensFor(host: ExpressHost, params: { scope?: string; resource?: string | undefined } = {}) {
  const redirectUri = 'https://client.example.com/callback';
  const registration = await fetch(`${host.issuer}/register`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ client_name: 'Test', redirect_uris: [redirectUri], token_endpoint_auth_method: 'none' }),
  });
  const { client_id } = (await registration.json()) as { client_id: string };
  const url = new URL('/authorize', host.issuer);
  const verifier = 'v'.repeat(43);
  const challenge = Buffer.from(await crypto.subtle.digest('SHA-256', new TextEncoder().encode(verifier))).toString(
    'base64url',
  );
  url.search = new URLSearchParams({
    response_type: 'code',
    client_id,
    redirect_uri: redirectUri,
    code_challenge: challenge,
    code_challenge_method: 'S256',
    ...definedOf({ resource: host.mcpUrl, ...params }),
  }).toString();
  const answer = await new Visitor().authorize(url, redirectUri);
  const response = await fetch(`${host.issuer}/token`, {
    method: 'POST',
    body: new URLSearchParams({
      grant_type: 'authorization_code',
      client_id,
      code: answer.get('code') ?? '',
      code_verifier: verifier,
      redirect_uri: redirectUri,
    }),
  });
  return { client_id, ...((await response.json()) as Record<'access_token' | 'id_token' | 'refresh_token', string>) };
}

function definedOf(params: Record<string, string | undefined>): Record<string, string> {
  return Object.fromEntries(
    Object.entries(params).filter((entry): entry is [string, string] => entry[1] !== undefined),
  );
}
