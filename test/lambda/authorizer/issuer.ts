import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { importJWK, type JWTHeaderParameters, type JWTPayload, SignJWT } from 'jose';
import { makeKeySet, makeSigningKey } from '../../../lambda/key-set/make-key-set';
import { publicJwks } from '../../../lambda/key-set/public-jwk';
import type { KeySet, PrivateJwk } from '../../../lib/contract';

export const AUDIENCE = 'https://mcp.example.com/mcp';

/** An authorization server as far as a resource server sees it: an issuer identifier, published keys, and tokens signed with them. */
export class Issuer {
  /** How often the key set was asked for. */
  fetches = 0;
  /** What /jwks answers; undefined = nothing, ever. */
  answer: { status: number; body: string } | undefined;
  /** Seconds that caches may keep it. */
  maxAge?: number;

  private constructor(
    private readonly server: Server,
    readonly url: string,
    public keySet: KeySet,
  ) {}

  static async start(): Promise<Issuer> {
    const keySet = await makeKeySet(Math.floor(Date.now() / 1000));
    const server = createServer();
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const issuer = new Issuer(server, `http://127.0.0.1:${(server.address() as AddressInfo).port}`, keySet);
    issuer.publish();
    server.on('request', (request, response) => {
      issuer.fetches += request.url === '/jwks' ? 1 : 0;
      if (issuer.answer !== undefined) {
        response.writeHead(request.url === '/jwks' ? issuer.answer.status : 404, {
          'content-type': 'application/jwk-set+json',
          ...(issuer.maxAge === undefined ? {} : { 'cache-control': `public, max-age=${issuer.maxAge}` }),
        });
        response.end(issuer.answer.body);
      }
    });
    return issuer;
  }

  publish(): void {
    this.answer = { status: 200, body: JSON.stringify(publicJwks(this.keySet)) };
  }

  /** The next key signs from now on, and is published with its successor. */
  async rotate(): Promise<void> {
    const next = await makeSigningKey(Math.floor(Date.now() / 1000));
    this.keySet = { ...this.keySet, current: this.keySet.next, next };
    this.publish();
  }

  /** An access token that is right in everything that is not given; `undefined` takes a claim or header parameter away. */
  async token(
    claims: JWTPayload = {},
    header: Record<string, unknown> = {},
    jwk = this.keySet.current.jwk,
  ): Promise<string> {
    return sign({ ...this.claims(), ...claims }, { ...headerFor(jwk), ...header }, jwk);
  }

  claims(): JWTPayload {
    const now = Math.floor(Date.now() / 1000);
    return {
      iss: this.url,
      aud: AUDIENCE,
      sub: 'person',
      client_id: 'client',
      jti: 'token',
      iat: now,
      exp: now + 60,
      scope: 'notes:read notes:write',
    };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.server.closeAllConnections();
    await new Promise((resolve) => this.server.close(resolve));
  }
}

async function sign(claims: JWTPayload, header: JWTHeaderParameters, jwk: PrivateJwk): Promise<string> {
  return new SignJWT(withoutUndefined(claims))
    .setProtectedHeader(withoutUndefined(header))
    .sign(await importJWK(jwk, header.alg));
}

function headerFor({ alg, kid }: PrivateJwk): JWTHeaderParameters {
  return { alg, kid, typ: 'at+jwt' };
}

function withoutUndefined<T extends object>(value: T): T {
  return JSON.parse(JSON.stringify(value));
}
