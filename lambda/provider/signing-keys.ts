import { createPrivateKey, createPublicKey, type KeyObject, sign } from 'node:crypto';
import { promisify } from 'node:util';
import { ExternalSigningKey, type JWK } from 'oidc-provider';
import type { PrivateJwk, PublicJwk } from '../../lib/contract';
import { publicJwk } from '../key-set/public-jwk';
import type { ServerKeys } from './key-source';

const signInBackground = promisify(sign);

/** The engine signs with the first key of an algorithm; those that do not sign are published by their public halves only. */
export function signingKeys({ signing, published }: ServerKeys): (JWK | ExternalSigningKey)[] {
  return [
    ...signing.map((jwk) => (jwk.alg === 'RS256' ? new CurrentKey(jwk) : (jwk as unknown as JWK))),
    ...published.map((jwk) => new PublishedKey(jwk)),
  ];
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

  override async sign(_data: Uint8Array): Promise<Uint8Array> {
    throw new Error('A published key does not sign');
  }
}

/** The engine itself would sign by the Web Cryptography API, which takes twice as long, and long to load. */
class CurrentKey extends PublishedKey {
  readonly #privateKey: KeyObject;

  constructor(jwk: PrivateJwk) {
    super(publicJwk(jwk));
    this.#privateKey = createPrivateKey({ key: { ...jwk }, format: 'jwk' });
  }

  override sign(data: Uint8Array): Promise<Uint8Array> {
    return signInBackground('sha256', data, this.#privateKey);
  }
}
