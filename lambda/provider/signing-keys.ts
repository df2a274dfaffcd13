import { createPublicKey, type KeyObject } from 'node:crypto';
import { ExternalSigningKey, type JWK } from 'oidc-provider';
import type { PublicJwk } from '../../lib/contract';
import type { ServerKeys } from './key-source';

/** The engine signs with the first key of an algorithm; those that do not sign are published by their public halves only. */
export function signingKeys({ signing, published }: ServerKeys): (JWK | ExternalSigningKey)[] {
  return [...(signing as unknown as JWK[]), ...published.map((jwk) => new PublishedKey(jwk))];
}

class PublishedKey extends ExternalSigningKey {
  readonly #key: KeyObject;

  constructor(jwk: PublicJwk) {
    super();
    this.#key = createPublicKey({ key: { ...jwk }, format: 'jwk' });
    Object.assign(this, { kid: jwk.kid, alg: jwk.alg });
  }

  override keyObject(): KeyObject {
    return this.#key;
  }

  override async sign(): Promise<never> {
    throw new Error('A published key does not sign');
  }
}
