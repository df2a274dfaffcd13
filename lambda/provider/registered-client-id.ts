import { randomBytes } from 'node:crypto';
import { hash } from './keys';

/**
 * The identifier of a client that registers. A public client is its metadata and nothing else, so the same metadata is
 * the same client: apps that register anew at each connection fill no table. A client with a secret is always a new one.
 *
 * @param metadata as it is stored
 */
export function registeredClientId(metadata: Readonly<Record<string, unknown>>): string {
  if (metadata.token_endpoint_auth_method !== 'none') return randomBytes(32).toString('base64url');
  const members = Object.entries(metadata).sort(([a], [b]) => (a < b ? -1 : 1));
  return hash(`public client: ${JSON.stringify(members)}`);
}
