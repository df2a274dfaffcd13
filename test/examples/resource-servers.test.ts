import { execFileSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp } from 'node:fs/promises';
import { createServer, type IncomingMessage, request, type Server } from 'node:http';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import type { Hono } from 'hono';
import { UnsecuredJWT } from 'jose';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { Issuer } from '../lambda/authorizer/issuer';
import { findProgram } from '../support/find-program';
import { freePort } from '../support/free-port';
import { noteNotRun } from '../support/not-run';
import { ServerProcess } from '../support/server-process';

let issuer: Issuer;
beforeAll(async () => {
  issuer = await Issuer.start();
});
afterAll(() => issuer[Symbol.asyncDispose]());

interface Stoppable {
  stop(): Promise<void>;
}
type Start = (environment: { OIDC_BASE_URL: string; MCP_BASE_URL: string; PORT: string }) => Promise<Stoppable>;

/** Starts an example in a process of its own, as its reader does. */
function program(command: string, file: string, ready: (mcpUrl: string) => string): Start {
  return async (environment) => {
    const server = new ServerProcess(command, [resolve(file)], ready(`${environment.MCP_BASE_URL}/mcp`), {
      cwd: await mkdtemp(join(tmpdir(), 'resource-server-')),
      env: { PATH: process.env.PATH, ...environment },
    });
    await server.start();
    return server;
  };
}

/** Serves what answers web requests, as the example's framework does. */
function served(answerOf: () => Promise<(request: Request) => Response | Promise<Response>>): Start {
  return async ({ MCP_BASE_URL, OIDC_BASE_URL, PORT }) => {
    vi.stubEnv('MCP_BASE_URL', MCP_BASE_URL);
    vi.stubEnv('OIDC_BASE_URL', OIDC_BASE_URL);
    vi.resetModules();
    const answer = await answerOf();
    vi.unstubAllEnvs();
    const server: Server = createServer(async (req, res) => {
      const response = await answer(await webRequest(req, MCP_BASE_URL));
      res.writeHead(response.status, Object.fromEntries(response.headers));
      res.end(Buffer.from(await response.arrayBuffer()));
    }).listen(Number(PORT));
    await once(server, 'listening');
    return {
      async stop() {
        server.closeAllConnections();
        await new Promise((resolve) => server.close(resolve));
      },
    };
  };
}

/** With each header as often as it was sent. */
async function webRequest(req: IncomingMessage, origin: string): Promise<Request> {
  const chunks: Buffer[] = [];
  for await (const chunk of req) chunks.push(chunk);
  const headers = new Headers();
  for (let at = 0; at < req.rawHeaders.length; at += 2) headers.append(req.rawHeaders[at]!, req.rawHeaders[at + 1]!);
  const { method = 'GET' } = req;
  return new Request(new URL(req.url ?? '/', origin), {
    method,
    headers,
    ...(method === 'GET' ? {} : { body: Buffer.concat(chunks) }),
  });
}

const node = (file: string) => program(process.execPath, `dist/examples/resource-servers/${file}.js`, (url) => url);
const EXAMPLES: Record<string, Start> = {
  Express: node('express'),
  Fastify: node('fastify'),
  Hono: served(async () => {
    const example: { default: unknown } = await import('../../examples/resource-servers/hono.js');
    return (request) => (example.default as Hono).fetch(request);
  }),
  'Next.js': served(async () => {
    const { POST, metadata } = await import('../../examples/resource-servers/next.js');
    return (request) => (new URL(request.url).pathname === '/mcp' ? POST(request) : metadata());
  }),
};

const python = findProgram('python3', process.env.PYTHON_BIN ?? '');
const missing =
  'the resource server in Python was not tried: python3 with the packages mcp and pyjwt[crypto] (PYTHON_BIN)';
const hasPackages = python !== undefined && runs(python, ['-c', 'import jwt, cryptography, mcp.server.mcpserver']);
if (hasPackages) EXAMPLES.Python = program(python, 'examples/resource-servers/server.py', () => 'Uvicorn running');
else noteNotRun(missing);

