import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { mkdtemp } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { KeyvSqlite } from '@keyv/sqlite';
import { ProxyOAuthServerProvider } from '@modelcontextprotocol/sdk/server/auth/providers/proxyProvider.js';
import { mcpAuthRouter } from '@modelcontextprotocol/sdk/server/auth/router.js';
import express from 'express';
import { decodeJwt } from 'jose';
import { Keyv } from 'keyv';
import { afterAll, beforeAll, expect, it, vi } from 'vitest';
import { createMcpAuthProvider } from '../../hosts/mcp';
import { createOidcServer, OidcClient, type OidcServer } from '../../hosts/oidc';
import { McpApp } from '../e2e/mcp-app';
import { SDK_1 } from '../e2e/official-sdks';
import { Visitor } from '../hosts/visitor';
import { freePort } from '../support/free-port';
import { ServerProcess } from '../support/server-process';
import { startUpstreamIssuer, type UpstreamIssuer } from '../support/upstream-issuer';

let upstream: UpstreamIssuer;
let authorizationServer: OidcServer;
let mcpServer: ServerProcess;
let mcpBaseUrl: string;
let database: string;

/** An authorization server, and beside it the MCP server of docs/resource-servers.md in a process of its own, on one database. */
beforeAll(async () => {
  upstream = await startUpstreamIssuer();
  upstream.claims = { sub: 'ada', email: 'ada@example.com', groups: ['staff'] };
  const directory = await mkdtemp(join(tmpdir(), 'beside-'));
  database = join(directory, 'mcp.db');
  const port = await freePort();
  const baseUrl = `http://localhost:${port}`;
  authorizationServer = createOidcServer({
    idpClient: new OidcClient({
      issuer: upstream.issuer,
      clientId: 'mcp',
      clientSecret: 'secret',
      redirectUri: `${baseUrl}/oauth/callback`,
      extractCustomData: ({ groups }) => ({ groups }),
    }),
    store: new Keyv({ store: new KeyvSqlite({ uri: `sqlite://${database}` }) }),
    secret: 'a secret of thirty-two characters',
    jwks: 'store',
    baseUrl,
    port,
  });
  await authorizationServer.start();
  mcpBaseUrl = `http://localhost:${await freePort()}`;
  mcpServer = new ServerProcess(
    process.execPath,
    [resolve('dist/examples/resource-servers/express.js')],
    `${mcpBaseUrl}/mcp`,
    { cwd: directory, env: { PATH: process.env.PATH, OIDC_BASE_URL: baseUrl, MCP_BASE_URL: mcpBaseUrl } },
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

  const { client_id } = app.clientInformation()!;
  const { access_token, refresh_token = '' } = app.current!;
  const body = new URLSearchParams({ client_id, token: refresh_token });
  expect((await fetch(`${authorizationServer.baseUrl}/revoke`, { method: 'POST', body })).status).toBe(200);
  const headers = { authorization: `Bearer ${access_token}` };
  expect((await fetch(`${mcpBaseUrl}/mcp`, { method: 'POST', headers })).status).toBe(401);
  await app.close();
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
  await vi.waitFor(
    async () => {
      const { scopes_supported } = await metadataOf(
        `${authorizationServer.baseUrl}/.well-known/oauth-authorization-server`,
      );
      expect(scopes_supported).toContain('mcp:use');
    },
    { timeout: 5_000 },
  );

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
