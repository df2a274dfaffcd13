import { once } from 'node:events';
import { mkdtemp } from 'node:fs/promises';
import { Agent, type ClientRequest, request as httpRequest, type IncomingMessage, type Server } from 'node:http';
import { type AddressInfo, connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { decodeJwt, decodeProtectedHeader } from 'jose';
import { Keyv } from 'keyv';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { OidcClient, type OidcClientConfig } from '../../hosts/oidc-client';
import { registerResource } from '../../hosts/register-resource';
import { createOidcServer, type OidcServer, type OidcServerOptions } from '../../hosts/standalone';
import { makeJwk } from '../../lambda/key-set/make-key-set';
import { grantIdOf, grantKey, hash } from '../../lambda/provider/keys';
import type { PersonalGrant } from '../../lambda/provider/personal-grant';
import { MemoryStore } from '../../stores/memory-store';
import { McpApp } from '../e2e/mcp-app';
import { atHalfPast } from '../lambda/provider/harness';
import { Browser } from '../support/browser';
import { freePort } from '../support/free-port';
import { SOON } from '../support/soon';
import { startUpstreamIssuer, type UpstreamIssuer } from '../support/upstream-issuer';
import { type ResourceServer, startResourceServer } from './resource-server';
import { Visitor } from './visitor';

let upstream: UpstreamIssuer;
beforeAll(async () => {
  upstream = await startUpstreamIssuer();
});
afterAll(() => upstream[Symbol.asyncDispose]());

const running: (OidcServer | ResourceServer)[] = [];
afterEach(async () => {
  vi.useRealTimers();
  vi.restoreAllMocks();
  delete upstream.failure;
  for (const one of running.splice(0)) await ('stop' in one ? one.stop() : one[Symbol.asyncDispose]());
});

interface Started {
  readonly server: OidcServer;
  readonly listener: Server;
  readonly baseUrl: string;
  readonly port: number;
}

async function start(
  options: Partial<OidcServerOptions> = {},
  client: Partial<OidcClientConfig> = {},
): Promise<Started> {
  const server = await create(options, client);
  const listener = await server.start();
  return { server, listener, baseUrl: server.baseUrl, port: (listener.address() as AddressInfo).port };
}

/** One that does not run yet. */
async function create(
  options: Partial<OidcServerOptions> = {},
  client: Partial<OidcClientConfig> = {},
): Promise<OidcServer> {
  const { port = await freePort() } = options;
  const { baseUrl = `http://localhost:${port}` } = options;
  const server = createOidcServer({
    idpClient: new OidcClient({
      issuer: upstream.issuer,
      clientId: 'mcp',
      clientSecret: 'secret',
      redirectUri: `${baseUrl}/oauth/callback`,
      ...client,
    }),
    store: new Keyv(),
    secret: 'a secret of thirty-two characters',
    ...options,
    baseUrl,
    port,
  });
  running.push(server);
  return server;
}

/** A server, an MCP server that it protects, and an app by which somebody has signed in there. */
async function signedIn(options: Partial<OidcServerOptions> = {}, client: Partial<OidcClientConfig> = {}) {
  const port = await freePort();
  const baseUrl = `http://localhost:${port}`;
  const mcp = await startResourceServer(baseUrl);
  running.push(mcp);
  const resources = [{ identifier: mcp.mcpUrl }];
  const started = await start({ ...options, baseUrl, port, resources }, client);
  const app = new McpApp(mcp.mcpUrl, new Visitor());
  await app.connect();
  return { ...started, resources, app };
}

const register = (baseUrl: string, headers: Record<string, string> = {}, name = crypto.randomUUID()) =>
  fetch(`${baseUrl}/register`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...headers },
    body: JSON.stringify({
      client_name: name,
      redirect_uris: ['https://app.example.com/cb'],
      token_endpoint_auth_method: 'none',
    }),
  });

/** A request whose body comes when the test sends it. */
function open(port: number, path: string, headers: Record<string, string | number> = {}): ClientRequest {
  const agent = new Agent({ keepAlive: true });
  const request = httpRequest({ host: '127.0.0.1', port, path, method: 'POST', headers, agent });
  request.flushHeaders();
  return request;
}

async function statusOf(request: ClientRequest): Promise<number | undefined> {
  const [response] = (await once(request, 'response')) as [IncomingMessage];
  response.resume();
  return response.statusCode;
}

