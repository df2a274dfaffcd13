import { hash } from './keys';

/** A client's metadata as the table holds it: of its secret the hash alone. */
export function storedMetadata<M extends { client_secret?: string }>({ client_secret: secret, ...metadata }: M) {
  // Client secrets are random and long, so a plain hash is enough: there is no dictionary to run against it.
  return secret === undefined ? metadata : { ...metadata, client_secret: hash(secret) };
}
