import { parseArgs } from 'node:util';
import { described } from '../lib/refusal';
import { SESSION_MAX_AGE } from './check-options';
import { type Environment, environmentOf } from './environment';
import { OidcClient } from './oidc-client';
import type { JwkSet, ResourceOption } from './options';
import { Settings } from './settings';
import type { OidcServer } from './standalone';
import { standaloneServer } from './standalone-server';

export const SERVE_USAGE = `Usage: mcp-oidc-auth serve [--env-file .env]

Runs the authorization server in this process, until SIGTERM or SIGINT. Its settings
come from the environment, else from the file:

  OIDC_ISSUER             its public URL, for example https://auth.example.com
  OIDC_PORT               the port to listen on, in plain HTTP; 4001 where absent
  UPSTREAM_ISSUER         the issuer of your identity provider
  UPSTREAM_CLIENT_ID      your client there
  UPSTREAM_CLIENT_SECRET  and its secret
  UPSTREAM_REDIRECT_URI   its redirect URI; OIDC_ISSUER/oauth/callback where absent
  UPSTREAM_SCOPES         openid profile email, where absent
  UPSTREAM_ALLOW          who may sign in, where not everybody that it signs in:
                          [{"claim":"email","values":["@example.com"]}]
  UPSTREAM_AUTH_PARAMS    added to its authorization request: {"hd":"example.com"}
  UPSTREAM_CLAIMS         claims of the person that access tokens carry: ["email"]
  STORE_URL               redis:// rediss:// valkey:// valkeys:// postgres:// sqlite:FILE
                          dynamodb:TABLE, or, for development, memory:
  SESSION_SECRET          at least 32 random characters, as of openssl rand -base64 32
  SESSION_SECRET_PREVIOUS the one before, while it is changed
  SESSION_MAX_AGE_DAYS    after which people sign in again; 30 where absent
  JWKS                    keys of your own, as of mcp-oidc-auth keys generate; where
                          absent, this server makes its keys and rotates them
  MCP_RESOURCES           the URLs of your MCP endpoints, separated by spaces, or as JSON:
                          [{"identifier":"https://mcp.example.com/mcp","name":"Reports",
                          "scopes":[{"name":"reports:read","description":"Read reports"}]}]
  APPEARANCE              how its pages look and speak: {"name":"Example Corp"}
  CORS_ORIGINS            of browser apps on other hosts than their redirect URIs
  TRUSTED_PROXIES         how many reverse proxies stand before it; 0 where absent
  NODE_ENV                production refuses what is for development only`;

/** The environment variable of each option. */
const VARIABLES: Readonly<Record<string, string>> = {
  baseUrl: 'OIDC_ISSUER',
  port: 'OIDC_PORT',
  'idpClient.issuer': 'UPSTREAM_ISSUER',
  'idpClient.clientId': 'UPSTREAM_CLIENT_ID',
  'idpClient.clientSecret': 'UPSTREAM_CLIENT_SECRET',
  'idpClient.redirectUri': 'UPSTREAM_REDIRECT_URI',
  'idpClient.scopes': 'UPSTREAM_SCOPES',
  'idpClient.allow': 'UPSTREAM_ALLOW',
  'idpClient.additionalAuthParams': 'UPSTREAM_AUTH_PARAMS',
  'idpClient.claims': 'UPSTREAM_CLAIMS',
  store: 'STORE_URL',
  secret: 'SESSION_SECRET',
  sessionMaxAge: 'SESSION_MAX_AGE_DAYS',
  jwks: 'JWKS',
  resources: 'MCP_RESOURCES',
  appearance: 'APPEARANCE',
  additionalCorsOrigins: 'CORS_ORIGINS',
  trustedProxies: 'TRUSTED_PROXIES',
};

const DAY = 24 * 60 * 60 * 1000;

/** @param option with what is inside of it, for example `resources[0].identifier` */
function variableOf(option: string): string {
  return Object.entries(VARIABLES).reduce(
    (text, [name, variable]) => text.replace(new RegExp(`(?<=^| )${name}(?=$|[.[])`), variable),
    option,
  );
}

