import { execFile as execFileByCallback } from 'node:child_process';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { copyFile, mkdir, mkdtemp, symlink } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { promisify } from 'node:util';
import { KeyvSqlite } from '@keyv/sqlite';
import { ProxyOAuthServerProvider } from '@modelcontextprotocol/sdk/server/auth/providers/proxyProvider.js';
import { mcpAuthRouter } from '@modelcontextprotocol/sdk/server/auth/router.js';
import express from 'express';
import type { Hono } from 'hono';
import { decodeJwt } from 'jose';
import { Keyv } from 'keyv';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { createMcpAuthProvider } from '../../hosts/mcp';
import { createOidcServer, OidcClient, type OidcServer } from '../../hosts/oidc';
import type { verifyBearer } from '../../lambda/authorizer/bearer';
import { upstreamToken } from '../../lambda/resource-server/upstream-token';
import { McpApp } from '../e2e/mcp-app';
import { SDK_1 } from '../e2e/official-sdks';
import { Visitor } from '../hosts/visitor';
import { type } from '../operator/operator';
import { findProgram } from '../support/find-program';
import { freePort } from '../support/free-port';
import { noteNotRun } from '../support/not-run';
import { ServerProcess } from '../support/server-process';
import { SOON } from '../support/soon';
import { startUpstreamIssuer, type UpstreamIssuer } from '../support/upstream-issuer';

const execFile = promisify(execFileByCallback);

let upstream: UpstreamIssuer;
let authorizationServer: OidcServer;
let mcpServer: ServerProcess;
let mcpBaseUrl: string;
let database: string;

/** What its MCP server finds, by the names that it has there: `npm install keyv @keyv/sqlite` brings Keyv 5. */
const INSTALLED = {
  '@keyv/sqlite': 'keyv-sqlite-4',
  '@modelcontextprotocol': '@modelcontextprotocol',
  express: 'express',
  keyv: 'keyv-5',
  'mcp-oidc-auth': '..',
  zod: 'zod',
};

/**
 * An authorization server with the URL of a database, and beside it the MCP server of docs/resource-servers.md in a process of its own, with
 * a Keyv on the same one.
 */
beforeAll(async () => {
  upstream = await startUpstreamIssuer();
  upstream.claims = { sub: 'ada', email: 'ada@example.com', groups: ['staff'] };
  const directory = await mkdtemp(join(tmpdir(), 'beside-'));
  database = join(directory, 'mcp.db');
  for (const [name, from] of Object.entries(INSTALLED)) {
    await mkdir(dirname(join(directory, 'node_modules', name)), { recursive: true });
    await symlink(resolve('node_modules', from), join(directory, 'node_modules', name));
  }
  await copyFile('dist/examples/resource-servers/express.js', join(directory, 'express.js'));
  const port = await freePort();
  const baseUrl = `http://localhost:${port}`;
  const mcpPort = await freePort();
  mcpBaseUrl = `http://localhost:${mcpPort}`;
  authorizationServer = createOidcServer({
    idpClient: new OidcClient({
      issuer: upstream.issuer,
      clientId: 'mcp',
      clientSecret: 'secret',
      redirectUri: `${baseUrl}/oauth/callback`,
      extractCustomData: ({ groups }) => ({ groups }),
    }),
    store: `sqlite:${database}`,
    secret: 'a secret of thirty-two characters',
    jwks: 'store',
    baseUrl,
    port,
    resources: [{ identifier: `${mcpBaseUrl}/mcp`, scopes: [{ name: 'reports:read' }], upstreamTokens: true }],
  });
  await authorizationServer.start();
  mcpServer = new ServerProcess(
    process.execPath,
    ['--import', resolve('test/support/sqlite3.mts'), 'express.js'],
    `${mcpBaseUrl}/mcp`,
    {
      cwd: directory,
      env: { PATH: process.env.PATH, OIDC_BASE_URL: baseUrl, MCP_BASE_URL: mcpBaseUrl, PORT: String(mcpPort) },
    },
  );
  await mcpServer.start();
});
afterAll(async () => {
  await mcpServer?.stop();
  await authorizationServer?.stop();
  await upstream?.[Symbol.asyncDispose]();
});

