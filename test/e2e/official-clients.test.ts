import { DpopSession } from '@modelcontextprotocol/client';
import { decodeJwt } from 'jose';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type MetadataHost, startMetadataHost } from '../support/metadata-host';
import { deniedCalls, secretsInLogs } from './clean-logs';
import { type LocalStack, Person, startLocalStack } from './local-stack';
import { McpApp } from './mcp-app';
import { CLIENT_2, type OfficialSdk, SDK_1 } from './official-sdks';

let host: MetadataHost;
let local: LocalStack;
let ada: Person;
beforeAll(async () => {
  host = await startMetadataHost();
  // It trusts a host on loopback, and lets clients bind their tokens.
  local = await startLocalStack(
    {},
    {
      clientMetadata: { internalHosts: [new URL(host.origin).hostname] },
      functionOptions: { environment: { NODE_EXTRA_CA_CERTS: host.caFile } },
      dpop: true,
    },
  );
});
afterAll(async () => {
  await local?.[Symbol.asyncDispose]();
  await host?.close();
});

const apps: McpApp[] = [];
let documents = 0;

type Registration = 'Dynamic Client Registration' | 'a metadata document';
const REGISTRATIONS: readonly Registration[] = ['Dynamic Client Registration', 'a metadata document'];

/** An app in front of its own person at a fresh browser. */
function mcpApp(
  sdk: OfficialSdk,
  registration: Registration = 'Dynamic Client Registration',
  dpop?: DpopSession,
): McpApp {
  ada = new Person(local, local.identityProvider.users[0]!);
  const clientMetadataUrl = registration === 'a metadata document' ? publish() : undefined;
  const app = new McpApp(local.mcpUrl, ada, { sdk, clientMetadataUrl, dpop });
  apps.push(app);
  return app;
}

/** As Claude Code's document: loopback without a port, and no application_type. */
function publish(): string {
  return host.publish(`/apps/${++documents}.json`, {
    client_name: 'Published app',
    redirect_uris: ['http://localhost/callback', 'http://127.0.0.1/callback'],
  });
}

const grantedTo = (app: McpApp) => decodeJwt<{ scope: string; client_id: string }>(app.current!.access_token);
const events = (name: string) => local.logs.filter((line) => line.includes(`"${name}"`));

describe.each([CLIENT_2, SDK_1])('$name', (sdk) => {
  describe.each(REGISTRATIONS)('by %s', (registration) => {
    it('goes from a bare 401 through discovery, registration, consent and upstream to the tools', async () => {
      const before = {
        registered: events('client.registered').length,
        fetched: events('client_metadata.fetched').length,
      };
      const app = mcpApp(sdk, registration);
      await app.connect();

      const metadata = new URL('/prod/.well-known/oauth-protected-resource/mcp', local.mcpUrl).href;
      expect(app.exchanges[0]).toMatchObject({
        status: 401,
        challenge: `Bearer resource_metadata="${metadata}", scope="notes:use", DPoP algs="ES256 EdDSA RS256 PS256"`,
      });
      const endpoint = (path: string) => `${local.issuer}${path}`;
      const discovery = [metadata, endpoint('/.well-known/oauth-authorization-server')];
      const registering = registration === 'a metadata document' ? [] : [endpoint('/register')];
      expect(app.asked.slice(0, 2)).toEqual(discovery);
      expect(app.asked.filter((address) => !discovery.includes(address))).toEqual([...registering, endpoint('/token')]);

      const clientId = app.clientMetadataUrl ?? app.clientInformation()!.client_id;
      expect(Object.fromEntries(app.authorizations[0]!.searchParams)).toMatchObject({
        client_id: clientId,
        resource: local.mcpUrl,
        // client 2.4 asks for a refresh token where the metadata says that there is a scope for it; nobody needs to.
        scope: sdk === CLIENT_2 ? 'notes:use offline_access' : 'notes:use',
        code_challenge_method: 'S256',
      });
      expect(ada.consentPage).toContain(app.clientMetadataUrl ? 'Published app' : 'Example MCP app');
      expect(ada.consentPage).toContain('Connect to your notes');
      expect(grantedTo(app)).toMatchObject({ aud: local.mcpUrl, client_id: clientId, scope: 'notes:use' });

      expect(await app.tools()).toEqual(['whoami', 'list_notes', 'add_note']);
      expect(JSON.parse(await app.call('whoami'))).toMatchObject({
        client_id: clientId,
        email: local.identityProvider.users[0]!.username,
      });
      expect(events('client.registered').length - before.registered).toBe(app.clientMetadataUrl ? 0 : 1);
      expect(events('client_metadata.fetched').length - before.fetched).toBe(app.clientMetadataUrl ? 1 : 0);
      await app.close();
    });

    it('refreshes with rotation when its access token has expired, also while the host of its document is down', async () => {
      const app = mcpApp(sdk, registration);
      await app.connect();
      const before = app.current!;
      host.disturb('reset');
      await local.stack.setClockOffset(3700);
      try {
        expect(await app.call('whoami')).toContain(local.identityProvider.users[0]!.username);
      } finally {
        await local.stack.setClockOffset(0);
        host.mend();
      }
      const calls = app.exchanges.filter(({ method }) => method === 'tools/call');
      expect(calls.map(({ status }) => status)).toEqual([401, 200]);
      expect(app.current!.refresh_token).toBeTruthy();
      expect(app.current!.refresh_token).not.toBe(before.refresh_token);
      expect(app.authorizations).toHaveLength(1);
      await app.close();
    });
  });
});

