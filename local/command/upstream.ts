import { startIdentityProvider } from '../identity-provider/start';
import { StartError } from '../start-error';
import { checkDiscovery, checkIssuer } from './discovery';
import { ask, type Terminal } from './prompt';

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
 * The issuer of an identity provider of one's own, or undefined for the demo one.
 *
 * @param option of the command line, which goes before UPSTREAM_ISSUER
 * @throws StartError where this cannot be an issuer, or the environment names a client without one
 */
export function ownIssuer(option: string | undefined, environment: NodeJS.ProcessEnv): string | undefined {
  const issuer = option ?? (environment.UPSTREAM_ISSUER || undefined);
  if (issuer !== undefined) {
    checkIssuer(issuer);
  } else if (environment.UPSTREAM_CLIENT_ID || environment.UPSTREAM_CLIENT_SECRET) {
    throw new StartError(
      'UPSTREAM_ISSUER or --upstream must name the identity provider that UPSTREAM_CLIENT_ID and UPSTREAM_CLIENT_SECRET belong to. Without any of them the demo identity provider is started.',
    );
  }
  return issuer;
}

/**
 * The client at an identity provider of one's own: from UPSTREAM_CLIENT_ID and UPSTREAM_CLIENT_SECRET, or asked for.
 *
 * @param options.redirectUri of the authorization server
 * @param options.signal ends the request and the questions
 * @throws StartError where the identity provider cannot be used, or there is nobody to ask
 */
export async function ownUpstream(
  issuer: string,
  options: {
    readonly redirectUri: string;
    readonly environment: NodeJS.ProcessEnv;
    readonly terminal: Terminal;
    readonly signal: AbortSignal;
    readonly print: (line: string) => void;
    readonly progress: (line: string) => void;
  },
): Promise<Upstream> {
  const { redirectUri, environment, terminal, signal, print, progress } = options;
  const known = { id: environment.UPSTREAM_CLIENT_ID, secret: environment.UPSTREAM_CLIENT_SECRET };
  const missing = [
    ...(known.id ? [] : [{ name: 'UPSTREAM_CLIENT_ID', text: 'Client id: ', secret: false }]),
    ...(known.secret ? [] : [{ name: 'UPSTREAM_CLIENT_SECRET', text: 'Client secret (not shown): ', secret: true }]),
  ];
  if (missing.length > 0 && !terminal.input.isTTY) {
    const names = missing.map(({ name }) => name).join(' and ');
    throw new StartError(`${names} must be set: this is no terminal where the client of ${issuer} could be asked for.`);
  }
  progress(`Reading what ${issuer} says of itself`);
  await checkDiscovery(issuer, signal);
  if (missing.length > 0) {
    print(`\nAt the identity provider, register a confidential client with this redirect URI:\n  ${redirectUri}\n`);
  }
  const answers = missing.length > 0 ? await ask(missing, terminal, signal) : [];
  const clientId = known.id || answers.shift()!;
  const clientSecret = known.secret || answers.shift()!;
  return { issuer, clientId, clientSecret, users: [], async close() {} };
}

/** @param redirectUri of the authorization server */
export function demoUpstream(port: number, redirectUri: string): Promise<Upstream> {
  return startIdentityProvider({ port, redirectUri });
}
