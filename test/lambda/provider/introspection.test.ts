import { decodeJwt, UnsecuredJWT } from 'jose';
import { Keyv } from 'keyv';
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest';
import { clientKey, grantKey } from '../../../lambda/provider/keys';
import { STANDS_FOR } from '../../../lambda/provider/resource-server';
import { storedMetadata } from '../../../lambda/provider/stored-metadata';
import { type Store, StoreUnavailable } from '../../../lambda/store/store';
import { storeFor } from '../../../stores/store-for';
import { McpApp } from '../../e2e/mcp-app';
import { startExpressHost } from '../../hosts/express-host';
import { Visitor } from '../../hosts/visitor';
import { Harness, later, NOTES, RESOURCE } from './harness';

const FILES = { ...NOTES, identifier: 'https://files.example.com/mcp' };

/** The credential of the MCP server behind `resource`. */
async function addResourceServer(store: Store, clientId: string, resource: string): Promise<string> {
  const client_secret = `the secret of ${clientId}`;
  const metadata = storedMetadata({
    client_id: clientId,
    client_name: clientId,
    redirect_uris: ['https://resource-server.example.com/nowhere'],
    response_types: ['code'],
    grant_types: ['authorization_code'],
    token_endpoint_auth_method: 'client_secret_basic',
    [STANDS_FOR]: [resource],
    client_secret,
  });
  await store.configure(clientKey(clientId), metadata);
  return basic(clientId, client_secret);
}

const basic = (id: string, secret: string) =>
  `Basic ${btoa([id, secret].map((value) => encodeURIComponent(value).replaceAll('%20', '+')).join(':'))}`;

afterEach(() => {
  vi.restoreAllMocks();
  vi.useRealTimers();
});

describe('a resource server', () => {
  let harness: Harness;
  let notes: string;
  let issued: Record<'access' | 'id' | 'refresh' | 'code' | 'ofFiles', string>;
  let client: Record<string, string>;
  beforeAll(async () => {
    harness = await Harness.start({ resources: [NOTES, FILES] });
    notes = await addResourceServer(harness.store, 'notes', RESOURCE);
    client = await harness.register({ token_endpoint_auth_method: 'client_secret_post' });
    const secret = { client_secret: client.client_secret };
    const { body } = await harness.redeem(client, await harness.signIn(client, { scope: 'openid notes:use' }), secret);
    const files = { resource: FILES.identifier };
    const other = await harness.redeem(client, await harness.signIn(client, files), { ...secret, ...files });
    issued = {
      access: body.access_token!,
      id: body.id_token!,
      refresh: body.refresh_token!,
      code: (await harness.signIn(client)).code,
      ofFiles: other.body.access_token!,
    };
  });
  afterAll(() => harness[Symbol.asyncDispose]());

  const introspect = async (token: string | undefined, authorization?: string, params = {}) => {
    const response = await harness.post('/introspect', { token, ...params }, authorization ? { authorization } : {});
    return { status: response.status, body: await response.json(), headers: response.headers };
  };
  const INACTIVE = { status: 200, body: { active: false } };

  it('is told what a token says that was issued for it (RFC 7662 section 2.2)', async () => {
    const { status, body, headers } = await introspect(issued.access, notes);
    expect(status).toBe(200);
    expect(headers.get('cache-control')).toBe('no-store');
    expect(body).toEqual({ active: true, token_type: 'Bearer', ...decodeJwt(issued.access) });
    expect(body).toMatchObject({ aud: RESOURCE, client_id: client.client_id, scope: 'notes:use' });
    const post = { client_id: 'notes', client_secret: 'the secret of notes' };
    expect(await introspect(issued.access, undefined, post)).toMatchObject({ body: { active: true } });
  });

  it.each(['ofFiles', 'id', 'refresh', 'code'] as const)('is told that another is not active: %s', async (name) => {
    expect(await introspect(issued[name], notes)).toMatchObject(INACTIVE);
    expect((await introspect(issued[name], notes)).body).toEqual({ active: false });
  });

  it.each<[string, () => string]>([
    ['that is not signed', () => new UnsecuredJWT(decodeJwt(issued.access)).encode()],
    ['whose signature is another', () => `${issued.access.slice(0, -4)}AAAA`],
    ['that is none', () => 'x'],
    ['that is none, and looks like one', () => `${issued.access.split('.')[0]}.e30.x`],
  ])('is told that one %s is not active', async (_, token) => {
    expect((await introspect(token(), notes)).body).toEqual({ active: false });
  });

  it('is told that one that has expired is not active', async () => {
    later(3601);
    expect((await introspect(issued.access, notes)).body).toEqual({ active: false });
  });

  it('is told nothing without its credential', async () => {
    for (const authorization of [undefined, basic('notes', 'wrong'), basic('nobody', 'x'), `Bearer ${issued.access}`]) {
      const { status, body } = await introspect(issued.access, authorization);
      expect([400, 401], authorization).toContain(status);
      expect(body).not.toHaveProperty('active');
    }
  });

  it('is no client of people: those are told nothing of their own tokens', async () => {
    const post = { client_id: client.client_id, client_secret: client.client_secret };
    expect((await introspect(issued.access, undefined, post)).body).toEqual({ active: false });
    const open = await harness.register();
    expect((await introspect(issued.access, undefined, { client_id: open.client_id })).body).toEqual({ active: false });
  });
});

describe('where the store has what the identity provider said', () => {
  const start = async () => {
    const keyv = new Keyv();
    const store = storeFor(keyv);
    const host = await startExpressHost({ store: keyv });
    const app = new McpApp(host.mcpUrl, new Visitor());
    await app.connect();
    await app.close();
    const authorization = await addResourceServer(store, 'mcp', host.mcpUrl);
    const { access_token: token, refresh_token: refreshToken = '' } = app.current!;
    const introspect = () =>
      fetch(`${host.issuer}/introspect`, {
        method: 'POST',
        headers: { authorization },
        body: new URLSearchParams({ token }),
      });
    return { host, store, introspect, grantId: refreshToken.split('.')[0]! };
  };

  it('a token is not active any more when its grant has been revoked', async () => {
    const { host, store, introspect, grantId } = await start();
    expect(await (await introspect()).json()).toMatchObject({ active: true });
    await store.delete(grantKey(grantId));
    expect(await (await introspect()).json()).toEqual({ active: false });
    await host[Symbol.asyncDispose]();
  });

  it('an outage is no verdict about a token', async () => {
    const { host, store, introspect, grantId } = await start();
    const read = store.read.bind(store);
    vi.spyOn(store, 'read').mockImplementation(async (keys) => {
      if (keys.includes(grantKey(grantId))) throw new StoreUnavailable('gone');
      return read(keys);
    });
    const response = await introspect();
    expect(response.status).toBe(503);
    expect(response.headers.get('retry-after')).toBe('5');
    await host[Symbol.asyncDispose]();
  });
});
