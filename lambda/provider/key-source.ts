import type { KeySet, PrivateJwk, PublicJwk, SymmetricKey } from '../../lib/contract';
import { parseKeySet } from '../key-set/parse-key-set';
import { everyJwk, jwksOf, publicJwk } from '../key-set/public-jwk';
import type { CachedSecret } from './cached-secret';

/** The keys that the server works with. */
export interface ServerKeys {
  /** The first signs access tokens, the first of RS256 ID tokens. */
  readonly signing: readonly [PrivateJwk, ...PrivateJwk[]];
  /** Published beside the public halves of `signing`. */
  readonly published: readonly PublicJwk[];
  readonly successorKeys: readonly SymmetricKey[];
  readonly encryptionKeys: readonly SymmetricKey[];
}

/** Where the server finds its keys, which may be others at any time. */
export interface KeySource {
  /** Its `keys()` throws where this version cannot be used. */
  get(): Promise<{ readonly versionId: string; keys(): ServerKeys }>;
}

/** Keys that somebody turns over, from the text that they are kept as. */
export function keySetSource(secret: CachedSecret): KeySource {
  return {
    async get() {
      const { text, versionId } = await secret.get();
      return { versionId, keys: () => serverKeys(parseKeySet(text)) };
    },
  };
}

export function serverKeys(keySet: KeySet): ServerKeys {
  const { successorKeys, encryptionKeys } = keySet;
  const signing = jwksOf(keySet.current);
  return { signing, published: everyJwk(keySet).slice(signing.length).map(publicJwk), successorKeys, encryptionKeys };
}