function runs(command: string, args: string[]): boolean {
  try {
    execFileSync(command, args, { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
}

describe.each(Object.keys(EXAMPLES))('a resource server in %s', (name) => {
  let server: Stoppable;
  let origin: string;
  let audience: string;
  beforeAll(async () => {
    const port = await freePort();
    origin = `http://localhost:${port}`;
    audience = `${origin}/mcp`;
    server = await EXAMPLES[name]!({ OIDC_BASE_URL: issuer.url, MCP_BASE_URL: origin, PORT: String(port) });
  });
  afterAll(() => server?.stop());

  const whoami = { jsonrpc: '2.0', id: 1, method: 'tools/call', params: { name: 'whoami', arguments: {} } };
  const call = (authorization?: string) =>
    fetch(audience, {
      method: 'POST',
      headers: {
        'content-type': 'application/json',
        accept: 'application/json, text/event-stream',
        'mcp-protocol-version': '2025-11-25',
        ...(authorization === undefined ? {} : { authorization }),
      },
      body: JSON.stringify(whoami),
    });
  const token = (claims = {}, header = {}) => issuer.token({ aud: audience, scope: 'reports:read', ...claims }, header);

  it('answers who has a token for it', async () => {
    const response = await call(`Bearer ${await token()}`);
    expect(response.status).toBe(200);
    expect(await response.text()).toMatch(/\\"sub\\": ?\\"person\\"/);
  });

  it('tells where to get one', async () => {
    const response = await call();
    expect(response.status).toBe(401);
    const [, address = ''] = /resource_metadata="([^"]+)"/.exec(response.headers.get('www-authenticate') ?? '') ?? [];
    expect(address).toBe(`${origin}/.well-known/oauth-protected-resource/mcp`);
    expect(await (await fetch(address)).json()).toMatchObject({
      resource: audience,
      authorization_servers: [issuer.url],
      scopes_supported: ['reports:read'],
    });
  });

  const now = () => Math.floor(Date.now() / 1000);
  it.each<[string, () => Promise<string> | string]>([
    ['of another resource', () => token({ aud: 'https://other.example.com/mcp' })],
    ['of this resource and another', () => token({ aud: [audience, 'https://other.example.com/mcp'] })],
    ['of another issuer', () => token({ iss: 'https://issuer.example.com' })],
    ['that is an ID token', () => token({}, { typ: 'JWT' })],
    ['that is not signed', () => new UnsecuredJWT({ ...issuer.claims(), aud: audience }).encode()],
    ['that has expired', () => token({ iat: now() - 7200, exp: now() - 3600 })],
    ['that never expires', () => token({ exp: undefined })],
    ['that is bound to a key', () => token({ cnf: { jkt: 'x' } })],
    ['that nobody has made', () => 'x'],
  ])('refuses a token %s', async (_, refused) => {
    const response = await call(`Bearer ${await refused()}`);
    expect(response.status).toBe(401);
    expect(response.headers.get('www-authenticate')).toMatch(/^Bearer /);
  });

  it('refuses a token without the scope, and says which', async () => {
    const response = await call(`Bearer ${await token({ scope: 'reports:write' })}`);
    expect(response.status).toBe(403);
    expect(response.headers.get('www-authenticate')).toContain('insufficient_scope');
  });

  // The Python SDK takes the first of two and says nothing.
  it.skipIf(name === 'Python')('refuses two Authorization headers', async () => {
    const authorization = [`Bearer ${await token()}`, `Bearer ${await token()}`];
    const sent = request(audience, { method: 'POST', headers: { authorization } as never });
    sent.end();
    const [response] = await once(sent, 'response');
    expect(response.statusCode).toBe(401);
    response.resume();
  });
});

describe('verification with jose alone', () => {
  let verify: (token: string) => Promise<{ sub?: string }>;
  const audience = 'https://mcp.example.com/mcp';
  beforeEach(async () => {
    vi.stubEnv('OIDC_BASE_URL', issuer.url);
    vi.stubEnv('MCP_BASE_URL', 'https://mcp.example.com');
    vi.resetModules();
    ({ verify } = await import('../../examples/resource-servers/jose.js'));
  });
  afterEach(() => vi.unstubAllEnvs());

  it('takes a token for the resource, and no other', async () => {
    expect(await verify(await issuer.token({ aud: audience }))).toMatchObject({ sub: 'person' });
    for (const claims of [
      { aud: 'https://other.example.com' },
      { aud: [audience, 'https://other.example.com'] },
      { iss: 'https://issuer.example.com' },
      { exp: 1 },
      { exp: undefined },
      { cnf: { jkt: 'x' } },
    ]) {
      await expect(verify(await issuer.token({ aud: audience, ...claims })), JSON.stringify(claims)).rejects.toThrow();
    }
    await expect(verify(await issuer.token({ aud: audience }, { typ: 'JWT' }))).rejects.toThrow();
    await expect(verify(new UnsecuredJWT({ ...issuer.claims(), aud: audience }).encode())).rejects.toThrow();
  });
});
