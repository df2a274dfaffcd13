import { createRemoteJWKSet, type JWTPayload, jwtVerify } from 'jose';

const issuer = process.env.OIDC_BASE_URL ?? 'http://localhost:4001';
const audience = `${process.env.MCP_BASE_URL ?? 'http://localhost:3001'}/mcp`;

const keys = createRemoteJWKSet(new URL(`${issuer}/jwks`), {
  cooldownDuration: 30_000, // an unknown kid is looked up at most this often
  cacheMaxAge: 600_000, // and the whole set is fetched anew after this
});

/** Throws where the token is not one for this resource. */
export async function verify(token: string): Promise<JWTPayload> {
  const { payload } = await jwtVerify(token, keys, {
    issuer,
    audience,
    typ: 'at+jwt', // or an ID token would pass
    algorithms: ['RS256', 'ES256'],
    requiredClaims: ['exp', 'iat', 'jti', 'sub', 'client_id'],
  });
  if (payload.aud !== audience) throw new Error('The token is for other resources too.');
  if (payload.cnf !== undefined) throw new Error('The token is bound to a key.');
  return payload;
}
