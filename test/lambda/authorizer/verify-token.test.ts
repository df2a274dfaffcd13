import { createPublicKey, generateKeyPairSync } from 'node:crypto';
import { exportJWK, SignJWT, UnsecuredJWT } from 'jose';
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest';
import { KeySetUnavailableError, remoteKeySet } from '../../../lambda/authorizer/remote-key-set';
import { verifyToken } from '../../../lambda/authorizer/verify-token';
import { makeSigningKey } from '../../../lambda/key-set/make-key-set';
import type { PrivateJwk } from '../../../lib/contract';
import { SOON } from '../../support/soon';
import { AUDIENCE, Issuer } from './issuer';

let issuer: Issuer;

beforeAll(async () => {
  issuer = await Issuer.start();
});

afterAll(async () => {
  await issuer[Symbol.asyncDispose]();
});

afterEach(() => {
  vi.useRealTimers();
  issuer.maxAge = undefined;
  issuer.publish();
});

function verifier(keySet = remoteKeySet(`${issuer.url}/jwks`)) {
  return (token: string) => verifyToken(token, { issuer: issuer.url, audience: AUDIENCE, keySet });
}

const now = Math.floor(Date.now() / 1000);

describe('a valid access token', () => {
  it('gives person, client, scope and all claims', async () => {
    const claims = { ...issuer.claims(), email: 'person@example.com' };
    expect(await verifier()(await issuer.token(claims))).toEqual({
      sub: 'person',
      client_id: 'client',
      scope: 'notes:read notes:write',
      claims,
    });
  });

  it('may be signed with the next key, which is published already', async () => {
    await expect(verifier()(await issuer.token({}, {}, issuer.keySet.next.jwk))).resolves.toMatchObject({
      sub: 'person',
    });
  });

  it('may have the long form of its type', async () => {
    await expect(verifier()(await issuer.token({}, { typ: 'application/at+jwt' }))).resolves.toBeDefined();
  });

  it('grants nothing where it has no scope', async () => {
    expect(await verifier()(await issuer.token({ scope: undefined }))).toMatchObject({ scope: '' });
  });

  it('may be signed with ES256', async () => {
    const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
    const jwk = { ...(await exportJWK(privateKey)), kid: 'ec', alg: 'ES256', use: 'sig' } as unknown as PrivateJwk;
    const { d: _, ...published } = jwk;
    issuer.answer = { status: 200, body: JSON.stringify({ keys: [published] }) };
    await expect(verifier()(await issuer.token({}, {}, jwk))).resolves.toMatchObject({ sub: 'person' });
  });
});

