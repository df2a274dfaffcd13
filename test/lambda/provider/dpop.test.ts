import { decodeJwt } from 'jose';
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest';
import { DpopClient } from '../../support/dpop-client';
import { type MetadataHost, startMetadataHost, trust } from '../../support/metadata-host';
import { Harness, ISSUER, later, REDIRECT_URI } from './harness';

let host: MetadataHost;
let harness: Harness;
let client: Record<string, string>;
let key: DpopClient;
let thief: DpopClient;
beforeAll(async () => {
  host = await startMetadataHost();
  trust(host);
  harness = await Harness.start({ dpop: true, internalHosts: ['localhost'] });
  client = await harness.register();
  [key, thief] = await Promise.all([DpopClient.create(), DpopClient.create()]);
});
afterAll(async () => {
  await harness[Symbol.asyncDispose]();
  await host.close();
});
afterEach(() => {
  vi.useRealTimers();
});

const TOKEN_ENDPOINT = `${ISSUER}/token`;
const proofOf = async (of: DpopClient, claims: object = {}) => ({
  dpop: await of.proof('POST', TOKEN_ENDPOINT, undefined, { claims: { ...claims } }),
});

function redeem(signIn: { code: string; codeVerifier: string }, headers: Record<string, string> = {}) {
  return harness.token(
    {
      grant_type: 'authorization_code',
      client_id: client.client_id,
      code: signIn.code,
      code_verifier: signIn.codeVerifier,
      redirect_uri: 'https://client.example.com/callback',
    },
    headers,
  );
}

const refresh = (refreshToken: string | undefined, headers: Record<string, string> = {}) =>
  harness.token({ grant_type: 'refresh_token', client_id: client.client_id, refresh_token: refreshToken }, headers);

describe('a client with a key of its own', () => {
  it('is told which proofs are taken', async () => {
    const metadata = await (await harness.fetch('/.well-known/oauth-authorization-server')).json();
    expect(metadata).toMatchObject({ dpop_signing_alg_values_supported: ['ES256', 'EdDSA', 'RS256', 'PS256'] });
  });

  it('gets tokens that are bound to it, and refreshes with it alone', async () => {
    const { body } = await redeem(await harness.signIn(client), await proofOf(key));
    expect(body.token_type).toBe('DPoP');
    expect(decodeJwt(body.access_token!).cnf).toEqual({ jkt: key.thumbprint });
    for (const headers of [{}, await proofOf(thief)]) {
      expect(await refresh(body.refresh_token, headers)).toMatchObject({
        status: 400,
        body: { error: 'invalid_grant' },
      });
    }
    const refreshed = await refresh(body.refresh_token, await proofOf(key));
    expect([refreshed.status, refreshed.body.token_type]).toEqual([200, 'DPoP']);
    expect(decodeJwt(refreshed.body.access_token!).cnf).toEqual({ jkt: key.thumbprint });
  });

  it('has one successor to a refresh token, however many proofs it comes with at once', async () => {
    const { body } = await redeem(await harness.signIn(client), await proofOf(key));
    const proofs = await Promise.all(Array.from({ length: 10 }, () => proofOf(key)));
    const answers = await Promise.all(proofs.map((proof) => refresh(body.refresh_token, proof)));
    expect(answers.map(({ status }) => status)).toEqual(Array(10).fill(200));
    expect(new Set(answers.map(({ body }) => body.refresh_token)).size).toBe(1);
  });
});

