import type { APIGatewayRequestAuthorizerEvent, APIGatewayRequestAuthorizerEventV2 } from 'aws-lambda';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { authorizer } from '../../../lambda/authorizer/authorize';
import { verifyBearer } from '../../../lambda/authorizer/bearer';
import { DpopClient, type ProofOptions } from '../../support/dpop-client';
import { catchLog } from '../../support/log-lines';
import { httpEvent, restEvent } from './events';
import { AUDIENCE, Issuer } from './issuer';

let issuer: Issuer;
let key: DpopClient;
let thief: DpopClient;
let token: string;
beforeAll(async () => {
  catchLog();
  [issuer, key, thief] = await Promise.all([Issuer.start(), DpopClient.create(), DpopClient.create()]);
  token = await issuer.token({ cnf: { jkt: key.thumbprint } });
});
afterAll(async () => {
  vi.restoreAllMocks();
  await issuer[Symbol.asyncDispose]();
});

type Headers = Record<string, string | readonly string[]>;

/** Whether each kind of API lets the request through. */
async function decisions(headers: Headers, dpop = true): Promise<boolean[]> {
  const authorize = authorizer({
    issuer: issuer.url,
    jwksUri: `${issuer.url}/jwks`,
    audience: AUDIENCE,
    scopes: [],
    toolScopes: {},
    dpop,
    claims: [],
  });
  const rest = { ...restEvent(headers), requestContext: { requestId: '1', path: '/prod/mcp' } };
  const http = { ...httpEvent(headers), requestContext: { requestId: '1', http: { method: 'POST' } } };
  const events = [
    rest as unknown as APIGatewayRequestAuthorizerEvent,
    http as unknown as APIGatewayRequestAuthorizerEventV2,
  ];
  return Promise.all(
    events.map(async (event) => {
      const result = await authorize(event).catch((error) => {
        expect(error.message).toBe('Unauthorized');
        return { isAuthorized: false };
      });
      return 'isAuthorized' in result ? result.isAuthorized : result.policyDocument.Statement[0]?.Effect === 'Allow';
    }),
  );
}

const BOTH = [true, true];
const NEITHER = [false, false];

const presented = async (options: ProofOptions = {}, by = key): Promise<Headers> => ({
  authorization: `DPoP ${token}`,
  dpop: await by.proof('POST', AUDIENCE, token, options),
});

describe('a token that is bound to a key', () => {
  it('is let through with a proof of the key, and with nothing else', async () => {
    expect(await decisions(await presented())).toEqual(BOTH);
    expect(await decisions({ authorization: `DPoP ${token}` })).toEqual(NEITHER);
    expect(await decisions({ authorization: `Bearer ${token}` })).toEqual(NEITHER);
    expect(await decisions({ ...(await presented()), authorization: `Bearer ${token}` })).toEqual(NEITHER);
  });

  it('is worth nothing to a thief with a key of his own', async () => {
    expect(await decisions(await presented({}, thief))).toEqual(NEITHER);
  });

  it('is let through nowhere while binding is off', async () => {
    expect(await decisions(await presented(), false)).toEqual(NEITHER);
  });

  it('may be bound to an Edwards or an RSA key too', async () => {
    for (const alg of ['EdDSA', 'RS256', 'PS256']) {
      const other = await DpopClient.create(alg);
      const own = await issuer.token({ cnf: { jkt: other.thumbprint } });
      const dpop = await other.proof('POST', AUDIENCE, own);
      expect(await decisions({ authorization: `DPoP ${own}`, dpop }), alg).toEqual(BOTH);
    }
  });

  it('to a certificate is not one that this server can check', async () => {
    const own = await issuer.token({ cnf: { jkt: key.thumbprint, 'x5t#S256': 'x' } });
    const dpop = await key.proof('POST', AUDIENCE, own);
    expect(await decisions({ authorization: `DPoP ${own}`, dpop })).toEqual(NEITHER);
  });
});

it('a token that is not bound must not be presented as if it were', async () => {
  const plain = await issuer.token();
  const dpop = await key.proof('POST', AUDIENCE, plain);
  expect(await decisions({ authorization: `DPoP ${plain}`, dpop })).toEqual(NEITHER);
  expect(await decisions({ authorization: `Bearer ${plain}`, dpop })).toEqual(BOTH);
});