describe('whether the server is up', () => {
  it('is told by /health, and whether it can work by /ready', async () => {
    upstream.failure = 503;
    const { baseUrl } = await start();
    const [health, before] = [await fetch(`${baseUrl}/health`), await fetch(`${baseUrl}/ready`)];
    expect([health.status, await health.json()]).toEqual([200, { status: 'ok' }]);
    const parts = { store: 'ok', keys: 'ok' };
    expect([before.status, await before.json()]).toEqual([
      503,
      { status: 'not ready', ...parts, upstream: 'unavailable' },
    ]);
    delete upstream.failure;
    const after = await fetch(`${baseUrl}/ready`);
    expect([after.status, await after.json()]).toEqual([200, { status: 'ready', ...parts, upstream: 'ok' }]);
    // Found once, it is not this server's trouble.
    upstream.failure = 503;
    expect((await fetch(`${baseUrl}/ready`)).status).toBe(200);
  });

  it('is no while the store does not answer, and why is in the log alone', async () => {
    const { baseUrl } = await start();
    await fetch(`${baseUrl}/ready`);
    const logged = vi.spyOn(console, 'error').mockImplementation(() => {});
    vi.spyOn(MemoryStore.prototype, 'list').mockRejectedValue(new Error('db.internal refused'));
    // What is known of resources serves for a second.
    vi.useFakeTimers({ toFake: ['Date'], now: Date.now() + 2_000 });
    const response = await fetch(`${baseUrl}/ready`);
    expect(response.status).toBe(503);
    const text = await response.text();
    expect(JSON.parse(text)).toMatchObject({ store: 'unavailable', upstream: 'ok' });
    expect(text).not.toContain('db.internal');
    expect(logged.mock.calls.join()).toContain('db.internal');
  });
});

describe('the server on its port', () => {
  it('answers its own routes with their own methods, and nothing else', async () => {
    const { baseUrl } = await start();
    expect((await fetch(`${baseUrl}/`)).status).toBe(200);
    expect((await fetch(`${baseUrl}/admin`)).status).toBe(404);
    expect((await fetch(`${baseUrl}/callback`)).status).toBe(404);
    const wrong = await fetch(`${baseUrl}/token`);
    expect([wrong.status, wrong.headers.get('allow')]).toEqual([405, 'POST, OPTIONS']);
    expect((await fetch(`${baseUrl}/jwks`, { method: 'HEAD' })).status).toBe(200);
  });

  it.each([
    ['/', 200],
    ['/jwks', 200],
    ['/jwks?a=http://b/c', 200],
    ['?a', 200],
    ['', 200],
    ['/health', 200],
    ['/ready', 200],
    ['/authorize?client_id=none', 400],
    ['/admin', 404],
  ])('answers a request whose target is a whole URL, whichever host that names: %s', async (address, expected) => {
    const { port } = await start();
    for (const origin of ['http://other.example', 'HTTPS://other.example:1']) {
      const path = `${origin}${address}`;
      expect(await statusOf(httpRequest({ host: '127.0.0.1', port, path, agent: false }).end())).toBe(expected);
    }
  });

  it('answers a person who comes back during an outage with a page', async () => {
    const { baseUrl } = await start();
    const logged = vi.spyOn(console, 'error').mockImplementation(() => {});
    vi.spyOn(MemoryStore.prototype, 'read').mockRejectedValue(new Error('db.internal refused'));
    const [uid, secret] = ['abc', `${'s'.repeat(43)}.${'c'.repeat(43)}`];
    const answer = await fetch(`${baseUrl}/oauth/callback?state=${hash(uid).slice(0, 16)}.x&code=y`, {
      headers: { cookie: `__Host-mcp-${uid}=${secret}` },
    });
    expect([answer.status, answer.headers.get('content-type')]).toEqual([500, 'text/html; charset=utf-8']);
    expect(await answer.text()).not.toContain('db.internal');
    expect(logged.mock.calls.join()).toContain('db.internal');
  });

  it('tells where it listens, where any port is right', async () => {
    const heard: string[] = [];
    const { listener, baseUrl } = await start({ port: 0, onListen: (url) => heard.push(url) });
    const { port } = listener.address() as AddressInfo;
    expect((await fetch(`http://localhost:${port}/health`)).status).toBe(200);
    expect(heard).toEqual([baseUrl]);
  });

  it('says so where the port is taken, and leaves nothing behind', async () => {
    const { port } = await start();
    await expect(start({ port })).rejects.toMatchObject({ code: 'EADDRINUSE' });
  });

  it.each([
    ['a length', (request: ClientRequest) => request.setHeader('content-length', 10_000_000)],
    ['no length', (request: ClientRequest) => request.setHeader('transfer-encoding', 'chunked')],
  ])('reads no body without end, with %s', async (_, prepare) => {
    const { port, baseUrl } = await start();
    const request = httpRequest({ host: '127.0.0.1', port, path: '/register', method: 'POST', agent: false });
    prepare(request);
    request.on('error', () => {});
    let sent = 0;
    const write = () => {
      while (!request.destroyed && sent < 10_000_000) {
        sent += 65_536;
        if (!request.write(Buffer.alloc(65_536))) return request.once('drain', write);
      }
    };
    write();
    expect(await statusOf(request)).toBe(413);
    request.destroy();
    expect((await fetch(`${baseUrl}/health`)).status).toBe(200);
  });

  it.each([
    ['headers', 'GET /jwks HTTP/1.1\r\nHost: a\r\n'],
    ['a body', 'POST /token HTTP/1.1\r\nHost: a\r\nContent-Length: 100\r\n\r\n'],
  ])('ends a request soon after the time that it has to arrive: %s', async (_, begun) => {
    const { port, listener } = await start();
    expect(listener).toMatchObject({ headersTimeout: 10_000, requestTimeout: 30_000 });
    Object.assign(listener, { headersTimeout: 1, requestTimeout: 1 });
    const socket = connect(port, '127.0.0.1');
    socket.write(begun);
    const [answer] = await once(socket, 'data', { signal: AbortSignal.timeout(SOON.timeout) });
    expect(String(answer)).toMatch(/^HTTP\/1.1 408 /);
    socket.destroy();
  });

  it('does not mind who goes away in the middle of a request', async () => {
    const logged = vi.spyOn(console, 'error').mockImplementation(() => {});
    const { port, baseUrl } = await start();
    const socket = connect(port, '127.0.0.1');
    socket.write('POST /token HTTP/1.1\r\nHost: a\r\nContent-Length: 100\r\n\r\ngrant_type=');
    await once(socket, 'ready');
    socket.resetAndDestroy();
    await once(socket, 'close');
    expect((await fetch(`${baseUrl}/health`)).status).toBe(200);
    expect(logged).not.toHaveBeenCalled();
  });
});