/** The server that environment variables describe. @throws SettingsError */
export function serverFrom(env: Environment): OidcServer {
  const settings = new Settings(variableOf);
  const json = <Value>(option: string, needed: string): Value | undefined => {
    const text = env[VARIABLES[option] ?? ''];
    if (!text) return undefined;
    try {
      return JSON.parse(text);
    } catch {
      settings.refuse(option, 'what is no JSON', needed);
      return undefined;
    }
  };
  const number = (option: string) => {
    const text = env[VARIABLES[option] ?? ''];
    if (!text || Number.isFinite(Number(text))) return text ? Number(text) : undefined;
    settings.refuse(option, described(text), 'a number');
    return undefined;
  };
  const { SESSION_SECRET = '', SESSION_SECRET_PREVIOUS, STORE_URL = '', OIDC_ISSUER = '' } = env;
  const days = sessionDays(settings, number('sessionMaxAge'));
  const jwks = env.JWKS
    ? (json<JwkSet>('jwks', 'the output of `npx mcp-oidc-auth keys generate`') ?? 'store')
    : undefined;
  return standaloneServer(
    {
      idpClient: new OidcClient({
        issuer: env.UPSTREAM_ISSUER ?? '',
        clientId: env.UPSTREAM_CLIENT_ID ?? '',
        clientSecret: env.UPSTREAM_CLIENT_SECRET ?? '',
        redirectUri: env.UPSTREAM_REDIRECT_URI || `${OIDC_ISSUER.replace(/\/$/, '')}/oauth/callback`,
        ...(env.UPSTREAM_SCOPES ? { scopes: env.UPSTREAM_SCOPES } : {}),
        allow: json('idpClient.allow', 'rules such as [{"claim":"email","values":["@example.com"]}]'),
        additionalAuthParams: json('idpClient.additionalAuthParams', 'an object such as {"hd":"example.com"}'),
        claims: json('idpClient.claims', 'a list such as ["email"]'),
      }),
      store: STORE_URL,
      secret: SESSION_SECRET_PREVIOUS ? [SESSION_SECRET, SESSION_SECRET_PREVIOUS] : SESSION_SECRET,
      baseUrl: OIDC_ISSUER,
      port: number('port') ?? 4001,
      // Memory is for development, and its keys are too.
      jwks: jwks ?? (STORE_URL.startsWith('memory:') ? undefined : 'store'),
      isProduction: env.NODE_ENV === 'production',
      ...(days === undefined ? {} : { sessionMaxAge: days * DAY }),
      resources: resourcesIn(env.MCP_RESOURCES, () => json('resources', 'a JSON list of resources')),
      appearance: json('appearance', 'an object such as {"name":"Example Corp"}'),
      additionalCorsOrigins: words(env.CORS_ORIGINS),
      trustedProxies: number('trustedProxies') ?? 0,
    },
    settings,
  );
}

/** @returns undefined where they are no age of a session: it would be refused in milliseconds, which nobody has written */
function sessionDays(settings: Settings, days: number | undefined): number | undefined {
  const { atLeast, atMost } = SESSION_MAX_AGE;
  if (days === undefined || (days * DAY >= atLeast && days * DAY <= atMost)) return days;
  settings.refuse('sessionMaxAge', described(days), `days, at most ${atMost / DAY}`);
  return undefined;
}

function resourcesIn(text = '', parsed: () => ResourceOption[] | undefined): readonly ResourceOption[] {
  if (text.trimStart().startsWith('[')) return parsed() ?? [];
  return words(text).map((identifier) => ({ identifier }));
}

function words(text = ''): string[] {
  return text.split(/[\s,]+/).filter(Boolean);
}

/** Whoever has read the log may go away: people still sign in. */
function ignoreEnd(error: NodeJS.ErrnoException): void {
  if (error.code !== 'EPIPE') throw error;
}

/**
 * `mcp-oidc-auth serve`: runs until a signal ends it.
 *
 * @param args what was typed after `serve`
 */
export async function serve(args: string[]): Promise<void> {
  try {
    const { values } = parseArgs({
      args,
      options: { help: { type: 'boolean', short: 'h' }, 'env-file': { type: 'string' } },
    });
    if (values.help) return console.log(SERVE_USAGE);
    const server = serverFrom(environmentOf(values['env-file']));
    for (const log of [process.stdout, process.stderr]) log.on('error', ignoreEnd);
    let ending = false;
    const end = async () => {
      // Whoever sends a second signal does not want to wait.
      if (ending) process.exit(1);
      ending = true;
      await server.stop();
      process.exit(0);
    };
    // Before the server listens: who waits for that may send one at once.
    process.on('SIGTERM', end);
    process.on('SIGINT', end);
    await server.start();
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    console.error(code?.startsWith('ERR_PARSE_ARGS') ? `${message}\n\n${SERVE_USAGE}` : message);
    process.exit(1);
  }
}
