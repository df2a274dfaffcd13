import { mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { decodeJwt } from 'jose';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { McpApp } from '../e2e/mcp-app';
import { CLIENT_2, SDK_1 } from '../e2e/official-sdks';
import { Visitor } from '../hosts/visitor';
import { freePort } from '../support/free-port';
import { ServerProcess } from '../support/server-process';
import { startUpstreamIssuer, type UpstreamIssuer } from '../support/upstream-issuer';

let upstream: UpstreamIssuer;
let server: ServerProcess;
let baseUrl: string;

/** The example of the README as its reader runs it: a process of its own, on the bundle that the package has. */
beforeAll(async () => {
  upstream = await startUpstreamIssuer();
  upstream.claims = { sub: 'ada', email: 'ada@example.com', email_verified: true };
  const port = await freePort();
  baseUrl = `http://localhost:${port}`;
  server = new ServerProcess(process.execPath, [resolve('dist/examples/integrated.js')], `${baseUrl}/mcp`, {
    cwd: await mkdtemp(join(tmpdir(), 'integrated-')),
    env: {
      PATH: process.env.PATH,
      BASE_URL: baseUrl,
      PORT: String(port),
      UPSTREAM_ISSUER: upstream.issuer,
      UPSTREAM_CLIENT_ID: 'mcp',
      UPSTREAM_CLIENT_SECRET: 'secret',
      SESSION_SECRET: 'a secret of thirty-two characters',
    },
  });
  await server.start();
});
afterAll(async () => {
  await server?.stop();
  await upstream?.[Symbol.asyncDispose]();
});

describe.each([CLIENT_2, SDK_1])("the README's MCP server in Express, with $name", (sdk) => {
  it('is signed in to, called, started anew, called with the same token, and refreshed', async () => {
    const person = new Visitor();
    const app = new McpApp(`${baseUrl}/mcp`, person, { sdk });
    await app.connect();
    expect(person.consentPage).toContain('Read your reports');
    expect(await app.tools()).toEqual(['whoami', 'update_report']);
    const before = app.current!;
    const whoami = { sub: decodeJwt(before.access_token).sub, claims: { sub: 'ada', email: 'ada@example.com' } };
    expect(JSON.parse(await app.call('whoami'))).toMatchObject(whoami);

    await server.stop();
    await server.start();
    expect(JSON.parse(await app.call('whoami'))).toMatchObject(whoami);
    expect(app.current).toEqual(before);

    app.current = { ...before, access_token: 'worn out' };
    expect(JSON.parse(await app.call('whoami'))).toMatchObject(whoami);
    expect(app.current.refresh_token).not.toBe(before.refresh_token);
    expect(app.authorizations).toHaveLength(1);
    await app.close();
  });
});