describe('the address of a client', () => {
  beforeEach(atHalfPast);
  const limit = { registration: { perAddress: 1 } };
  const from = (forwarded: string) => ({ 'x-forwarded-for': forwarded });

  it('is not what it says of itself', async () => {
    const { baseUrl } = await start(limit);
    expect((await register(baseUrl, from('198.51.100.1'))).status).toBe(201);
    expect((await register(baseUrl, from('198.51.100.2'))).status).toBe(429);
  });

  it('is what the one proxy says, and nothing that was there before', async () => {
    const { baseUrl } = await start({ ...limit, trustedProxies: 1 });
    expect((await register(baseUrl, from('192.0.2.1, 198.51.100.1'))).status).toBe(201);
    expect((await register(baseUrl, from('192.0.2.2, 198.51.100.1'))).status).toBe(429);
    expect((await register(baseUrl, from('192.0.2.1, 198.51.100.2'))).status).toBe(201);
  });

  it.each([
    ['198.51.100.1:5001', '198.51.100.1:5002'],
    ['[2001:db8::1]:5001', '[2001:db8::1]'],
  ])('is the same from another port, where the proxy says ports too: %s', async (one, other) => {
    const { baseUrl } = await start({ ...limit, trustedProxies: 1 });
    expect((await register(baseUrl, from(one))).status).toBe(201);
    expect((await register(baseUrl, from(other))).status).toBe(429);
  });

  it('is what the outermost of two proxies says', async () => {
    const { baseUrl } = await start({ ...limit, trustedProxies: 2 });
    expect((await register(baseUrl, from('192.0.2.1, 198.51.100.1, 10.0.0.1'))).status).toBe(201);
    expect((await register(baseUrl, from('192.0.2.2, 198.51.100.1, 10.0.0.2'))).status).toBe(429);
  });
});

