import { randomBytes } from 'node:crypto';
import { request as httpRequest, type IncomingMessage, type OutgoingHttpHeaders, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { OidcClient } from '../../hosts/oidc-client';
import type { AppearanceOption, HostOptions } from '../../hosts/options';
import { createOidcServer } from '../../hosts/standalone';
import type { HttpRequest, HttpResponse } from '../../lambda/provider/http';
import type { Store } from '../../lambda/store/store';
import type { KeySet, ServerConfig } from '../../lib/contract';
import type { Appearance } from '../../lib/page-appearance';
import { listenExpress } from './express-host';

/** Each host that the attacks run against beside Lambda: listens on any port, with the options that are the same for all. */
const LISTEN = {
  standalone: (options) => createOidcServer({ ...options, port: 0 }).start(),
  express: listenExpress,
} satisfies Record<string, (options: HostOptions) => Promise<Server>>;

export type Host = keyof typeof LISTEN;

/** The host that this run of the tests is about; Lambda where absent. */
export const HOST = process.env.MCP_OIDC_AUTH_HOST as Host | undefined;

/** What Lambda alone does: read secrets while it runs, and answer in a request that the test has begun. */
export const ON_LAMBDA = HOST === undefined;

/** The same for all that share a database. */
const SECRET = randomBytes(32).toString('base64');

/** Instances of the authorization server in a host, behind one proxy, on one store. */
export class Hosts {
  readonly #listeners: Server[] = [];

  /** @param stores one for each instance */
  async start(
    host: Host,
    config: ServerConfig,
    stores: readonly Store[],
    keySet: KeySet,
    upstreamSecret: string,
    appearance?: Appearance,
  ): Promise<{ handle(request: HttpRequest): Promise<HttpResponse> }[]> {
    for (const store of stores) {
      const options = {
        ...hostOptions(config, keySet, upstreamSecret),
        ...(appearance ? { appearance: appearanceOption(appearance) } : {}),
        secret: SECRET,
        store,
      };
      this.#listeners.push(await LISTEN[host](options));
    }
    return this.#listeners.map((listener) => {
      const { port } = listener.address() as AddressInfo;
      return { handle: (request) => overHttp(request, port) };
    });
  }

  async close(): Promise<void> {
    for (const listener of this.#listeners) {
      listener.close();
      listener.closeAllConnections();
    }
  }
}

/** The same configuration, as whoever hosts the server says it. */
function hostOptions(
  config: ServerConfig,
  keySet: KeySet,
  clientSecret: string,
): Omit<HostOptions, 'secret' | 'store'> {
  const { issuer, upstream, lifetimes, registration, clientMetadata, dpop } = config;
  const { grant, ...otherLifetimes } = lifetimes;
  return {
    idpClient: new OidcClient({
      issuer: upstream.issuer,
      clientId: upstream.clientId,
      clientSecret,
      redirectUri: `${issuer}/callback`,
      scopes: upstream.scopes,
      additionalAuthParams: upstream.extraParameters,
      allow: upstream.allow,
      claims: upstream.claims,
      recheck: upstream.recheck,
    }),
    baseUrl: issuer,
    jwks: { keys: [keySet.current.jwk, keySet.next.jwk] },
    isProduction: false,
    sessionMaxAge: grant * 1000,
    lifetimes: otherLifetimes,
    registration,
    clientMetadata,
    dpop,
    trustedProxies: 1,
  };
}

/** What is written on a colour follows from it, and is no option. */
function appearanceOption({ colors, ...others }: Appearance): AppearanceOption {
  return colors ? { ...others, colors: { accent: colors.accent, accentDark: colors.accentDark } } : others;
}

/** Sends a request as it stands, as the proxy before the host does. */
function overHttp({ method, path, query, headers, body, sourceIp }: HttpRequest, port: number): Promise<HttpResponse> {
  return new Promise((resolve, reject) => {
    const sent: OutgoingHttpHeaders = { ...headers, 'x-forwarded-for': sourceIp };
    if (body.length > 0 || method === 'POST') sent['content-length'] = body.length;
    const address = query ? `${path}?${query}` : path;
    // What no request line can hold is sent as every client sends it.
    const encoded = address.replace(/[^\x21-\x7e]+/g, (text) => encodeURIComponent(Buffer.from(text).toString()));
    const options = { host: '127.0.0.1', port, method, path: encoded, headers: sent };
    const request = httpRequest(options, (response) => responseOf(response).then(resolve, reject));
    request.on('error', reject);
    request.end(body);
  });
}

/** What concerns a connection and not a response (RFC 9110 section 7.6.1), or comes from the listener. */
const OF_THE_CONNECTION = ['connection', 'date', 'keep-alive', 'transfer-encoding'];

async function responseOf(response: IncomingMessage): Promise<HttpResponse> {
  const chunks: Buffer[] = [];
  for await (const chunk of response) chunks.push(chunk);
  const { 'set-cookie': cookies = [], ...others } = response.headers;
  const headers = Object.entries(others).filter(([name]) => !OF_THE_CONNECTION.includes(name));
  return {
    status: response.statusCode ?? 0,
    headers: Object.fromEntries(headers) as Record<string, string>,
    cookies,
    body: Buffer.concat(chunks),
  };
}
