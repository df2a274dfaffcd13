import { once } from 'node:events';
import { createServer, request, type Server } from 'node:http';
import { createRequire } from 'node:module';
import type { AddressInfo } from 'node:net';
import KeyvRedis from '@keyv/redis';
import { requireBearerAuth } from '@modelcontextprotocol/sdk/server/auth/middleware/bearerAuth.js';
import { ProxyOAuthServerProvider } from '@modelcontextprotocol/sdk/server/auth/providers/proxyProvider.js';
import type { AuthInfo } from '@modelcontextprotocol/sdk/server/auth/types.js';
import { requireBearerAuth as requireBearerAuth2 } from '@modelcontextprotocol/server';
import express from 'express';
import { UnsecuredJWT } from 'jose';
import { Keyv } from 'keyv';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { createMcpAuthProvider, type McpAuthProviderOptions } from '../../hosts/mcp';
import { clientKey, grantKey, hash, resourceKey } from '../../lambda/provider/keys';
import { type Store, StoreUnavailable } from '../../lambda/store/store';
import { GRANT_CLAIM, RESOURCES_PARTITION } from '../../lib/contract';
import { storeFor } from '../../stores/store-for';
import { Issuer } from '../lambda/authorizer/issuer';
import { SOON } from '../support/soon';

let issuer: Issuer;
let keyv: Keyv;
let store: Store;

beforeAll(async () => {
  issuer = await Issuer.start();
});
afterAll(() => issuer[Symbol.asyncDispose]());
beforeEach(() => {
  keyv = new Keyv();
  store = storeFor(keyv);
});

const servers: Server[] = [];
afterEach(async () => {
  vi.restoreAllMocks();
  issuer.publish();
  for (const server of servers.splice(0)) {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  }
});

/** An MCP server as the README has it, which answers with what it knows of the caller. */
async function startMcpServer(options: Partial<McpAuthProviderOptions> = {}, requiredScopes?: string[]) {
  const app = express();
  const server = createServer(app).listen(0, '127.0.0.1');
  servers.push(server);
  await once(server, 'listening');
  const origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const provider = createMcpAuthProvider({
    oidcBaseUrl: issuer.url,
    store: keyv,
    mcpServerBaseUrl: origin,
    ...options,
  });
  const { proxyOAuthServerProviderConfig, mcpRoutes, resourceMetadataUrl } = provider;
  const authProvider = new ProxyOAuthServerProvider(proxyOAuthServerProviderConfig);
  app.use(mcpRoutes);
  app.use(express.json());
  app.all(
    options.mcpEndpointPath ?? '/mcp',
    requireBearerAuth({ verifier: authProvider, resourceMetadataUrl, requiredScopes }),
    async (req, res) => {
      const { token: _, ...auth } = (req as typeof req & { auth: AuthInfo }).auth;
      res.json(auth);
    },
  );
  return {
    ...provider,
    origin,
    resource: `${origin}${options.mcpEndpointPath ?? '/mcp'}`,
    ask: (path: string, headers: Record<string, string> = {}, method = 'GET') =>
      fetch(`${origin}${path}`, { method, headers }),
  };
}

const bearer = (token: string) => ({ authorization: `Bearer ${token}` });

