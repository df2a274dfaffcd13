import { execFileSync } from 'node:child_process';
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { exportJWK, generateKeyPair, SignJWT } from 'jose';
import { type AuthorizerConfig, CONFIG } from '../lib/contract';
import { median, progress } from './statistics';

/** Medians: milliseconds until the module is loaded, in a fresh process. */
export function measureModuleStarts<Name extends string>(bundles: Record<Name, string>, runs: number) {
  const samples = Object.fromEntries(Object.keys(bundles).map((name) => [name, []])) as unknown as Record<
    Name,
    number[]
  >;
  const script =
    'const t = performance.now(); require(process.argv[1]); process.stdout.write(String(performance.now() - t)); process.exit()';
  const config = configOf('https://auth.example.com/jwks');
  for (let run = 0; run <= runs; run++) {
    for (const [name, bundle] of Object.entries(bundles) as [Name, string][]) {
      const env = { [CONFIG]: JSON.stringify(config) };
      const ms = Number(execFileSync(process.execPath, ['-e', script, join(process.cwd(), bundle)], { env }));
      if (run > 0) samples[name].push(ms);
    }
  }
  return Object.fromEntries(Object.entries(samples).map(([name, ms]) => [name, median(ms as number[])])) as Record<
    Name,
    number
  >;
}

/** Medians of milliseconds of CPU time: one decision of the warm authorizer, and bare `jose.jwtVerify` of the same token with a local key set. */
export async function measureDecision(
  bundle: string,
  bareBundle: string,
  rounds: number,
): Promise<{ ours: number; bare: number }> {
  const { publicKey, privateKey } = await generateKeyPair('RS256');
  const jwks = { keys: [{ ...(await exportJWK(publicKey)), kid: 'k', alg: 'RS256', use: 'sig' }] };
  const server = createServer((_, res) => res.setHeader('content-type', 'application/json').end(JSON.stringify(jwks)));
  await once(server.listen(0, '127.0.0.1'), 'listening');
  const config = configOf(`http://127.0.0.1:${(server.address() as AddressInfo).port}/jwks`);
  process.env[CONFIG] = JSON.stringify(config);
  const token = await new SignJWT({ client_id: 'c', scope: 'notes:use', jti: 'j' })
    .setProtectedHeader({ alg: 'RS256', kid: 'k', typ: 'at+jwt' })
    .setIssuer(config.issuer)
    .setAudience(config.audience)
    .setSubject('s')
    .setIssuedAt()
    .setExpirationTime('1h')
    .sign(privateKey);
  const { handler } = require(join(process.cwd(), bundle)) as {
    handler(event: object): Promise<{ isAuthorized: boolean }>;
  };
  const event = {
    version: '2.0',
    type: 'REQUEST',
    routeArn: 'arn:aws:execute-api:us-east-1:123456789012:api/$default/POST/mcp',
    rawPath: '/mcp',
    headers: { authorization: `Bearer ${token}` },
    requestContext: { requestId: 'r', http: { method: 'POST', path: '/mcp', sourceIp: '203.0.113.7' } },
  };
  const { createLocalJWKSet, jwtVerify } = require(join(process.cwd(), bareBundle)) as typeof import('jose');
  const keySet = createLocalJWKSet(jwks);
  const expected = {
    issuer: config.issuer,
    audience: config.audience,
    typ: 'at+jwt',
    algorithms: ['RS256', 'PS256', 'ES256'],
    requiredClaims: ['exp', 'iat', 'jti', 'sub', 'client_id'],
  };
  const decide = async () => {
    const { isAuthorized } = await handler(event);
    if (!isAuthorized) throw new Error('The authorizer refuses a good token');
  };
  const verify = () => jwtVerify(token, keySet, expected);
  const samples = { ours: [] as number[], bare: [] as number[] };
  for (let round = 0; round <= rounds; round++) {
    for (const [name, act] of [
      ['ours', decide],
      ['bare', verify],
    ] as const) {
      const before = process.cpuUsage();
      for (let i = 0; i < CALLS; i++) await act();
      const { user, system } = process.cpuUsage(before);
      // The first round is for V8.
      if (round > 0) samples[name].push((user + system) / 1000 / CALLS);
    }
    if (round % 10 === 0) progress(`  ${round} of ${rounds} blocks of ${CALLS} decisions of each`);
  }
  server.closeAllConnections();
  server.close();
  return { ours: median(samples.ours), bare: median(samples.bare) };
}

const CALLS = 100;

function configOf(jwksUri: string): AuthorizerConfig {
  return {
    issuer: 'https://auth.example.com',
    jwksUri,
    audience: 'https://mcp.example.com/mcp',
    scopes: ['notes:use'],
    toolScopes: {},
    dpop: false,
    claims: [],
  };
}
