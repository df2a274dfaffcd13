import { createPublicKey, type KeyObject } from 'node:crypto';
import { ExternalSigningKey, type JWK } from 'oidc-provider';
import type { KeySet, PublicJwk } from '../../lib/contract';
import { everyJwk, jwksOf, publicJwk } from '../key-set/public-jwk';

/** The engine signs with the first key of an algorithm; `next` and `previous` are published by their public halves only. */
export function signingKeys(keySet: KeySet): (JWK | ExternalSigningKey)[] {
  const signing = jwksOf(keySet.current);
  const published = everyJwk(keySet).slice(signing.length);
  return [...(signing as unknown as JWK[]), ...published.map((jwk) => new PublishedKey(publicJwk(jwk)))];
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