describe('the MCP server', () => {
  it('is registered in the store, where the authorization server finds it, beside others', async () => {
    await createMcpAuthProvider({ oidcBaseUrl: issuer.url, store: keyv, mcpServerBaseUrl: 'https://a.example.com' });
    const scopesSupported = ['openid', 'read', { name: 'write', description: 'Change things', default: false }];
    for (let start = 1; start <= 2; start += 1) {
      createMcpAuthProvider({
        oidcBaseUrl: issuer.url,
        store: keyv,
        mcpServerBaseUrl: 'https://b.example.com/',
        name: 'Reports',
        mcpEndpointPath: '/api/mcp',
        scopesSupported,
      });
    }
    await vi.waitFor(async () => expect(await store.list(RESOURCES_PARTITION)).toHaveLength(2), SOON);
    const [a, b] = await store.read(['https://a.example.com/mcp', 'https://b.example.com/api/mcp'].map(resourceKey));
    expect(a?.value).toMatchObject({
      identifier: 'https://a.example.com/mcp',
      scopes: [{ name: 'mcp:use', default: true }],
    });
    expect(b?.value).toMatchObject({
      identifier: 'https://b.example.com/api/mcp',
      name: 'Reports',
      default: false,
      scopes: [
        { name: 'read', description: 'read', default: true },
        { name: 'write', description: 'Change things', default: false },
      ],
    });
  });

  it('tells clients where to sign in, at both well-known addresses of its own and at no other', async () => {
    const { origin, ask, resourceMetadataUrl } = await startMcpServer({ scopesSupported: ['read', 'write'] });
    expect(resourceMetadataUrl).toBe(`${origin}/.well-known/oauth-protected-resource/mcp`);
    for (const path of ['/.well-known/oauth-protected-resource/mcp', '/.well-known/oauth-protected-resource']) {
      const response = await ask(path);
      expect(response.headers.get('access-control-allow-origin')).toBe('*');
      expect(await response.json()).toEqual({
        resource: `${origin}/mcp`,
        authorization_servers: [issuer.url],
        scopes_supported: ['read', 'write'],
        bearer_methods_supported: ['header'],
      });
      expect((await ask(path, {}, 'POST')).status).toBe(405);
    }
    expect((await ask('/.well-known/oauth-protected-resource/other')).status).toBe(404);
    expect((await ask('/.well-known/oauth-protected-resource/mcp/other')).status).toBe(404);
  });

  it('does not tell before the authorization server can know it, and goes on trying', async () => {
    const set = vi.spyOn(store, 'set').mockRejectedValue(new StoreUnavailable('gone'));
    const logged = vi.spyOn(console, 'error').mockReturnValue();
    const { ask, resource } = await startMcpServer();
    const response = await ask('/.well-known/oauth-protected-resource');
    expect(response.status).toBe(503);
    expect(response.headers.get('retry-after')).toBe('5');
    expect(String(logged.mock.lastCall)).toContain('resource.registration_failed');
    set.mockRestore();
    expect((await ask('/.well-known/oauth-protected-resource')).status).toBe(200);
    expect((await store.read([resourceKey(resource)]))[0]).toBeDefined();
  });

  it('lets pages of every origin ask, without credentials', async () => {
    const { ask } = await startMcpServer();
    const preflight = await ask(
      '/mcp',
      { origin: 'https://app.example.com', 'access-control-request-method': 'POST' },
      'OPTIONS',
    );
    expect(preflight.status).toBe(204);
    expect(preflight.headers.get('access-control-allow-origin')).toBe('*');
    expect(preflight.headers.get('access-control-allow-credentials')).toBeNull();
    for (const header of [
      'Authorization',
      'MCP-Protocol-Version',
      'Mcp-Method',
      'Mcp-Name',
      'Mcp-Session-Id',
      'DPoP',
    ]) {
      expect(preflight.headers.get('access-control-allow-headers')).toContain(header);
    }
    const unauthorized = await ask('/mcp', { origin: 'https://app.example.com' });
    expect(unauthorized.status).toBe(401);
    expect(unauthorized.headers.get('access-control-allow-origin')).toBe('*');
    expect(unauthorized.headers.get('access-control-expose-headers')).toContain('WWW-Authenticate');
  });
});