describe('an MCP server that is named in the options and registers itself', () => {
  it('is one resource, as the options have it, and is meant by a request that names none', async () => {
    const identifier = 'https://mcp.example.com/mcp';
    const store = new MemoryStore();
    await registerResource(store, { identifier, name: 'As it registered' });
    const { baseUrl } = await start({ store, resources: [{ identifier, name: 'As the options say' }] });
    const { client_id } = (await (await register(baseUrl)).json()) as { client_id: string };
    const url = new URL('/authorize', baseUrl);
    url.search = new URLSearchParams({
      response_type: 'code',
      client_id,
      redirect_uri: 'https://app.example.com/cb',
      code_challenge: 'c'.repeat(43),
      code_challenge_method: 'S256',
    }).toString();
    const { text } = await new Browser().open(url);
    expect(text).toContain('As the options say');
    expect(text).toContain(identifier);
  });
});

describe('who may sign in', () => {
  it.each([
    ['everyone, which the log says', {}, 1],
    ['everyone, where there is no rule', { allow: [] }, 1],
    ['whom a rule lets in', { allow: [{ claim: 'email', values: ['@example.com'] }] }, 0],
  ])('is %s', async (_, client, times) => {
    const logged = vi.spyOn(console, 'log').mockImplementation(() => {});
    await start({}, client);
    const events = logged.mock.calls.map(([line]) => JSON.parse(line));
    const warnings = events.filter(({ event }) => event === 'upstream.everyone_may_sign_in');
    expect(warnings).toHaveLength(times);
    for (const warning of warnings) expect(warning.message).toContain('everyone on earth');
  });
});

describe('a server that stops', () => {
  it('answers what is under way, takes nothing new, and keeps no idle connection', async () => {
    const { server, port, baseUrl, listener } = await start();
    await fetch(`${baseUrl}/health`);
    const body = 'grant_type=refresh_token';
    const type = 'application/x-www-form-urlencoded';
    const request = open(port, '/token', { 'content-length': body.length, 'content-type': type });
    await vi.waitFor(async () => expect(await connectionsOf(listener)).toBe(2), SOON);
    // So that nothing is ended for having taken too long.
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
    const stopped = server.stop();
    await expect(fetch(`${baseUrl}/health`)).rejects.toThrow();
    request.end(body);
    expect(await statusOf(request)).toBe(400);
    await stopped;
  });

  it('does not wait without end for what never ends', async () => {
    const { server, port, listener } = await start();
    const request = open(port, '/token', { 'content-length': 100 });
    const gone = once(request, 'error');
    await vi.waitFor(async () => expect(await connectionsOf(listener)).toBe(1), SOON);
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
    const stopped = server.stop();
    vi.advanceTimersByTime(9_999);
    expect(await connectionsOf(listener)).toBe(1);
    vi.advanceTimersByTime(1);
    await stopped;
    await gone;
  });

  const connectionsOf = (listener: Server) =>
    new Promise<number>((resolve) => listener.getConnections((_, count) => resolve(count)));
});

describe.each(['memory', 'sqlite'])('start and stop, on %s', (database) => {
  const temporary = () => mkdtemp(join(tmpdir(), 'standalone-'));
  const storeUrl = async () => (database === 'memory' ? 'memory:' : `sqlite:${join(await temporary(), 'auth.db')}`);
  const statusAt = ({ baseUrl }: OidcServer) =>
    fetch(`${baseUrl}/ready`).then(
      ({ status }) => status,
      () => 'not there',
    );

  it('stop as often as somebody asks for it, and once', async () => {
    const log = vi.spyOn(console, 'log').mockReturnValue();
    const server = await create({ store: await storeUrl() });
    await server.stop();
    await server.start();
    await Promise.all([server.stop(), server.stop()]);
    await server.stop();
    expect(await statusAt(server)).toBe('not there');
    expect(log.mock.calls.filter(([line]) => line.includes('server.stopped'))).toHaveLength(1);
  });

  it('stop one that is about to start', async () => {
    const server = await create({ store: await storeUrl() });
    const started = server.start();
    await server.stop();
    expect(await statusAt(server)).toBe('not there');
    expect((await started).listening).toBe(false);
  });

  it('start again once it has stopped, and not before', async () => {
    const server = await create({ store: await storeUrl() });
    const started = server.start();
    await expect(server.start()).rejects.toThrow('started already');
    await started;
    await expect(server.start()).rejects.toThrow('started already');
    expect(await statusAt(server)).toBe(200);
    const stopped = server.stop();
    await expect(server.start()).rejects.toThrow('once stop() has resolved');
    await stopped;
    await server.start();
    expect(await statusAt(server)).toBe(200);
  });

  it('start again where the first has failed, and stop one that fails', async () => {
    const { server: first, port } = await start();
    const server = await create({ store: await storeUrl(), port });
    await expect(server.start()).rejects.toMatchObject({ code: 'EADDRINUSE' });
    const [started, stopped] = await Promise.allSettled([server.start(), server.stop()]);
    expect([started.status, stopped.status]).toEqual(['rejected', 'fulfilled']);
    await first.stop();
    await server.start();
    expect(await statusAt(server)).toBe(200);
  });

  it('leave nothing behind where onListen fails', async () => {
    const onListen = () => {
      throw new Error('of the app');
    };
    const server = await create({ store: await storeUrl(), onListen });
    await expect(server.start()).rejects.toThrow('of the app');
    expect(await statusAt(server)).toBe('not there');
  });
});

