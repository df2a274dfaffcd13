import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { TOKEN_EXCHANGE } from '../../../lambda/provider/resource-server';
import { ROUTES } from '../../../lib/contract';
import { serverRoutes } from './engine-routes';
import { Harness, ISSUER, NOTES } from './harness';

let harness: Harness;
beforeAll(async () => {
  harness = await Harness.start();
});
afterAll(() => harness[Symbol.asyncDispose]());

const METADATA = ['/.well-known/oauth-authorization-server', '/.well-known/openid-configuration'];

describe('the metadata', () => {
  it.each(METADATA)('at %s names the issuer and what clients look for', async (path) => {
    const response = await harness.fetch(path, { headers: { origin: 'https://inspector.example' } });
    expect(response.headers.get('access-control-allow-origin')).toBeTruthy();
    expect(response.headers.get('cache-control')).toMatch(/max-age=\d+/);
    expect(await response.json()).toMatchObject({
      issuer: ISSUER,
      authorization_endpoint: `${ISSUER}/authorize`,
      token_endpoint: `${ISSUER}/token`,
      registration_endpoint: `${ISSUER}/register`,
      revocation_endpoint: `${ISSUER}/revoke`,
      jwks_uri: `${ISSUER}/jwks`,
      authorization_response_iss_parameter_supported: true,
      code_challenge_methods_supported: ['S256'],
      grant_types_supported: ['authorization_code', 'refresh_token'],
      id_token_signing_alg_values_supported: ['RS256'],
      response_modes_supported: ['query'],
      response_types_supported: ['code'],
      scopes_supported: ['openid', 'offline_access', 'notes:use', 'notes:read', 'notes:write'],
      subject_types_supported: ['public'],
      token_endpoint_auth_methods_supported: ['none', 'client_secret_basic', 'client_secret_post', 'private_key_jwt'],
    });
  });

  it.each(METADATA)('at %s says how clients authenticate, at each endpoint (RFC 8414 section 2)', async (path) => {
    const methods = ['client_secret_basic', 'client_secret_post', 'private_key_jwt'];
    const algorithms = ['RS256', 'PS256', 'ES256', 'EdDSA', 'Ed25519'];
    expect(await (await harness.fetch(path)).json()).toMatchObject({
      token_endpoint_auth_methods_supported: ['none', ...methods],
      token_endpoint_auth_signing_alg_values_supported: algorithms,
      revocation_endpoint_auth_methods_supported: ['none', ...methods],
      revocation_endpoint_auth_signing_alg_values_supported: algorithms,
      introspection_endpoint_auth_methods_supported: methods,
      introspection_endpoint_auth_signing_alg_values_supported: algorithms,
    });
  });

  it.each(METADATA)('at %s offers token exchange where a resource has upstream tokens', async (path) => {
    await using acting = await Harness.start({ instances: 1, resources: [{ ...NOTES, upstreamTokens: true }] });
    const { grant_types_supported } = (await (await acting.fetch(path)).json()) as { grant_types_supported: string[] };
    expect(grant_types_supported).toEqual(['authorization_code', 'refresh_token', TOKEN_EXCHANGE]);
  });

  it.each(METADATA)('at %s follows no Host and no forwarded header', async (path) => {
    const plain = await (await harness.fetch(path)).text();
    const poisoned: Record<string, string>[] = [
      { host: 'evil.example' },
      { 'x-forwarded-host': 'evil.example', 'x-forwarded-proto': 'http' },
      { forwarded: 'host=evil.example;proto=http' },
    ];
    for (const headers of poisoned) {
      expect(await (await harness.fetch(path, { headers })).text()).toBe(plain);
    }
  });

  it.each(METADATA)('at %s is the same for a browser', async (path) => {
    const response = await harness.fetch(path, { headers: { accept: 'text/html,*/*;q=0.8' } });
    expect(response.headers.get('content-type')).toMatch(/^application\/json/);
    expect(response.headers.get('cache-control')).toBe('public, max-age=300');
  });

  it.each(METADATA)('at %s has the same headers for HEAD, and no body (RFC 9110 section 8.6)', async (path) => {
    const [got, head] = await Promise.all(['GET', 'HEAD'].map((method) => harness.fetch(path, { method })));
    expect(await head!.text()).toBe('');
    expect([head!.status, Object.fromEntries(head!.headers)]).toEqual([200, Object.fromEntries(got!.headers)]);
    expect(got!.headers.get('content-length')).toBe(String(Buffer.byteLength(await got!.text())));
  });

  it.each(METADATA)('at %s promises nothing that is not there', async (path) => {
    const metadata = (await (await harness.fetch(path)).json()) as object;
    for (const name of [
      'dpop_signing_alg_values_supported',
      'end_session_endpoint',
      'pushed_authorization_request_endpoint',
      'userinfo_endpoint',
    ]) {
      expect(metadata).not.toHaveProperty(name);
    }
    expect(metadata).toHaveProperty('claims_supported', expect.not.arrayContaining(['sid']));
  });

  it('is not there for another issuer', async () => {
    expect((await harness.fetch('/.well-known/oauth-authorization-server/other')).status).toBe(404);
  });
});

describe('the key set', () => {
  it('holds the public halves of the key that signs and of the next', async () => {
    const response = await harness.fetch('/jwks');
    const { keys } = (await response.json()) as { keys: Record<string, string>[] };
    expect(keys).toHaveLength(2);
    for (const key of keys) expect(Object.keys(key).sort()).toEqual(['alg', 'e', 'kid', 'kty', 'n', 'use']);
    expect(response.headers.get('cache-control')).toBe('public, max-age=60');
  });
});

describe('the routes', () => {
  it('are those of the engine and of the sign-in, each path and method', async () => {
    const declared = ROUTES.flatMap(({ path, methods }) => methods.map((method) => `${method} ${path}`));
    expect(await serverRoutes()).toEqual(declared.sort());
  });
});