describe('a call with a token for this server', () => {
  it('reaches the handler, which knows the person, the client and the scopes', async () => {
    const { ask, resource } = await startMcpServer();
    const claims = { aud: resource, email: 'ada@example.com', scope: 'mcp:use' };
    const response = await ask('/mcp', bearer(await issuer.token(claims)));
    expect(response.status).toBe(200);
    expect(await response.json()).toEqual({
      clientId: 'client',
      scopes: ['mcp:use'],
      expiresAt: expect.any(Number),
      resource,
      extra: { sub: 'person', claims: { sub: 'person', email: 'ada@example.com' } },
    });
  });

  it('brings what the identity provider has said, where the authorization server keeps it in the store', async () => {
    const { ask, resource } = await startMcpServer();
    const upstreamClaims = { sub: 'ada', name: 'Ada', email: 'ada@example.com' };
    await store.set(grantKey('grant-1'), { upstreamClaims, customData: { groups: ['staff'] } });
    const response = await ask('/mcp', bearer(await issuer.token({ aud: resource, [GRANT_CLAIM]: hash('grant-1') })));
    const { extra } = (await response.json()) as AuthInfo;
    expect(extra).toEqual({ sub: 'person', claims: upstreamClaims, customData: { groups: ['staff'] } });
  });

  it('is over with its grant', async () => {
    const { ask, resource } = await startMcpServer();
    await store.set(grantKey('grant-2'), {});
    const token = bearer(await issuer.token({ aud: resource, [GRANT_CLAIM]: hash('grant-2') }));
    expect((await ask('/mcp', token)).status).toBe(200);
    await store.delete(grantKey('grant-2'));
    expect((await ask('/mcp', token)).status).toBe(401);
  });

  it('is no invalid one while the store, or the issuer, is down', async () => {
    const { ask, resource } = await startMcpServer();
    const token = bearer(await issuer.token({ aud: resource, [GRANT_CLAIM]: hash('grant-3') }));
    vi.spyOn(store, 'read').mockRejectedValue(new StoreUnavailable('gone'));
    expect((await ask('/mcp', token)).status).toBe(500);
    vi.restoreAllMocks();
    const cold = await startMcpServer();
    issuer.answer = { status: 503, body: '' };
    expect((await cold.ask('/mcp', bearer(await issuer.token({ aud: cold.resource })))).status).toBe(500);
  });

  it('does not wait without end for a store whose database does not answer, nor do the metadata', async () => {
    const adapter = new KeyvRedis('redis://127.0.0.1:1');
    const logged = vi.spyOn(console, 'error').mockReturnValue();
    const onVerifyError = vi.fn();
    const { ask, resource } = await startMcpServer({ store: new Keyv({ store: adapter }), onVerifyError });
    const token = bearer(await issuer.token({ aud: resource, [GRANT_CLAIM]: hash('grant-4') }));
    const [call, metadata] = await Promise.all([ask('/mcp', token), ask('/.well-known/oauth-protected-resource/mcp')]);
    expect(call.status).toBe(500);
    expect(onVerifyError).toHaveBeenCalledExactlyOnceWith(expect.any(StoreUnavailable));
    expect([metadata.status, metadata.headers.get('retry-after')]).toEqual([503, '5']);
    expect(String(logged.mock.lastCall)).toContain('resource.registration_failed');
    await adapter.disconnect(true);
  });

  it('needs the scopes that the SDK is told to require', async () => {
    const { ask, resource } = await startMcpServer({}, ['notes:write']);
    expect((await ask('/mcp', bearer(await issuer.token({ aud: resource })))).status).toBe(200);
    const response = await ask('/mcp', bearer(await issuer.token({ aud: resource, scope: 'notes:read' })));
    expect(response.status).toBe(403);
    expect(response.headers.get('www-authenticate')).toContain('error="insufficient_scope"');
  });
});