describe('a proof', () => {
  it.each<[string, ProofOptions]>([
    ['for another token', { claims: { ath: 'x' } }],
    ['for no token', { claims: { ath: undefined } }],
    ['for another method', { claims: { htm: 'GET' } }],
    ['for another address', { claims: { htu: 'https://mcp.example.com/other' } }],
    ['for another host', { claims: { htu: 'https://evil.example/mcp' } }],
    ['for no address', { claims: { htu: 'mcp' } }],
    ['of six minutes ago', { claims: { iat: Math.floor(Date.now() / 1000) - 360 } }],
    ['of six minutes ahead', { claims: { iat: Math.floor(Date.now() / 1000) + 360 } }],
    ['without a time', { claims: { iat: undefined } }],
    ['without a jti', { claims: { jti: undefined } }],
    ['of another type', { header: { typ: 'JWT' } }],
    ['without its key', { header: { jwk: undefined } }],
    ['with a symmetric key', { header: { jwk: { kty: 'oct', k: 'c2VjcmV0' } } }],
    ['with a key that is none', { header: { jwk: { kty: 'EC', crv: 'P-256', x: 'x', y: 'y' } } }],
  ])('%s is refused', async (_, options) => {
    expect(await decisions(await presented(options))).toEqual(NEITHER);
  });

  it.each(['', 'x', 'a.b.c'])('that is no JWT is refused: %j', async (dpop) => {
    expect(await decisions({ authorization: `DPoP ${token}`, dpop })).toEqual(NEITHER);
  });

  it('beside another one is refused', async () => {
    const one = await presented();
    const other = await presented();
    expect(await decisions({ ...one, dpop: [String(one.dpop), String(other.dpop)] })).toEqual(NEITHER);
  });

  it('may spell the address otherwise, and name the path as the API knows it', async () => {
    for (const htu of ['HTTPS://MCP.example.com:443/mcp', 'https://mcp.example.com/mcp?a=b#c']) {
      expect(await decisions(await presented({ claims: { htu } })), htu).toEqual(BOTH);
    }
    const [rest] = await decisions(await presented({ claims: { htu: 'https://mcp.example.com/prod/mcp' } }));
    expect(rest).toBe(true);
  });
});

describe('verifyBearer', () => {
  const options = () => ({ issuer: issuer.url, audience: AUDIENCE });
  const request = async () => ({ proof: await key.proof('POST', AUDIENCE, token), method: 'POST' });

  it('takes a bound token with its proof', async () => {
    const bearer = await verifyBearer(`DPoP ${token}`, { ...options(), dpop: await request() });
    expect(bearer).toMatchObject({ sub: 'person', claims: { cnf: { jkt: key.thumbprint } } });
    const url = 'https://mcp.example.com/elsewhere';
    const elsewhere = { proof: await key.proof('POST', url, token), method: 'POST', url };
    expect(await verifyBearer(`DPoP ${token}`, { ...options(), dpop: elsewhere })).toMatchObject({ sub: 'person' });
  });

  it('says that it takes proofs where it does', async () => {
    const refused = verifyBearer(undefined, { ...options(), dpop: await request() });
    await expect(refused).rejects.toMatchObject({ challenge: expect.stringContaining(', DPoP algs="ES256 ') });
  });

  const BEARER = 'Bearer resource_metadata="https://mcp.example.com/.well-known/oauth-protected-resource/mcp"';
  const ALGS = 'algs="ES256 EdDSA RS256 PS256"';
  const refusal = async (authorization: string, proof: string | undefined) =>
    verifyBearer(authorization, { ...options(), dpop: { proof, method: 'POST' } }).catch((error) => error);

  it.each<[string, string, () => Promise<string | undefined>]>([
    ['no proof', 'proof', async () => undefined],
    ['a proof that is none', 'proof', async () => 'x'],
    ['a proof for another method', 'proof_htm', () => key.proof('GET', AUDIENCE, token)],
    ['a proof for another address', 'proof_htu', () => key.proof('POST', issuer.url, token)],
    ['a proof for another token', 'proof_ath', () => key.proof('POST', AUDIENCE, 'another')],
    ['a proof without a jti', 'proof_jti', () => key.proof('POST', AUDIENCE, token, { claims: { jti: undefined } })],
    ['a proof of 1970', 'proof_iat', () => key.proof('POST', AUDIENCE, token, { claims: { iat: 1 } })],
  ])('says of %s that the proof is wrong, not the token (RFC 9449 section 7.1)', async (_, reason, proof) => {
    const description = `The DPoP proof is not valid: ${reason}.`;
    expect(await refusal(`DPoP ${token}`, await proof())).toMatchObject({
      status: 401,
      error: 'invalid_dpop_proof',
      challenge: `${BEARER}, DPoP error="invalid_dpop_proof", error_description="${description}", ${ALGS}`,
      body: { error: 'invalid_dpop_proof', error_description: description },
    });
  });

  it.each<[string, string, () => Promise<[string, DpopClient]>]>([
    ['is bound to another key', 'proof_jkt', async () => [token, thief]],
    ['is bound to none', 'cnf', async () => [await issuer.token(), key]],
    ['has expired', 'expired', async () => [await issuer.token({ exp: 1, cnf: { jkt: key.thumbprint } }), key]],
  ])('says of a token that %s that it is wrong, where it was presented as bound', async (_, reason, make) => {
    const [presented, by] = await make();
    const description = `The access token is not valid: ${reason}.`;
    expect(await refusal(`DPoP ${presented}`, await by.proof('POST', AUDIENCE, presented))).toMatchObject({
      error: 'invalid_token',
      challenge: `${BEARER}, DPoP error="invalid_token", error_description="${description}", ${ALGS}`,
    });
  });

  it('says so of a bound token that was presented as a bearer token (RFC 9449 section 7.2)', async () => {
    const error = 'error="invalid_token", error_description="The access token is not valid: cnf."';
    expect(await refusal(`Bearer ${token}`, await key.proof('POST', AUDIENCE, token))).toMatchObject({
      error: 'invalid_token',
      challenge: `${BEARER.replace('Bearer ', `Bearer ${error}, `)}, DPoP ${ALGS}`,
    });
  });

  it.each(['DPoP', 'Bearer'])('refuses a bound token as %s where it is not asked to check proofs', async (scheme) => {
    await expect(verifyBearer(`${scheme} ${token}`, options())).rejects.toMatchObject({ status: 401 });
  });
});
