import type { Client } from 'oidc-provider';
import type { ResourceServerRecord } from '../../lib/contract';
import type { Metadata } from './client-policy';
import { storedMetadata } from './stored-metadata';

/** RFC 8693 section 2.1. */
export const TOKEN_EXCHANGE = 'urn:ietf:params:oauth:grant-type:token-exchange';

/** On a client, towards the engine: the protected resources that it stands for. The policy keeps it out of all other metadata. */
export const STANDS_FOR = 'resource_server_of';

/** The protected resources that the engine's client stands for; none where it is an MCP client. */
export function resourcesOf(client: Client | undefined): readonly unknown[] {
  const resources = client?.[STANDS_FOR];
  return Array.isArray(resources) ? resources : [];
}

/**
 * What the table holds of a resource server: a confidential client that may exchange the access tokens it receives, and nothing else. It has no
 * redirect URI, so no code can come from it.
 */
export function resourceServerClient({ clientId, name, resources }: ResourceServerRecord, secret: string): Metadata {
  return storedMetadata({
    client_id: clientId,
    client_name: name,
    redirect_uris: [],
    response_types: [],
    grant_types: [TOKEN_EXCHANGE],
    // That is client_secret_post as well: the engine takes one for the other.
    token_endpoint_auth_method: 'client_secret_basic',
    [STANDS_FOR]: resources,
    client_secret: secret,
  });
}
