import { createPublicKey, type KeyObject } from 'node:crypto';
import { ExternalSigningKey, type JWK } from 'oidc-provider';
import type { KeySet, PublicJwk } from '../../lib/contract';
import { publicJwk } from '../key-set/public-jwk';

/** The engine signs with the first key; `next` and `previous` are published by their public halves only. */
export function signingKeys(keySet: KeySet): (JWK | ExternalSigningKey)[] {
  const published = [keySet.next, ...keySet.previous].map(({ jwk }) => new PublishedKey(publicJwk(jwk)));
  return [keySet.current.jwk as unknown as JWK, ...published];
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