describe.each(REGISTRATIONS)('client 2.4, by %s', (registration) => {
  it('names each tool that it calls, and steps up on the 403 for that tool', async () => {
    const app = mcpApp(CLIENT_2, registration);
    await app.connect();
    await app.call('add_note', { text: 'Buy milk' });
    for (const { method, mcpMethod } of app.exchanges) expect(mcpMethod).toBe(method);
    const calls = app.exchanges.filter(({ method }) => method === 'tools/call');
    expect(calls).toMatchObject([
      {
        mcpName: 'add_note',
        status: 403,
        challenge: expect.stringMatching(
          /^Bearer error="insufficient_scope", scope="notes:use notes:read notes:write", /,
        ),
      },
      { mcpName: 'add_note', status: 200 },
    ]);
    expect(app.authorizations).toHaveLength(2);
    expect(ada.consentPage).toContain('Add notes');
    expect(grantedTo(app).scope).toBe('notes:use notes:read notes:write');
    expect(await app.call('list_notes')).toContain('Buy milk');
    await app.close();
  });
});

it('client 2.4 steps up from a token without the scope of the API itself', async () => {
  const app = mcpApp(CLIENT_2);
  await app.connect();
  await app.signInFor('notes:read');
  expect(grantedTo(app).scope).toBe('notes:read');
  expect(await app.call('whoami')).toContain('notes:use');
  expect(app.exchanges.slice(-2).map(({ status }) => status)).toEqual([403, 200]);
  await app.close();
});

describe('client 2.4 with a key of its own', () => {
  it('gets tokens that are bound to it, refreshes them, and they are worth nothing without it', async () => {
    const session = await DpopSession.create();
    const app = mcpApp(CLIENT_2, 'Dynamic Client Registration', session);
    await app.connect();
    expect(await app.call('whoami')).toContain(local.identityProvider.users[0]!.username);
    expect(app.current!.token_type).toBe('DPoP');
    expect(decodeJwt(app.current!.access_token).cnf).toEqual({ jkt: session.thumbprint });
    const stolen = app.current!.access_token;
    for (const scheme of ['Bearer', 'DPoP']) {
      const headers = { authorization: `${scheme} ${stolen}` };
      expect((await fetch(local.mcpUrl, { method: 'POST', headers })).status, scheme).toBe(401);
    }
    const before = app.current!;
    app.current = { ...before, access_token: 'worn out' };
    expect(await app.call('whoami')).toContain(local.identityProvider.users[0]!.username);
    expect(app.current.refresh_token).not.toBe(before.refresh_token);
    expect(decodeJwt(app.current.access_token).cnf).toEqual({ jkt: session.thumbprint });
    expect(app.authorizations).toHaveLength(1);
    await app.close();
  });
});

describe.each(REGISTRATIONS)('sdk 1.32, by %s', (registration) => {
  it('names no tool, gets a tool error for a missing scope, and the scope when the app asks for it', async () => {
    const app = mcpApp(SDK_1, registration);
    await app.connect();
    expect(await app.result('list_notes')).toEqual({
      isError: true,
      text: 'The access token lacks the scope notes:read.',
    });
    await app.signInFor('notes:use notes:read');
    expect(ada.consentPage).toContain('Read your notes');
    expect(grantedTo(app).scope).toBe('notes:use notes:read');
    expect(await app.result('list_notes')).toMatchObject({ isError: false });
    for (const { mcpMethod, mcpName } of app.exchanges) expect([mcpMethod, mcpName]).toEqual([null, null]);
    expect(app.exchanges.map(({ status }) => status)).not.toContain(403);
    await app.close();
  });
});

