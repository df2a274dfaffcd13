import { mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { KeyvSqlite } from '@keyv/sqlite';
import { decodeJwt } from 'jose';
import { Keyv } from 'keyv';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { createOidcServer, OidcClient, type OidcServer } from '../../hosts/oidc';
import { McpApp } from '../e2e/mcp-app';
import { SDK_1 } from '../e2e/official-sdks';
import { Visitor } from '../hosts/express-host';
import { freePort, ServerProcess } from '../support/server-process';
import { startUpstreamIssuer, type UpstreamIssuer } from '../support/upstream-issuer';

let upstream: UpstreamIssuer;
let authorizationServer: OidcServer;
let mcpServer: ServerProcess;
let mcpBaseUrl: string;

/** An authorization server, and beside it the MCP server of docs/resource-servers.md in a process of its own, on one database. */
beforeAll(async () => {
  upstream = await startUpstreamIssuer();
  upstream.claims = { sub: 'ada', email: 'ada@example.com', groups: ['staff'] };
  const directory = await mkdtemp(join(tmpdir(), 'beside-'));
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
    store: new Keyv({ store: new KeyvSqlite({ uri: `sqlite://${join(directory, 'mcp.db')}` }) }),
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
