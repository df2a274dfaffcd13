import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { BearerError, InsufficientScopeError, requireScope, verifyBearer } from '../../../lambda/authorizer/bearer';
import { AUDIENCE, Issuer } from './issuer';

let issuer: Issuer;

beforeAll(async () => {
  issuer = await Issuer.start();
});

afterAll(async () => {
  await issuer[Symbol.asyncDispose]();
});

const METADATA = 'https://mcp.example.com/.well-known/oauth-protected-resource/mcp';

describe('verifyBearer', () => {
  const verify = (authorization: string | undefined, scopes?: string[]) =>
    verifyBearer(authorization, { issuer: issuer.url, audience: AUDIENCE, scopes });

  it('gives the bearer', async () => {
    expect(await verify(`Bearer ${await issuer.token()}`, ['notes:read'])).toMatchObject({
      sub: 'person',
      client_id: 'client',
      scope: 'notes:read notes:write',
      claims: { aud: AUDIENCE },
    });
  });

  it('fetches the key set once for all requests', async () => {
    const token = await issuer.token();
    await verify(`Bearer ${token}`);
    issuer.fetches = 0;
    await verify(`Bearer ${token}`);
    expect(issuer.fetches).toBe(0);
  });

  it.each([undefined, '', 'Basic eDp5'])('asks for a token without an error code: %s', async (authorization) => {
    const error = await verify(authorization, ['notes:read', 'notes:write']).catch((thrown) => thrown);
    expect(error).toBeInstanceOf(BearerError);
    expect(error).toMatchObject({
      status: 401,
      error: undefined,
      challenge: `Bearer scope="notes:read notes:write", resource_metadata="${METADATA}"`,
    });
  });

  it.each(['Bearer', 'Bearer ', 'Bearer x y', 'bearer a,b', 'Bearer x'])('refuses %s', async (authorization) => {
    const error = await verify(authorization).catch((thrown) => thrown);
    expect(error).toMatchObject({ status: 401, error: 'invalid_token' });
    expect(error.challenge).toBe(
      `Bearer error="invalid_token", error_description="The access token is not valid: malformed.", resource_metadata="${METADATA}"`,
    );
  });

  it('refuses an ID token and a token for another resource', async () => {
    await expect(verify(`Bearer ${await issuer.token({}, { typ: 'JWT' })}`)).rejects.toMatchObject({ status: 401 });
    await expect(verify(`Bearer ${await issuer.token({ aud: 'https://b.example.com' })}`)).rejects.toMatchObject({
      status: 401,
    });
  });

  it('says which scopes are missing and asks for them beside those that were granted', async () => {
    const error = await verify(`Bearer ${await issuer.token({ scope: 'notes:read' })}`, [
      'notes:read',
      'notes:write',
    ]).catch((thrown) => thrown);
    expect(error).toBeInstanceOf(InsufficientScopeError);
    expect(error).toMatchObject({
      status: 403,
      error: 'insufficient_scope',
      missing: ['notes:write'],
      challenge: `Bearer error="insufficient_scope", scope="notes:read notes:write", resource_metadata="${METADATA}"`,
    });
  });

  it.each([
    ['https://mcp.example.com', 'https://mcp.example.com/.well-known/oauth-protected-resource'],
    ['https://mcp.example.com/', 'https://mcp.example.com/.well-known/oauth-protected-resource'],
    ['https://mcp.example.com:8443/a/b', 'https://mcp.example.com:8443/.well-known/oauth-protected-resource/a/b'],
    ['https://mcp.example.com/a?b=c', 'https://mcp.example.com/.well-known/oauth-protected-resource/a?b=c'],
  ])('finds the metadata of %s', async (audience, url) => {
    await expect(verifyBearer(undefined, { issuer: issuer.url, audience })).rejects.toMatchObject({
      challenge: `Bearer resource_metadata="${url}"`,
    });
  });
});

describe('an issuer that is down', () => {
  afterEach(() => {
    issuer.publish();
  });

  it('is a 503 without a challenge, never an invalid token', async () => {
    await using down = await Issuer.start();
    down.answer = { status: 500, body: '' };
    const error = await verifyBearer(`Bearer ${await down.token()}`, { issuer: down.url, audience: AUDIENCE }).catch(
      (e) => e,
    );
    expect(error).toBeInstanceOf(BearerError);
    expect(error).toMatchObject({ status: 503, error: undefined, challenge: undefined });
  });
});

describe('requireScope', () => {
  it('accepts what the authorizer hands over', () => {
    expect(() => requireScope({ scope: 'notes:read notes:write' }, 'notes:write', 'notes:read')).not.toThrow();
  });

  it.each<[string, { scope?: string } | undefined]>([
    ['nothing', undefined],
    ['no scope', {}],
    ['a scope that begins alike', { scope: 'notes:readers notes:write' }],
  ])('refuses %s', (_, granted) => {
    const demand = () => requireScope(granted, 'notes:read');
    expect(demand).toThrow(expect.objectContaining({ status: 403, missing: ['notes:read'] }));
    expect(demand).toThrow('lacks the scope notes:read');
  });

  it('names only what is missing', () => {
    expect(() => requireScope({ scope: 'b' }, 'a', 'b')).toThrow(expect.objectContaining({ missing: ['a'] }));
  });

  it('knows no metadata behind an authorizer', () => {
    expect(() => requireScope({ scope: 'a' }, 'b')).toThrow(
      expect.objectContaining({ challenge: 'Bearer error="insufficient_scope", scope="a b"' }),
    );
  });
});