describe('sdk 1.32 with a token without the scope of the API itself', () => {
  async function narrowed(): Promise<McpApp> {
    const app = mcpApp(SDK_1);
    await app.connect();
    await app.signInFor('notes:read');
    expect(grantedTo(app).scope).toBe('notes:read');
    return app;
  }

  it('gets a 403 for every tool, refreshes in vain and says so', async () => {
    const app = await narrowed();
    const { refresh_token } = app.current!;
    await expect(app.call('whoami')).rejects.toMatchObject({ code: 403 });
    const challenge = expect.stringContaining('error="insufficient_scope"');
    expect(app.exchanges.slice(-2)).toMatchObject([
      { method: 'tools/call', status: 403, challenge },
      { method: 'tools/call', status: 403, challenge },
    ]);
    expect(app.current!.refresh_token).not.toBe(refresh_token);
    expect(app.authorizations).toHaveLength(2);
    await app.close();
  });

  it('steps up where it has no refresh token to try first', async () => {
    const app = await narrowed();
    app.current = { ...app.current!, refresh_token: undefined };
    expect(await app.call('whoami')).toContain('notes:use');
    expect(app.authorizations).toHaveLength(3);
    expect(app.exchanges.slice(-2).map(({ status }) => status)).toEqual([403, 200]);
    await app.close();
  });
});

describe('what the headers say about a call', () => {
  let accessToken: string;
  beforeAll(async () => {
    const app = mcpApp(CLIENT_2);
    await app.connect();
    await app.close();
    expect(grantedTo(app).scope).toBe('notes:use');
    accessToken = app.current!.access_token;
  });

  /** A request of MCP 2026-07-28 carries its envelope, one of earlier revisions does not. */
  function send(tool: string, revision: string, headers: Record<string, string> = {}): Promise<Response> {
    const _meta = {
      'io.modelcontextprotocol/protocolVersion': revision,
      'io.modelcontextprotocol/clientCapabilities': {},
    };
    const params = { name: tool, arguments: { text: 'Forged' }, ...(revision === '2026-07-28' && { _meta }) };
    return fetch(local.mcpUrl, {
      method: 'POST',
      headers: {
        authorization: `Bearer ${accessToken}`,
        accept: 'application/json, text/event-stream',
        'content-type': 'application/json',
        'mcp-protocol-version': revision,
        ...headers,
      },
      body: JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'tools/call', params }),
    });
  }

  const FORGED: [string, Record<string, string>][] = [
    ['nothing', {}],
    ['no tool', { 'mcp-method': 'tools/call' }],
    ['another tool', { 'mcp-method': 'tools/call', 'mcp-name': 'whoami' }],
    ['another method', { 'mcp-method': 'tools/list' }],
  ];

  it.each(FORGED)('%s: the MCP server refuses what its body does not say (2026-07-28)', async (_, headers) => {
    const response = await send('add_note', '2026-07-28', headers);
    expect(response.status).toBe(400);
    expect(await response.json()).toMatchObject({ error: { code: -32020 } });
  });

  it.each(FORGED)('%s: the tool demands its scope by itself (2025-11-25)', async (_, headers) => {
    const response = await send('add_note', '2025-11-25', headers);
    expect(response.status).toBe(200);
    expect(await response.text()).toContain('"text":"The access token lacks the scope notes:write."');
  });

  it('the right tool: the authorizer refuses', async () => {
    const response = await send('add_note', '2025-11-25', { 'mcp-method': 'tools/call', 'mcp-name': 'add_note' });
    expect(response.status).toBe(403);
    expect(response.headers.get('www-authenticate')).toContain('error="insufficient_scope"');
  });

  it('and each is judged for itself, not by what the same token was answered before', async () => {
    const statuses: number[] = [];
    for (const tool of ['whoami', 'list_notes', 'whoami']) {
      const response = await send(tool, '2026-07-28', { 'mcp-method': 'tools/call', 'mcp-name': tool });
      await response.arrayBuffer();
      statuses.push(response.status);
    }
    expect(statuses).toEqual([200, 403, 200]);
  });

  it('and none of the forged calls has added a note', async () => {
    const app = mcpApp(CLIENT_2);
    await app.connect();
    const notes: { text: string }[] = JSON.parse(await app.call('list_notes'));
    expect(notes.map(({ text }) => text)).not.toContain('Forged');
    await app.close();
  });
});

describe('what was logged', () => {
  it('holds no code, token or secret', () => expect(secretsInLogs(local, apps)).toEqual([]));
  it('shows no call that a role does not allow', () => expect(deniedCalls(local)).toEqual([]));
});
