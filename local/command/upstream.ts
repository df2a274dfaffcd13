import { startIdentityProvider } from '../identity-provider/start';
import { StartError } from '../start-error';

/** The identity provider that people sign in at. */
export interface Upstream {
  readonly issuer: string;
  readonly clientId: string;
  readonly clientSecret: string;
  /** Of the demo identity provider. */
  readonly users: readonly { readonly username: string; readonly password: string }[];
  close(): Promise<void>;
}

/**
 * The identity provider that the environment names, or undefined for the demo one.
 *
 * @throws StartError where some of its three variables are missing
 */
export function upstreamOf(environment: NodeJS.ProcessEnv): Upstream | undefined {
  const names = ['UPSTREAM_ISSUER', 'UPSTREAM_CLIENT_ID', 'UPSTREAM_CLIENT_SECRET'];
  const [issuer, clientId, clientSecret] = names.map((name) => environment[name]);
  if (issuer && clientId && clientSecret) return { issuer, clientId, clientSecret, users: [], async close() {} };
  if (!issuer && !clientId && !clientSecret) return undefined;
  const missing = names.filter((name) => !environment[name]);
  throw new StartError(
    `${missing.join(' and ')} must be set too: an identity provider of your own needs ${names.join(', ')}. Without any of them the demo identity provider is started.`,
  );
}

/** @param redirectUri of the authorization server */
export function demoUpstream(port: number, redirectUri: string): Promise<Upstream> {
  return startIdentityProvider({ port, redirectUri });
}
