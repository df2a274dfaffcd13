import type { ClientRecord } from '../../lib/contract';
import { ClientMetadataError, type ClientPolicy, type Metadata } from './client-policy';
import { storedMetadata } from './stored-metadata';

/** Marks, towards the engine, a client that the operators of this server have registered. The policy keeps it out of all other metadata. */
export const BY_OPERATORS = 'registered_by_operators';

/**
 * What the table holds of a client that operators register. Unlike others who register, they hear of each redirect URI
 * that cannot be used.
 *
 * @param secret of a confidential client
 * @throws ClientMetadataError saying what cannot be taken, and why
 */
export function preRegisteredClient(policy: ClientPolicy, client: ClientRecord, secret?: string): Metadata {
  const { clientId, name, redirectUris } = client;
  if (name.trim() === '') throw new ClientMetadataError('invalid_client_metadata', 'a client needs a name for people');
  for (const uri of redirectUris) {
    const problem = policy.problemOfRedirectUri(uri);
    if (problem) throw new ClientMetadataError('invalid_redirect_uri', `${uri} cannot be a redirect URI: ${problem}`);
  }
  const metadata = policy.normalizeRegistration({
    client_name: name,
    redirect_uris: redirectUris,
    // With a secret that is client_secret_post as well: the engine takes one for the other.
    token_endpoint_auth_method: secret === undefined ? 'none' : 'client_secret_basic',
  });
  const taken = metadata.redirect_uris as string[];
  const leftOut = redirectUris.find((uri) => !taken.includes(uri));
  if (leftOut !== undefined) {
    const reason = "https on a loopback address cannot stand beside other redirect URIs of a person's own device";
    throw new ClientMetadataError('invalid_redirect_uri', `${leftOut} cannot be a redirect URI here: ${reason}`);
  }
  return storedMetadata({
    ...metadata,
    client_id: clientId,
    ...(secret === undefined ? {} : { client_secret: secret }),
  });
}