describe('a call is refused with 401 and the way to another token, where its token', () => {
  const now = () => Math.floor(Date.now() / 1000);
  const tokens: Record<string, (resource: string) => Promise<string> | string> = {
    'is for another resource': () => issuer.token({ aud: 'https://other.example.com/mcp' }),
    'is for the origin alone': (resource) => issuer.token({ aud: new URL(resource).origin }),
    'is for this resource and another': (resource) => issuer.token({ aud: [resource, 'https://other.example.com'] }),
    'is of another issuer': (resource) => issuer.token({ aud: resource, iss: 'https://issuer.example.com' }),
    'is an ID token': (resource) => issuer.token({ aud: resource }, { typ: 'JWT' }),
    'has no type': (resource) => issuer.token({ aud: resource }, { typ: undefined }),
    'is not signed': (resource) => new UnsecuredJWT({ ...issuer.claims(), aud: resource }).encode(),
    'has expired': (resource) => issuer.token({ aud: resource, iat: now() - 7200, exp: now() - 3600 }),
    'never expires': (resource) => issuer.token({ aud: resource, exp: undefined }),
    'is bound to a key': (resource) => issuer.token({ aud: resource, cnf: { jkt: 'x' } }),
    'names a grant that there is not': (resource) => issuer.token({ aud: resource, [GRANT_CLAIM]: 'x' }),
    'is none': () => 'x',
  };

  it.each(Object.keys(tokens))('%s', async (name) => {
    const onVerifyError = vi.fn();
    const { ask, resource, resourceMetadataUrl } = await startMcpServer({ onVerifyError });
    const response = await ask('/mcp', bearer(await tokens[name]!(resource)));
    expect(response.status).toBe(401);
    expect(response.headers.get('www-authenticate')).toMatch(/^Bearer error="invalid_token", /);
    expect(response.headers.get('www-authenticate')).toContain(`resource_metadata="${resourceMetadataUrl}"`);
    expect(await response.json()).toMatchObject({ error: 'invalid_token' });
    expect(onVerifyError).toHaveBeenCalledOnce();
  });

  it('is one of two', async () => {
    const { origin, resource, resourceMetadataUrl } = await startMcpServer();
    const right = `Bearer ${await issuer.token({ aud: resource })}`;
    for (const authorization of [
      [right, right],
      ['Bearer x', right],
      [right, 'Basic eDp5'],
    ]) {
      // A list is sent as that many headers.
      const sent = request(`${origin}/mcp`, { method: 'POST', headers: { authorization } as never });
      sent.end();
      const [response] = await once(sent, 'response');
      expect(response.statusCode).toBe(401);
      expect(response.headers['www-authenticate']).toContain(`resource_metadata="${resourceMetadataUrl}"`);
      response.resume();
    }
  });

  it('is presented in another way', async () => {
    const { ask, resource } = await startMcpServer();
    const token = await issuer.token({ aud: resource });
    for (const authorization of [`Basic ${btoa(`x:${token}`)}`, `DPoP ${token}`, token, `Bearer ${token},Bearer x`]) {
      expect((await ask('/mcp', { authorization })).status, authorization).toBe(401);
    }
    expect((await ask(`/mcp?access_token=${token}`)).status).toBe(401);
    expect((await ask('/mcp', { cookie: `access_token=${token}` })).status).toBe(401);
  });
});

describe('what it throws for an invalid token', () => {
  const verifier = () =>
    createMcpAuthProvider({ oidcBaseUrl: issuer.url, store: keyv, mcpServerBaseUrl: 'https://a.example.com' })
      .proxyOAuthServerProviderConfig;

  it('is an error that version 2 of the SDK answers with 401', async () => {
    const gate = requireBearerAuth2({ verifier: verifier() });
    const answer = await gate(new Request('https://a.example.com/mcp', { headers: bearer('x') }));
    expect(answer).toBeInstanceOf(Response);
    expect((answer as Response).status).toBe(401);
  });

  it('is an error of the copy of version 1 that is in use', async () => {
    const thrown = () =>
      verifier()
        .verifyAccessToken('x')
        .catch((error: unknown) => error);
    const modules = await import('@modelcontextprotocol/sdk/server/auth/errors.js');
    expect(await thrown()).toBeInstanceOf(modules.InvalidTokenError);
    const commonJs = createRequire(__filename)('@modelcontextprotocol/sdk/server/auth/errors.js');
    expect(await thrown()).toBeInstanceOf(commonJs.InvalidTokenError);
  });
});

