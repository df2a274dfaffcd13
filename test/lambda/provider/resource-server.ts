import { clientKey } from '../../../lambda/provider/keys';
import { resourceServerClient, TOKEN_EXCHANGE } from '../../../lambda/provider/resource-server';
import { type Harness, RESOURCE, type TokenResponse } from './harness';

export const ACCESS_TOKEN = 'urn:ietf:params:oauth:token-type:access_token';

/** Of a resource server. */
export interface Credential {
  readonly id: string;
  readonly secret: string;
}

export const SERVER: Credential = { id: 'notes-server', secret: 'a secret/with+characters: %' };

export async function registerServer(
  harness: Harness,
  { id, secret }: Credential = SERVER,
  resources: readonly string[] = [RESOURCE],
): Promise<void> {
  const metadata = resourceServerClient({ clientId: id, name: id, resources }, secret);
  await harness.store.configure(clientKey(id), metadata);
}

/** What a resource server does with the access token that it has received (RFC 8693 section 2.1); undefined leaves a parameter out. */
export function exchange(
  harness: Harness,
  subject: string | undefined,
  params: Readonly<Record<string, string | undefined>> = {},
  { id, secret }: Credential = SERVER,
): Promise<TokenResponse> {
  // RFC 6749 section 2.3.1.
  const credentials = [id, secret].map((part) => new URLSearchParams([['', part]]).toString().slice(1)).join(':');
  return harness.token(
    { grant_type: TOKEN_EXCHANGE, subject_token: subject, subject_token_type: ACCESS_TOKEN, ...params },
    { authorization: `Basic ${Buffer.from(credentials).toString('base64')}` },
  );
}
