import { type ResourceServerCredential, UPSTREAM_TOKENS_ENVIRONMENT } from '../../lib/contract';

/** As whom a resource server asks, and where. */
export interface Credential {
  readonly tokenEndpoint: string;
  readonly clientId: string;
  readonly clientSecret: string;
}

let known: Promise<Credential> | undefined;

/**
 * What `grantUpstreamTokens` has given this function.
 *
 * @param anew reads the secret again
 * @throws Error where it has given nothing, or what Secrets Manager throws
 */
export function credentialOfEnvironment({ anew = false } = {}): Promise<Credential> {
  if (anew) known = undefined;
  const reading = known ?? read();
  known = reading;
  reading.catch(() => {
    if (known === reading) known = undefined;
  });
  return reading;
}

async function read(): Promise<Credential> {
  const tokenEndpoint = process.env[UPSTREAM_TOKENS_ENVIRONMENT.tokenEndpoint];
  const SecretId = process.env[UPSTREAM_TOKENS_ENVIRONMENT.secretArn];
  if (!tokenEndpoint || !SecretId) {
    const names = Object.values(UPSTREAM_TOKENS_ENVIRONMENT).join(' and ');
    throw new Error(`upstreamToken needs options, or ${names}, which McpOidcAuth.grantUpstreamTokens sets.`);
  }
  // Lambda's Node.js runtimes bring it along, and nobody else needs it.
  const { GetSecretValueCommand, SecretsManagerClient } = await import('@aws-sdk/client-secrets-manager');
  const { SecretString = '' } = await new SecretsManagerClient({}).send(new GetSecretValueCommand({ SecretId }));
  const { client_id, client_secret } = JSON.parse(SecretString) as ResourceServerCredential;
  return { tokenEndpoint, clientId: client_id, clientSecret: client_secret };
}