describe('a token that is refused', () => {
  it.each<[string, Record<string, unknown>, string]>([
    ['is for another audience', { aud: 'https://other.example.com/mcp' }, 'aud'],
    ['is for this audience and another one', { aud: [AUDIENCE, 'https://other.example.com/mcp'] }, 'aud'],
    ['is for a path below', { aud: `${AUDIENCE}/` }, 'aud'],
    ['has no audience', { aud: undefined }, 'aud'],
    ['is of another issuer', { iss: 'https://issuer.example.com' }, 'iss'],
    ['has no issuer', { iss: undefined }, 'iss'],
    ['has expired', { exp: now - 1 }, 'expired'],
    ['never expires', { exp: undefined }, 'exp'],
    ['is not valid yet', { nbf: now + 600 }, 'nbf'],
    ['has no time of issue', { iat: undefined }, 'iat'],
    ['has no person', { sub: undefined }, 'sub'],
    ['has an empty person', { sub: '' }, 'sub'],
    ['has no client', { client_id: undefined }, 'client_id'],
    ['has a client that is not a string', { client_id: 7 }, 'client_id'],
    ['has no identifier', { jti: undefined }, 'jti'],
    ['has an identifier that is not a string', { jti: {} }, 'jti'],
    ['has a list of scopes', { scope: ['notes:read'] }, 'scope'],
    ['is bound to a key with DPoP', { cnf: { jkt: 'thumbprint' } }, 'cnf'],
  ])('%s', async (_, claims, reason) => {
    await expect(verifier()(await issuer.token(claims))).rejects.toMatchObject({ name: 'InvalidTokenError', reason });
  });

  it.each<[string, Record<string, unknown>, string]>([
    ['is an ID token', { typ: 'JWT' }, 'typ'],
    ['has no type', { typ: undefined }, 'typ'],
    ['is an ID-JAG', { typ: 'oauth-id-jag+jwt' }, 'typ'],
    ['names an unknown key', { kid: 'unknown' }, 'kid'],
    ['names no key where there are several', { kid: undefined }, 'kid'],
    ['is signed with an algorithm that is not allowed', { alg: 'RS512' }, 'alg'],
    ['is signed with another algorithm than its key is for', { alg: 'PS256' }, 'kid'],
  ])('%s', async (_, header, reason) => {
    await expect(verifier()(await issuer.token({}, header))).rejects.toMatchObject({
      name: 'InvalidTokenError',
      reason,
    });
  });

  it('is not signed', async () => {
    const token = new UnsecuredJWT(issuer.claims()).encode();
    await expect(verifier()(token)).rejects.toMatchObject({ name: 'InvalidTokenError' });
    const header = Buffer.from(
      JSON.stringify({ alg: 'none', typ: 'at+jwt', kid: issuer.keySet.current.jwk.kid }),
    ).toString('base64url');
    await expect(verifier()(`${header}.${token.split('.')[1]}.`)).rejects.toMatchObject({ reason: 'alg' });
  });

  it('is signed with an HMAC under the public key', async () => {
    const { jwk } = issuer.keySet.current;
    const pem = createPublicKey({ key: jwk, format: 'jwk' }).export({ type: 'spki', format: 'pem' });
    const token = await new SignJWT(issuer.claims())
      .setProtectedHeader({ alg: 'HS256', typ: 'at+jwt', kid: jwk.kid })
      .sign(Buffer.from(pem));
    await expect(verifier()(token)).rejects.toMatchObject({ name: 'InvalidTokenError', reason: 'alg' });
  });

  it('is signed with a key of its own, whether it carries that key or claims to be ours', async () => {
    const { jwk } = await makeSigningKey(now);
    const { kty, n, e } = jwk;
    const own = issuer.token({}, { jwk: { kty, n, e } }, jwk);
    await expect(verifier()(await own)).rejects.toMatchObject({ reason: 'kid' });
    const ours = issuer.token({}, { kid: issuer.keySet.current.jwk.kid }, jwk);
    await expect(verifier()(await ours)).rejects.toMatchObject({ reason: 'signature' });
  });

  it('was changed', async () => {
    const [header, , signature] = (await issuer.token()).split('.');
    const payload = Buffer.from(JSON.stringify({ ...issuer.claims(), sub: 'admin' })).toString('base64url');
    await expect(verifier()(`${header}.${payload}.${signature}`)).rejects.toMatchObject({ reason: 'signature' });
  });

  it.each(['x', 'a.b', 'a.b.c', '..', 'e30.e30.e30', 'a.b.c.d.e'])('is not a JWT: %s', async (token) => {
    await expect(verifier()(token)).rejects.toMatchObject({ name: 'InvalidTokenError' });
  });

  it('has a critical header parameter that nobody here understands', async () => {
    const [, payload, signature] = (await issuer.token()).split('.');
    const header = { alg: 'RS256', typ: 'at+jwt', kid: issuer.keySet.current.jwk.kid, crit: ['x'], x: 1 };
    const token = `${Buffer.from(JSON.stringify(header)).toString('base64url')}.${payload}.${signature}`;
    await expect(verifier()(token)).rejects.toMatchObject({ name: 'InvalidTokenError' });
  });
});

