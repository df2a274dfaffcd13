import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type LocalStack, Person, startLocalStack } from '../e2e/local-stack';
import { McpApp } from '../e2e/mcp-app';
import { freePort } from '../support/free-port';
import { ServerProcess } from '../support/server-process';

let local: LocalStack;
let server: ServerProcess;
let mcpUrl: string;

beforeAll(async () => {
  const port = await freePort();
  mcpUrl = `http://localhost:${port}/mcp`;
  const scopes = [{ name: 'reports:read', description: 'Read your reports' }];
  local = await startLocalStack({}, { resources: [{ identifier: mcpUrl, scopes }] });
  const file = join(__dirname, '..', '..', 'dist', 'examples', 'container-server.js');
  const env = { ISSUER: local.issuer, MCP_URL: mcpUrl, PORT: String(port) };
  server = new ServerProcess(process.execPath, [file], 'Listening on', { env });
  await server.start();
});
afterAll(async () => {
  await server?.stop();
  await local?.[Symbol.asyncDispose]();
});

const call = (authorization?: string) => fetch(mcpUrl, { headers: authorization ? { authorization } : {} });

describe('a container with the bearer check', () => {
  it('leads a client from the challenge to its metadata', async () => {
    const { status, headers } = await call();
    expect(status).toBe(401);
    const [, metadata = ''] = /^Bearer .*resource_metadata="([^"]+)"/.exec(headers.get('www-authenticate') ?? '') ?? [];
    const answer = await fetch(metadata);
    // The load balancer's health check as well (test/lib/existing-stacks.test.ts).
    expect([answer.status, new URL(answer.url).pathname]).toEqual([200, '/.well-known/oauth-protected-resource/mcp']);
    expect(await answer.json()).toMatchObject({
      resource: mcpUrl,
      authorization_servers: [local.issuer],
    });
  });

  it('serves who signed in for it, by the official SDK', async () => {
    const app = new McpApp(mcpUrl, new Person(local, local.identityProvider.users[0]!));
    await app.signInFor('reports:read');
    const answer = await call(`Bearer ${app.current?.access_token}`);
    expect(answer.status).toBe(200);
    expect(await answer.json()).toEqual({
      sub: expect.stringMatching(/^[\w-]{43}$/),
      client_id: app.clientInformation()?.client_id,
    });
  });

  it('does not serve who signed in for another MCP server', async () => {
    const app = new McpApp(local.mcpUrl, new Person(local, local.identityProvider.users[0]!));
    await app.connect();
    await app.close();
    const answer = await call(`Bearer ${app.current?.access_token}`);
    expect(answer.status).toBe(401);
    expect(answer.headers.get('www-authenticate')).toContain('error="invalid_token"');
    expect(await answer.json()).toMatchObject({ error: 'invalid_token' });
  });
});