it('an MCP server beside the authorization server knows who calls, survives a restart, and hears of a revocation', async () => {
  const person = new Visitor();
  const app = new McpApp(`${mcpBaseUrl}/mcp`, person, { sdk: SDK_1 });
  await app.connect();
  expect(person.consentPage).toContain('reports:read');
  const { sub } = decodeJwt(app.current!.access_token);
  const known = {
    sub,
    claims: { sub: 'ada', email: 'ada@example.com', groups: ['staff'] },
    customData: { groups: ['staff'] },
  };
  expect(JSON.parse(await app.call('whoami'))).toMatchObject(known);

  await mcpServer.stop();
  await mcpServer.start();
  expect(JSON.parse(await app.call('whoami'))).toMatchObject(known);

  app.current = { ...app.current!, access_token: 'worn out' };
  expect(JSON.parse(await app.call('whoami'))).toMatchObject(known);
  expect(app.authorizations).toHaveLength(1);

  await revoke(app);
  const headers = { authorization: `Bearer ${app.current!.access_token}` };
  expect((await fetch(`${mcpBaseUrl}/mcp`, { method: 'POST', headers })).status).toBe(401);
  await app.close();
});

/** Ends what the person has granted, as a client does that signs out. */
async function revoke(app: McpApp): Promise<void> {
  const { client_id } = app.clientInformation()!;
  const body = new URLSearchParams({ client_id, token: app.current!.refresh_token ?? '' });
  expect((await fetch(`${authorizationServer.baseUrl}/revoke`, { method: 'POST', body })).status).toBe(200);
}

/** Someone signs in to the MCP server, and the operator gives that one a credential. */
async function signedIn() {
  const app = new McpApp(`${mcpBaseUrl}/mcp`, new Visitor(), { sdk: SDK_1 });
  await app.connect();
  await app.close();
  const options = ['--store', `sqlite:${database}`, '--name', 'Reports', '--resource', `${mcpBaseUrl}/mcp`];
  const { stdout } = await type({}, 'clients', 'add', ...options);
  const { client_id: clientId, client_secret: clientSecret } = JSON.parse(stdout);
  return { app, token: app.current!.access_token, clientId, clientSecret };
}

it('an MCP server beside the authorization server acts for the person upstream, with a credential of its own', async () => {
  const { token, clientId, clientSecret } = await signedIn();
  const credential = { issuer: authorizationServer.baseUrl, clientId, clientSecret };
  const { accessToken } = await upstreamToken({ headers: { authorization: `Bearer ${token}` } }, credential);
  expect(accessToken).toMatch(/^upstream-access-/);
});

describe('an MCP server that asks the authorization server, as docs/resource-servers.md shows', () => {
  let app: McpApp;
  let token: string;
  let environment: Record<string, string>;
  let verifyActive: typeof verifyBearer;
  beforeEach(async () => {
    const { clientId, clientSecret, ...signed } = await signedIn();
    ({ app, token } = signed);
    environment = {
      OIDC_BASE_URL: authorizationServer.baseUrl,
      MCP_BASE_URL: mcpBaseUrl,
      CLIENT_ID: clientId,
      CLIENT_SECRET: clientSecret,
    };
    for (const [name, value] of Object.entries(environment)) vi.stubEnv(name, value);
    vi.resetModules();
    ({ verifyActive } = await import('../../examples/resource-servers/introspect.js'));
  });
  afterEach(() => {
    vi.doUnmock('mcp-oidc-auth/bearer');
    vi.unstubAllEnvs();
  });

  const call = () =>
    new Request(`${mcpBaseUrl}/mcp`, {
      method: 'POST',
      headers: {
        authorization: `Bearer ${token}`,
        'content-type': 'application/json',
        accept: 'application/json, text/event-stream',
      },
      body: JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'ping' }),
    });

  it.each<[string, () => Promise<(request: Request) => Response | Promise<Response>>]>([
    [
      'Hono',
      async () => {
        const example: { default: unknown } = await import('../../examples/resource-servers/hono.js');
        return (example.default as Hono).fetch;
      },
    ],
    ['Next.js', async () => (await import('../../examples/resource-servers/next.js')).POST],
  ])('refuses a token of a grant that has been revoked: %s', async (_, load) => {
    const bearer = await vi.importActual<object>('mcp-oidc-auth/bearer');
    vi.doMock('mcp-oidc-auth/bearer', () => ({ ...bearer, verifyBearer: verifyActive }));
    vi.resetModules();
    const answer = await load();
    expect((await answer(call())).status).toBe(200);
    await revoke(app);
    const response = await answer(call());
    expect(response.status).toBe(401);
    expect(response.headers.get('www-authenticate')).toBe(
      `Bearer error="invalid_token", resource_metadata="${mcpBaseUrl}/.well-known/oauth-protected-resource/mcp"`,
    );
  });

  it('takes no refusal of its credential for a verdict about the token', async () => {
    vi.stubEnv('CLIENT_SECRET', 'wrong');
    vi.resetModules();
    const { verifyActive } = await import('../../examples/resource-servers/introspect.js');
    const options = { issuer: authorizationServer.baseUrl, audience: `${mcpBaseUrl}/mcp` };
    await expect(verifyActive(`Bearer ${token}`, options)).rejects.toThrow(/introspect answered 401$/);
  });

  const python = findProgram('python3', process.env.PYTHON_BIN ?? '');
  if (python === undefined) noteNotRun('introspection in Python was not tried: python3 (PYTHON_BIN)');
  it.skipIf(python === undefined)('is told that such a token is not active, in Python', async () => {
    const asked = (env = environment) =>
      execFile(python!, ['-c', 'import sys, introspect; print(introspect.introspect(sys.argv[1]))', token], {
        cwd: 'examples/resource-servers',
        env: { PATH: process.env.PATH, PYTHONDONTWRITEBYTECODE: '1', ...env },
      });
    expect((await asked()).stdout).toBe('True\n');
    await expect(asked({ ...environment, CLIENT_SECRET: 'wrong' })).rejects.toThrow(/HTTP Error 401/);
    await revoke(app);
    expect((await asked()).stdout).toBe('False\n');
  });
});

