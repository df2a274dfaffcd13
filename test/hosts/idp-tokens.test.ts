import { toNodeHandler } from '@modelcontextprotocol/node';
import { createMcpHandler, McpServer } from '@modelcontextprotocol/server';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { getIdpTokens, type UpstreamToken, UpstreamTokenError } from '../../hosts/mcp';
import { McpApp } from '../e2e/mcp-app';
import { CLIENT_2 } from '../e2e/official-sdks';
import { type ExpressHost, startExpressHost } from './express-host';
import { Visitor } from './visitor';

/** What the handler has found, or has failed with, by which object of the request. */
let found: unknown[];

/** A tool that acts as the person, and a plain call that does. */
function mount({ handleMcpRequest }: ExpressHost['express']): void {
  const mcp = createMcpHandler(() => {
    const server = new McpServer({ name: 'calendar', version: '1.0.0' });
    server.registerTool('token', {}, async ({ http }) => {
      const token = await getIdpTokens(http!.authInfo!);
      return { content: [{ type: 'text', text: token.accessToken }] };
    });
    return server;
  });
  const respond = toNodeHandler(mcp);
  handleMcpRequest(async (req, res) => {
    if (!req.headers['x-plain']) return respond(req, res, req.body);
    for (const caller of [req.user!, req.auth!]) {
      const token = await getIdpTokens(caller).catch((error) => {
        found.push(error);
        throw error;
      });
      found.push(token);
    }
    await expect(getIdpTokens({ ...req.user! })).rejects.toMatchObject({ status: 500 });
    res.json({});
  });
}

let host: ExpressHost;
let app: McpApp;
let person: Visitor;
beforeAll(async () => {
  host = await startExpressHost({ upstreamTokens: true, mount });
  host.upstream.claims = { sub: 'ada', name: 'Ada' };
  Object.assign(host.upstream, { refreshTokens: true, accessTokenLifetime: 600, scope: 'openid calendar' });
});
afterAll(() => host?.[Symbol.asyncDispose]());
beforeEach(async () => {
  found = [];
  person = new Visitor();
  app = new McpApp(host.mcpUrl, person, { sdk: CLIENT_2 });
  await app.connect();
});

const call = (at = host, of = app) =>
  fetch(at.mcpUrl, {
    method: 'POST',
    headers: {
      authorization: `Bearer ${of.current!.access_token}`,
      'content-type': 'application/json',
      'x-plain': '1',
    },
    body: '{}',
  });

it("the consent page says that the MCP server acts for the person at the identity provider's", () => {
  expect(person.consentPage).toMatch(/Have .+ act for you at/);
});

it('a handler has the token of the identity provider, by req.user and by req.auth, with its end', async () => {
  const before = Date.now();
  expect((await call()).status).toBe(200);
  const [byUser, byAuth] = found as UpstreamToken[];
  expect(byUser).toEqual({
    accessToken: expect.stringMatching(/^upstream-access-/),
    tokenType: 'Bearer',
    scope: 'openid calendar',
    expiresAt: expect.any(Number),
  });
  expect(byAuth).toMatchObject({ accessToken: byUser!.accessToken });
  expect(byUser!.expiresAt).toBeGreaterThan(before + 500_000);
  expect(byUser!.expiresAt).toBeLessThanOrEqual(Date.now() + 600_000);
});

it('a tool has it by its authInfo', async () => {
  expect(await app.call('token')).toMatch(/^upstream-access-/);
});

describe('a token that has to be renewed', () => {
  beforeEach(() => {
    vi.useFakeTimers({ toFake: ['Date'], now: Date.now() + 601_000 });
  });
  afterEach(() => {
    vi.useRealTimers();
    delete host.upstream.failure;
    delete host.upstream.tokenError;
  });

  it('is, without the person', async () => {
    expect((await call()).status).toBe(200);
    expect((found[0] as UpstreamToken).expiresAt).toBeGreaterThan(Date.now());
  });

  it('and is refused sends the client to another sign-in', async () => {
    host.upstream.tokenError = { status: 400, error: 'invalid_grant' };
    const response = await call();
    expect(response.status).toBe(401);
    expect(response.headers.get('www-authenticate')).toContain(
      `error="invalid_token", error_description="The access token is not valid: grant.", scope="mcp:use", resource_metadata="${host.issuer}`,
    );
    expect(found[0]).toMatchObject({ name: 'UpstreamTokenError', status: 401, error: 'invalid_grant' });
  });

  it('and cannot be at the moment is worth another try', async () => {
    host.upstream.failure = 503;
    const response = await call();
    expect(response.status).toBe(503);
    expect(response.headers.get('retry-after')).toBe('5');
    delete host.upstream.failure;
    expect((await call()).status).toBe(200);
  });
});

describe('without upstreamTokens', () => {
  it('there is none, and the page does not speak of it', async () => {
    const plain = await startExpressHost({ mount, upstream: host.upstream });
    const visitor = new Visitor();
    const other = new McpApp(plain.mcpUrl, visitor, { sdk: CLIENT_2 });
    await other.connect();
    expect(visitor.consentPage).not.toContain('act for you');
    expect((await call(plain, other)).status).toBe(500);
    expect(found[0]).toBeInstanceOf(UpstreamTokenError);
    expect(found[0]).toMatchObject({ status: 500, message: expect.stringContaining('upstreamTokens: true') });
    await plain[Symbol.asyncDispose]();
  });
});