it('a store that cannot be opened is a setting that is wrong, and why is said', async () => {
  await expect(start({ store: 'sqlite:/nowhere/records.db' })).rejects.toThrow(
    /- store: got a URL of sqlite:; needs one of a store that can be opened\. SQLite cannot open the file \/nowhere\/records\.db: unable/,
  );
});

describe('what a person’s grant remembers for an MCP server that shares the store', () => {
  it('is the claims of upstream and what is made of them; no token carries it', async () => {
    const store = new MemoryStore();
    const extractCustomData = vi.fn(({ org_id: id }) => ({ organization: { id } }));
    upstream.claims = { sub: 'ada', email: 'ada@example.com', org_id: 'acme' };
    const { app } = await signedIn({ store }, { extractCustomData, claims: ['email'] });
    const { refresh_token: refresh = '', access_token: access } = app.current!;
    const [record] = await store.read([grantKey(grantIdOf(refresh))]);
    const { personClaims, upstreamClaims, customData } = record!.value as PersonalGrant;
    expect(personClaims).toEqual({ email: 'ada@example.com' });
    expect(upstreamClaims).toEqual({ iss: upstream.issuer, ...upstream.claims });
    expect(customData).toEqual({ organization: { id: 'acme' } });
    expect(decodeJwt(access)).toMatchObject({ email: 'ada@example.com' });
    expect(JSON.stringify(decodeJwt(access))).not.toContain('acme');
  });
});

describe('keys that the operator gives', () => {
  it('sign in their order, and may be turned over by hand without a token becoming invalid', async () => {
    const [first, second] = [await makeJwk('RS256'), await makeJwk('RS256')];
    const store = new MemoryStore();
    const { app, server, baseUrl, port, resources } = await signedIn({ store, jwks: { keys: [first, second] } });
    expect(decodeProtectedHeader(app.current!.access_token).kid).toBe(first.kid);
    const published = await (await fetch(`${baseUrl}/jwks`)).json();
    expect(published).toEqual({
      keys: [first, second].map(({ kty, n, e, kid, alg, use }) => ({ kty, n, e, kid, alg, use })),
    });
    await server.stop();
    await start({ store, jwks: { keys: [second, first] }, baseUrl, port, resources });
    expect(await app.tools()).toEqual(['whoami']);
    app.current = { ...app.current!, access_token: 'worn out' };
    await app.tools();
    expect(decodeProtectedHeader(app.current.access_token).kid).toBe(second.kid);
    expect(app.authorizations).toHaveLength(1);
  });
});

describe('a page of another origin', () => {
  const ORIGIN = 'https://console.example.com';

  it.each([
    [[], [400, null]],
    [[ORIGIN], [200, ORIGIN]],
  ])('may use a client’s tokens where additionalCorsOrigins has it: %j', async (additionalCorsOrigins, expected) => {
    const { app, baseUrl } = await signedIn({ additionalCorsOrigins });
    const response = await fetch(`${baseUrl}/token`, {
      method: 'POST',
      headers: { origin: ORIGIN },
      body: new URLSearchParams({
        grant_type: 'refresh_token',
        refresh_token: app.current!.refresh_token!,
        client_id: app.clientInformation()!.client_id,
      }),
    });
    expect([response.status, response.headers.get('access-control-allow-origin')]).toEqual(expected);
  });
});