it('mcpAuthRouter, as users of mcp-oidc-provider have mounted it, takes a public client to a token', async () => {
  const app = express();
  const listener = createServer(app).listen(0);
  await once(listener, 'listening');
  const { port } = listener.address() as AddressInfo;
  const baseUrl = `http://localhost:${port}`;
  const { proxyOAuthServerProviderConfig, mcpRoutes } = createMcpAuthProvider({
    oidcBaseUrl: authorizationServer.baseUrl,
    store: new Keyv({ store: new KeyvSqlite({ uri: `sqlite://${database}` }) }),
    mcpServerBaseUrl: baseUrl,
  });
  const provider = new ProxyOAuthServerProvider(proxyOAuthServerProviderConfig);
  app.use(mcpRoutes);
  app.use(mcpAuthRouter({ provider, issuerUrl: new URL(authorizationServer.baseUrl), baseUrl: new URL(baseUrl) }));
  const { resource } = await metadataOf(`${baseUrl}/.well-known/oauth-protected-resource/mcp`);
  // It looks into the store again after a second.
  await vi.waitFor(async () => {
    const { scopes_supported } = await metadataOf(
      `${authorizationServer.baseUrl}/.well-known/oauth-authorization-server`,
    );
    expect(scopes_supported).toContain('mcp:use');
  }, SOON);

  const redirectUri = 'http://localhost:45678/callback';
  const registration = await fetch(`${baseUrl}/register`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ redirect_uris: [redirectUri], token_endpoint_auth_method: 'none' }),
  });
  const { client_id } = (await registration.json()) as { client_id: string };
  const verifier = 'v'.repeat(43);
  const url = new URL('/authorize', baseUrl);
  url.search = new URLSearchParams({
    response_type: 'code',
    client_id,
    redirect_uri: redirectUri,
    code_challenge: createHash('sha256').update(verifier).digest('base64url'),
    code_challenge_method: 'S256',
    resource,
  }).toString();
  const answer = await new Visitor().authorize(url, redirectUri);
  const response = await fetch(`${baseUrl}/token`, {
    method: 'POST',
    body: new URLSearchParams({
      grant_type: 'authorization_code',
      client_id,
      code: answer.get('code') ?? '',
      code_verifier: verifier,
      redirect_uri: redirectUri,
      resource,
    }),
  });
  const { access_token } = (await response.json()) as { access_token: string };
  expect(await proxyOAuthServerProviderConfig.verifyAccessToken(access_token)).toMatchObject({ clientId: client_id });
  listener.closeAllConnections();
  listener.close();
});

async function metadataOf(address: string) {
  return (await (await fetch(address)).json()) as { resource: string; scopes_supported: string[] };
}