describe('the keys of the issuer', () => {
  it('are fetched again for a key that is not known, no sooner than it is said', async () => {
    const { ask, resource } = await startMcpServer({ jwksCacheOptions: { cooldownDuration: 0 } });
    await ask('/mcp', bearer(await issuer.token({ aud: resource })));
    const { keySet } = issuer;
    await issuer.rotate();
    issuer.fetches = 0;
    const { jwk } = issuer.keySet.next;
    expect((await ask('/mcp', bearer(await issuer.token({ aud: resource }, {}, jwk)))).status).toBe(200);
    expect(issuer.fetches).toBe(1);
    issuer.keySet = keySet;
  });

  it('are used for as long as it is said while there are no others', async () => {
    const { ask, resource } = await startMcpServer({ jwksCacheOptions: { cacheMaxAge: 0 } });
    const token = bearer(await issuer.token({ aud: resource }));
    expect((await ask('/mcp', token)).status).toBe(200);
    issuer.answer = { status: 503, body: '' };
    expect((await ask('/mcp', token)).status).toBe(500);
  });
});

describe('for mcpAuthRouter', () => {
  it('finds clients as they have registered, without their secrets', async () => {
    const { proxyOAuthServerProviderConfig } = await startMcpServer();
    const registered = {
      client_id: 'client-1',
      client_name: 'A client',
      client_secret: 'hash',
      redirect_uris: ['https://client.example.com/callback'],
      token_endpoint_auth_method: 'client_secret_post',
    };
    await store.set(clientKey('client-1'), registered);
    const { client_secret: _, ...shown } = registered;
    expect(await proxyOAuthServerProviderConfig.getClient('client-1')).toEqual(shown);
    expect(await proxyOAuthServerProviderConfig.getClient('client-2')).toBeUndefined();
  });
});

describe('a setting that is wrong', () => {
  const right: McpAuthProviderOptions = {
    oidcBaseUrl: 'https://auth.example.com',
    store: new Keyv(),
    mcpServerBaseUrl: 'https://mcp.example.com',
  };
  it.each<[string, object]>([
    ['oidcBaseUrl', { oidcBaseUrl: undefined }],
    ['oidcBaseUrl', { oidcBaseUrl: 'http://auth.example.com' }],
    ['mcpServerBaseUrl', { mcpServerBaseUrl: 'https://mcp.example.com/api' }],
    ['mcpServerBaseUrl', { mcpServerBaseUrl: 'mcp.example.com' }],
    ['mcpEndpointPath', { mcpEndpointPath: 'mcp' }],
    ['mcpEndpointPath', { mcpEndpointPath: '/:any' }],
    ["mcpEndpointPath: got '/health'; needs a path that is for nothing else", { mcpEndpointPath: '/health' }],
    ['scopesSupported', { scopesSupported: ['two words'] }],
    ['scopesSupported', { scopesSupported: 'read write' }],
    ['scopesSupported', { scopesSupported: [{ description: 'Read' }] }],
    ['jwksCacheOptions.cacheMaxAge', { jwksCacheOptions: { cacheMaxAge: '1h' } }],
    ['jwksCacheOptions.maxAge', { jwksCacheOptions: { maxAge: 60 } }],
    ['jwksCacheOptions', { jwksCacheOptions: 60 }],
    ['scopesSupported', { scopesSupported: [{ name: 'write', implies: ['read'] }] }],
    ['name', { name: '' }],
    ['singleProcess', { singleProcess: 'no' }],
    ['onVerifyError', { onVerifyError: 'log' }],
    ['allow', { allow: [] }],
    ['store', { store: undefined }],
  ])('is named at the start: %s', (name, wrong) => {
    expect(() => createMcpAuthProvider({ ...right, ...wrong } as McpAuthProviderOptions)).toThrow(name);
  });
});
