import { mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { decodeJwt } from 'jose';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { McpApp } from '../e2e/mcp-app';
import { CLIENT_2, SDK_1 } from '../e2e/official-sdks';
import { type ResourceServer, startResourceServer } from '../hosts/resource-server';
import { Visitor } from '../hosts/visitor';
import { freePort } from '../support/free-port';
import { ServerProcess } from '../support/server-process';
import { startUpstreamIssuer, type UpstreamIssuer } from '../support/upstream-issuer';

let upstream: UpstreamIssuer;
let mcp: ResourceServer;
let server: ServerProcess;

/** The example of the README as its reader runs it: a process of its own, on the bundle that the package has. */
async function example(baseUrl: string, port: number): Promise<ServerProcess> {
  const file = resolve('dist/examples/standalone.js');
  return new ServerProcess(process.execPath, [file], `The authorization server is ${baseUrl}`, {
    cwd: await mkdtemp(join(tmpdir(), 'standalone-')),
    env: {
      PATH: process.env.PATH,
      PORT: String(port),
      OIDC_BASE_URL: baseUrl,
      MCP_URL: mcp.mcpUrl,
      UPSTREAM_ISSUER: upstream.issuer,
      UPSTREAM_CLIENT_ID: 'mcp',
      UPSTREAM_CLIENT_SECRET: 'secret',
      SESSION_SECRET: 'a secret of thirty-two characters',
    },
  });
}

beforeAll(async () => {
  upstream = await startUpstreamIssuer();
  upstream.claims = { sub: 'ada', email: 'ada@example.com', email_verified: true };
  const port = await freePort();
  const baseUrl = `http://localhost:${port}`;
  mcp = await startResourceServer(baseUrl);
  server = await example(baseUrl, port);
  await server.start();
});
afterAll(async () => {
  await server?.stop();
  await mcp?.[Symbol.asyncDispose]();
  await upstream?.[Symbol.asyncDispose]();
});

describe.each([CLIENT_2, SDK_1])("the README's authorization server beside an MCP server, with $name", (sdk) => {
  it('is signed in to, and started anew before a call with the same token, and before a refresh', async () => {
    const person = new Visitor();
    const app = new McpApp(mcp.mcpUrl, person, { sdk });
    await app.connect();
    expect(person.consentPage).toContain('Read your reports');
    expect(await app.tools()).toEqual(['whoami']);
    const before = app.current!;
    const { sub } = decodeJwt(before.access_token);
    const caller = { sub, scope: 'reports:read', aud: mcp.mcpUrl };
    expect(JSON.parse(await app.call('whoami'))).toMatchObject(caller);

    await server.stop();
    await server.start();
    expect(JSON.parse(await app.call('whoami'))).toMatchObject(caller);
    expect(app.current).toEqual(before);

    app.current = { ...before, access_token: 'worn out' };
    expect(JSON.parse(await app.call('whoami'))).toMatchObject(caller);
    expect(app.current.refresh_token).not.toBe(before.refresh_token);
    expect(app.authorizations).toHaveLength(1);
    await app.close();
  });
});

it('listens on its port behind a proxy, whose URL has none', async () => {
  const port = await freePort();
  const behindProxy = await example('https://auth.example.com', port);
  await behindProxy.start();
  const metadata = await fetch(`http://localhost:${port}/.well-known/oauth-authorization-server`);
  expect(await metadata.json()).toMatchObject({ issuer: 'https://auth.example.com' });
  await behindProxy.stop();
});
