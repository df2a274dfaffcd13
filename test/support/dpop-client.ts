import { createHash, randomUUID } from 'node:crypto';
import { type CryptoKey, calculateJwkThumbprint, exportJWK, generateKeyPair, type JWK, SignJWT } from 'jose';

/** What a proof may say otherwise; undefined takes a claim or header parameter away. */
export interface ProofOptions {
  readonly claims?: Readonly<Record<string, unknown>>;
  readonly header?: Readonly<Record<string, unknown>>;
}

/** A client that binds its tokens to a key of its own (RFC 9449). */
export class DpopClient {
  static async create(alg = 'ES256'): Promise<DpopClient> {
    const { publicKey, privateKey } = await generateKeyPair(alg);
    const jwk = await exportJWK(publicKey);
    return new DpopClient(alg, privateKey, jwk, await calculateJwkThumbprint(jwk));
  }

  private constructor(
    private readonly alg: string,
    private readonly privateKey: CryptoKey,
    private readonly jwk: JWK,
    readonly thumbprint: string,
  ) {}

  /** @param accessToken absent at the token endpoint */
  proof(method: string, url: string, accessToken?: string, { claims = {}, header = {} }: ProofOptions = {}) {
    const ath = accessToken && createHash('sha256').update(accessToken).digest('base64url');
    const iat = Math.floor(Date.now() / 1000);
    const payload = JSON.parse(JSON.stringify({ jti: randomUUID(), htm: method, htu: url, iat, ath, ...claims }));
    return new SignJWT(payload)
      .setProtectedHeader({ typ: 'dpop+jwt', alg: this.alg, jwk: this.jwk, ...header })
      .sign(this.privateKey);
  }
}