describe('a proof', () => {
  it.each([
    ['for another address', { htu: `${ISSUER}/other` }],
    ['for another method', { htm: 'GET' }],
    ['of ten minutes ago', { iat: Math.floor(Date.now() / 1000) - 600 }],
    ['without a jti', { jti: undefined }],
  ])('%s is refused, and burns nothing', async (_, claims) => {
    const signIn = await harness.signIn(client);
    expect(await redeem(signIn, await proofOf(key, claims))).toMatchObject({
      status: 400,
      body: { error: 'invalid_dpop_proof' },
    });
    expect((await redeem(signIn, await proofOf(key))).status).toBe(200);
  });

  it('of a clock that is ahead is taken once, for as long as it is fresh', async () => {
    const { body } = await redeem(await harness.signIn(client), await proofOf(key));
    const ahead = await proofOf(key, { iat: Math.floor(Date.now() / 1000) + 295 });
    const refreshed = await refresh(body.refresh_token, ahead);
    expect(refreshed.status).toBe(200);
    for (const seconds of [0, 310]) {
      later(seconds);
      expect((await refresh(refreshed.body.refresh_token, ahead)).status).toBe(400);
    }
  });

  it('that comes again is said to be wrong, not the grant, and burns nothing', async () => {
    const signIn = await harness.signIn(client);
    const { body } = await redeem(signIn, await proofOf(key));
    const presented = await proofOf(key);
    expect((await refresh(body.refresh_token, presented)).status).toBe(200);
    const next = await harness.signIn(client);
    for (const again of [await refresh(body.refresh_token, presented), await redeem(next, presented)]) {
      expect(again).toMatchObject({ status: 400, body: { error: 'invalid_dpop_proof' } });
    }
    expect((await refresh(body.refresh_token, await proofOf(key))).status).toBe(200);
    expect((await redeem(next, await proofOf(key))).status).toBe(200);
  });
});

it('a client without a key gets bearer tokens as before', async () => {
  const { body } = await redeem(await harness.signIn(client));
  expect(body.token_type).toBe('Bearer');
  expect(decodeJwt(body.access_token!)).not.toHaveProperty('cnf');
  later(3600);
  expect((await refresh(body.refresh_token)).status).toBe(200);
});

describe('a client that takes tokens only where they are bound to its key', () => {
  const BOUND = { dpop_bound_access_tokens: true };

  it.each(['registers', 'has a document'])('and %s is refused without a proof, and nothing is burned', async (way) => {
    const bound = way === 'registers' ? await harness.register(BOUND) : { client_id: host.publish('/client', BOUND) };
    if (way === 'registers') expect(bound).toMatchObject(BOUND);
    const signIn = await harness.signIn(bound);
    const code = { grant_type: 'authorization_code', code: signIn.code, code_verifier: signIn.codeVerifier };
    const ask = (params: object, headers: Record<string, string> = {}) =>
      harness.token({ client_id: String(bound.client_id), redirect_uri: REDIRECT_URI, ...params }, headers);
    expect(await ask(code)).toMatchObject({ status: 400, body: { error: 'invalid_grant' } });
    const { status, body } = await ask(code, await proofOf(key));
    expect([status, body.token_type]).toEqual([200, 'DPoP']);
    const refresh = { grant_type: 'refresh_token', refresh_token: body.refresh_token };
    expect(await ask(refresh)).toMatchObject({ status: 400, body: { error: 'invalid_grant' } });
    expect((await ask(refresh, await proofOf(key))).status).toBe(200);
  });

  it.each([false, 'true', 1, null])('does not say so by %j', async (value) => {
    const other = await harness.register({ dpop_bound_access_tokens: value });
    expect((await harness.redeem(other, await harness.signIn(other))).body.token_type).toBe('Bearer');
  });
});

it('where binding is off, it is not advertised, and a proof binds nothing', async () => {
  await using plain = await Harness.start();
  const metadata = await (await plain.fetch('/.well-known/oauth-authorization-server')).json();
  expect(metadata).not.toHaveProperty('dpop_signing_alg_values_supported');
  const asking = await plain.register({ dpop_bound_access_tokens: true });
  expect(asking).not.toHaveProperty('dpop_bound_access_tokens');
  expect((await plain.redeem(asking, await plain.signIn(asking))).body.token_type).toBe('Bearer');
});