describe('the key set', () => {
  it('is fetched once for many tokens, also when they come at once', async () => {
    const verify = verifier();
    const token = await issuer.token();
    issuer.fetches = 0;
    await Promise.all(Array.from({ length: 20 }, () => verify(token)));
    await verify(token);
    expect(issuer.fetches).toBe(1);
  });

  it('serves on past its max-age while the next is fetched once, and is not waited for', async () => {
    issuer.maxAge = 60;
    vi.useFakeTimers({ toFake: ['Date'] });
    const verify = verifier();
    const token = await issuer.token({ exp: now + 3600 });
    await verify(token);
    await issuer.rotate();
    issuer.fetches = 0;
    vi.setSystemTime(Date.now() + 59_000);
    await verify(token);
    expect(issuer.fetches).toBe(0);

    vi.setSystemTime(Date.now() + 1_000);
    await Promise.all(Array.from({ length: 5 }, () => verify(token)));
    await vi.waitFor(() => expect(issuer.fetches).toBe(1), SOON);
    await vi.waitFor(() => issuer.token({ exp: now + 3600 }, {}, issuer.keySet.next.jwk).then(verify), SOON);
    expect(issuer.fetches).toBe(1);
  });

  it('is waited for past the hard bound', async () => {
    issuer.maxAge = 60;
    vi.useFakeTimers({ toFake: ['Date'] });
    const verify = verifier();
    const revoked = await issuer.token({ exp: now + 3600 });
    await verify(revoked);
    await issuer.rotate();
    vi.setSystemTime(Date.now() + 120_000);
    await expect(verify(revoked)).rejects.toMatchObject({ reason: 'kid' });
  });

  it('outlives an outage for ten minutes, asks again every second at most, and is there again after it', async () => {
    issuer.maxAge = 60;
    vi.useFakeTimers({ toFake: ['Date'] });
    const verify = verifier();
    const token = await issuer.token({ exp: now + 3600 });
    await verify(token);
    issuer.fetches = 0;
    issuer.answer = { status: 503, body: '' };
    vi.setSystemTime(Date.now() + 599_000);
    for (let i = 0; i < 5; i++) await verify(token);
    expect(issuer.fetches).toBe(1);
    vi.setSystemTime(Date.now() + 1_000);
    await expect(verify(token)).rejects.toThrow(KeySetUnavailableError);
    issuer.publish();
    await expect(verify(token)).resolves.toBeDefined();
  });

  it('is asked for again a second after an error, which says nothing about how long a key set may be kept', async () => {
    vi.useFakeTimers({ toFake: ['Date'] });
    const verify = verifier();
    issuer.maxAge = 60;
    const revoked = await issuer.token({ exp: now + 3600 });
    await verify(revoked);
    issuer.answer = { status: 503, body: '' };
    issuer.maxAge = undefined;
    vi.setSystemTime(Date.now() + 120_000);
    await verify(revoked);
    await issuer.rotate();
    vi.setSystemTime(Date.now() + 1_000);
    await expect(verify(revoked)).rejects.toMatchObject({ reason: 'kid' });
  });

  it('is fetched again where the clock was set back after an error', async () => {
    vi.useFakeTimers({ toFake: ['Date'] });
    issuer.maxAge = 60;
    const verify = verifier();
    const revoked = await issuer.token({ exp: now + 3600 });
    await verify(revoked);
    issuer.answer = { status: 503, body: '' };
    vi.setSystemTime(Date.now() + 120_000);
    await verify(revoked);
    await issuer.rotate();
    vi.setSystemTime(Date.now() - 300_000);
    await expect(verify(revoked)).rejects.toMatchObject({ reason: 'kid' });
  });

  it('is fetched again where the clock was set back', async () => {
    vi.useFakeTimers({ toFake: ['Date'] });
    vi.setSystemTime(Date.now() + 7_200_000);
    const verify = verifier();
    await verify(await issuer.token({ exp: now + 10_800 }));
    vi.setSystemTime(Date.now() - 7_200_000);
    const revoked = await issuer.token();
    await issuer.rotate();
    await expect(verify(revoked)).rejects.toMatchObject({ reason: 'kid' });
  });

  it('is not kept for longer than ten minutes, whatever it says', async () => {
    issuer.maxAge = 86_400;
    vi.useFakeTimers({ toFake: ['Date'] });
    const verify = verifier();
    const revoked = await issuer.token({ exp: now + 7200 });
    await verify(revoked);
    await issuer.rotate();
    vi.setSystemTime(Date.now() + 1_200_000);
    await expect(verify(revoked)).rejects.toMatchObject({ reason: 'kid' });
  });

  it('is fetched once more for an unknown key, but not again and again', async () => {
    const verify = verifier();
    vi.useFakeTimers({ toFake: ['Date'] });
    await verify(await issuer.token());
    await issuer.rotate();
    await issuer.rotate();
    issuer.fetches = 0;

    await expect(verify(await issuer.token())).rejects.toMatchObject({ reason: 'kid' });
    expect(issuer.fetches).toBe(0);

    vi.setSystemTime(Date.now() + 31_000);
    await expect(verify(await issuer.token())).resolves.toBeDefined();
    await expect(verify(await issuer.token({}, { kid: 'made up' }))).rejects.toMatchObject({ reason: 'kid' });
    expect(issuer.fetches).toBe(1);
  });

  it.each([
    ['answers with an error', { status: 500, body: '' }],
    ['answers with a page', { status: 200, body: '<html>' }],
    ['answers with something else than keys', { status: 200, body: '{"keys":{}}' }],
    ['moved', { status: 302, body: '' }],
  ])('is unavailable where the issuer %s, and the token is not called invalid', async (_, answer) => {
    const token = await issuer.token();
    issuer.answer = answer;
    await expect(verifier()(token)).rejects.toThrow(KeySetUnavailableError);
  });

  it('is unavailable where nobody listens', async () => {
    const token = await issuer.token();
    await expect(verifier(remoteKeySet('http://127.0.0.1:1/jwks'))(token)).rejects.toThrow(KeySetUnavailableError);
  });

  it('is unavailable where no answer comes within 5 seconds', async () => {
    const token = await issuer.token();
    issuer.answer = undefined;
    await expect(verifier()(token)).rejects.toThrow(KeySetUnavailableError);
  });

  it('serves known keys while the issuer is down', async () => {
    const verify = verifier();
    await verify(await issuer.token());
    issuer.answer = { status: 503, body: '' };
    await expect(verify(await issuer.token())).resolves.toBeDefined();
  });
});
