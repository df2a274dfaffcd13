import { createHash, randomBytes, randomUUID } from 'node:crypto';
import { exportJWK, generateKeyPair, SignJWT } from 'jose';
import type { MetadataHost } from '../../support/metadata-host';
import type { LocalStack, Person } from '../local-stack';
import type { Discovered, Identity, Lookup, MatrixClient, Parameters } from './client';

export interface Tokens {
  readonly access_token: string;
  readonly refresh_token: string;
  readonly expires_in: number;
  readonly scope: string;
}

/** A request and its answer, as the client may see it. */
export interface Exchange {
  readonly request: string;
  readonly status: number;
}

const ASSERTION_TYPE = 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer';
/** Headers and methods that a page may send without asking first (Fetch, CORS-safelisted). */
const SAFE_HEADERS = new Set(['accept', 'accept-language', 'content-language']);

/** One client, which sends what it is known to send, in front of a person. */
export class Replay {
  readonly exchanges: Exchange[] = [];
  tokens: Tokens | undefined;
  clientId = '';
  /** Every code and token that it was given. */
  readonly secrets: string[] = [];
  /** Seconds by which its clock is ahead of this machine's, as the stack's is. */
  clockOffset = 0;

  #secret: string | undefined;
  #discovered: Discovered;
  #signingKey = generateKeyPair('RS256');
  #calls = 0;

  constructor(
    private readonly client: MatrixClient,
    private readonly local: LocalStack,
    private readonly host: MetadataHost,
    private readonly person: Pick<Person, 'authorize'>,
  ) {
    this.#discovered = { mcpUrl: local.mcpUrl } as Discovered;
  }

  get discovered(): Discovered {
    return this.#discovered;
  }

  /** From the first request to the tools. */
  async connect(): Promise<void> {
    for (const lookup of this.client.discovery) await this.#look(lookup);
    const lacking = Object.entries(this.client.needs(this.#discovered)).filter(([, found]) => !found);
    if (lacking.length > 0) throw new Error(`It would go no further without ${lacking.map(([need]) => need)}`);
    await this.#identify(this.client.identity);
    await this.authorize(this.client.scope(this.#discovered));
    await this.mcp('initialize', initialization(this.client.name));
    await this.mcp('notifications/initialized');
  }

  /** Asks the person for these scopes, and redeems the code. */
  async authorize(scope: string | undefined): Promise<void> {
    const { client, clientId } = this;
    const codeVerifier = randomBytes(32).toString('base64url');
    const codeChallenge = createHash('sha256').update(codeVerifier).digest('base64url');
    const { redirectUri } = client;
    const [state, resource] = [client.state(), client.resource(this.#discovered)];
    const url = new URL(String(this.#discovered.server.authorization_endpoint));
    url.search = form(
      client.authorization({ clientId, redirectUri, state, codeChallenge, resource, scope }),
    ).toString();
    const answer = await this.person.authorize(url, redirectUri);
    if (answer.get('state') !== state) throw new Error(`Not its state ${state} but ${answer.get('state')}`);
    if (answer.get('iss') !== this.#discovered.server.issuer) throw new Error(`Another issuer: ${answer.get('iss')}`);
    const code = answer.get('code') ?? '';
    this.secrets.push(code);
    for (const lookup of client.beforeToken ?? []) await this.#look(lookup);
    const { status, body } = await this.#token(
      client.redemption({ clientId, redirectUri, code, codeVerifier, resource }),
    );
    if (status !== 200) throw new Error(`The code was refused: ${JSON.stringify(body)}`);
    this.#keep(body);
  }

  /** Every process of it at the same time; all of them keep what they got. */
  async refresh(): Promise<Tokens[]> {
    const { refresh_token: refreshToken, scope: granted } = this.tokens!;
    const resource = this.client.resource(this.#discovered);
    const parameters = this.client.refresh({ clientId: this.clientId, refreshToken, resource, granted });
    const answers = await Promise.all(
      Array.from({ length: this.client.processes ?? 1 }, () => this.#token(parameters)),
    );
    for (const { status, body } of answers) {
      if (status !== 200) throw new Error(`The refresh was refused: ${JSON.stringify(body)}`);
      this.#keep(body);
    }
    return answers.map(({ body }) => body);
  }

  /** A call of a tool. */
  call(tool: string, args: Record<string, unknown> = {}): Promise<Answer> {
    return this.mcp('tools/call', { name: tool, arguments: args }, tool);
  }

  /** A message to the MCP server, with the token if there is one. */
  async mcp(method: string, params?: Record<string, unknown>, tool?: string): Promise<Answer> {
    const id = method.startsWith('notifications/') ? {} : { id: this.#calls++ };
    return this.#send('POST', this.local.mcpUrl, {
      headers: { ...this.client.mcpHeaders(method, tool), ...this.#bearer() },
      body: JSON.stringify({ jsonrpc: '2.0', ...id, method, ...(params && { params }) }),
    });
  }

  async #look(lookup: Lookup): Promise<void> {
    const { mcpUrl, challenge, resource } = this.#discovered;
    if (!('headers' in lookup)) {
      const answer = await (lookup.what === 'initialize'
        ? this.mcp('initialize', initialization(this.client.name))
        : this.#send('GET', mcpUrl, { headers: this.client.mcpHeaders('GET', undefined) }));
      if (answer.status !== 401) throw new Error(`Not a 401 but ${answer.status}`);
      this.#discovered = { ...this.#discovered, challenge: answer.challenge };
      return;
    }
    const address =
      lookup.what === 'resource'
        ? challenge.resource_metadata
        : `${resource.authorization_servers[0]}/.well-known/oauth-authorization-server`;
    const { status, text } = await this.#send('GET', address ?? '', { headers: lookup.headers });
    if (status !== 200) throw new Error(`${address} answers ${status}: ${text}`);
    this.#discovered = { ...this.#discovered, [lookup.what]: JSON.parse(text) };
  }

  async #identify(identity: Identity): Promise<void> {
    if ('document' in identity) {
      const { publishedAt, metadata } = identity.document;
      const { pathname } = new URL(publishedAt);
      const jwks_uri = metadata.token_endpoint_auth_method === 'private_key_jwt' && (await this.#publishKey());
      this.clientId = this.host.publish(pathname, { ...metadata, ...(jwks_uri && { jwks_uri }) });
      return;
    }
    for (let i = 0; i < (identity.times ?? 1); i++) {
      const { status, text } = await this.#send('POST', String(this.#discovered.server.registration_endpoint), {
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify(identity.registration(this.#discovered)),
      });
      if (status !== 201) throw new Error(`The registration was refused: ${text}`);
      const { client_id, client_secret, token_endpoint_auth_method } = JSON.parse(text);
      if (token_endpoint_auth_method !== this.client.authentication) throw new Error('Another way to authenticate');
      [this.clientId, this.#secret] = [client_id, client_secret];
    }
    if (this.#secret) this.secrets.push(this.#secret);
  }

  async #publishKey(): Promise<string> {
    const { publicKey } = await this.#signingKey;
    const key = { ...(await exportJWK(publicKey)), kid: 'cimd', alg: 'RS256', use: 'sig' };
    return this.host.serve('/oauth/jwks.json', { body: { keys: [key] } });
  }

  async #token(parameters: Parameters): Promise<{ status: number; body: Tokens }> {
    const authentication =
      this.client.authentication === 'private_key_jwt'
        ? { client_assertion_type: ASSERTION_TYPE, client_assertion: await this.#assertion() }
        : { client_secret: this.#secret };
    const { status, text } = await this.#send('POST', String(this.#discovered.server.token_endpoint), {
      headers: { accept: 'application/json', 'content-type': 'application/x-www-form-urlencoded' },
      body: form({ ...parameters, ...authentication }).toString(),
    });
    return { status, body: JSON.parse(text) };
  }

  async #assertion(): Promise<string> {
    const { privateKey } = await this.#signingKey;
    const now = Math.floor(Date.now() / 1000) + this.clockOffset;
    return new SignJWT()
      .setProtectedHeader({ alg: 'RS256', kid: 'cimd' })
      .setIssuer(this.clientId)
      .setSubject(this.clientId)
      .setAudience(this.#discovered.server.issuer)
      .setJti(randomUUID())
      .setIssuedAt(now)
      .setExpirationTime(now + 300)
      .sign(privateKey);
  }

  #keep(tokens: Tokens): void {
    this.tokens = tokens;
    this.secrets.push(tokens.access_token, tokens.refresh_token);
  }

  #bearer(): Parameters {
    return { authorization: this.tokens && `Bearer ${this.tokens.access_token}` };
  }

  async #send(method: string, address: string, init: { headers: Parameters; body?: string }): Promise<Answer> {
    const { origin } = this.client;
    const headers = new Headers(Object.entries({ ...this.client.headers, ...init.headers }).filter(isGiven));
    if (origin) {
      await this.#preflight(origin, method, address, headers);
      headers.set('origin', origin);
    }
    const response = await fetch(address, { method, headers, body: init.body });
    this.exchanges.push({ request: `${method} ${new URL(address).pathname}`, status: response.status });
    const text = await response.text();
    if (origin && !allows(response, 'access-control-allow-origin', origin)) {
      throw new Error(`The browser hides the answer of ${address} from its page: ${response.status} ${text}`);
    }
    const isHidden = origin && !allows(response, 'access-control-expose-headers', 'www-authenticate');
    const challenge = isHidden ? {} : parseChallenge(response.headers.get('www-authenticate') ?? '');
    return { status: response.status, text, challenge };
  }

  /** What a browser asks before it lets a page send the request (Fetch, CORS-preflight). */
  async #preflight(origin: string, method: string, address: string, headers: Headers): Promise<void> {
    const unsafe = [...headers.keys()].filter(
      (name) =>
        !SAFE_HEADERS.has(name) &&
        !(name === 'content-type' && headers.get(name) === 'application/x-www-form-urlencoded'),
    );
    if (unsafe.length === 0) return;
    const response = await fetch(address, {
      method: 'OPTIONS',
      headers: {
        origin,
        'access-control-request-method': method,
        'access-control-request-headers': unsafe.join(','),
      },
    });
    await response.arrayBuffer();
    const refused = unsafe.filter((name) => !allows(response, 'access-control-allow-headers', name));
    if (!response.ok || refused.length > 0 || !allows(response, 'access-control-allow-origin', origin)) {
      throw new Error(`The browser does not let its page ask ${method} ${address}: ${response.status}, ${refused}`);
    }
  }
}

export interface Answer {
  readonly status: number;
  readonly text: string;
  readonly challenge: Readonly<Record<string, string>>;
}

function initialization(name: string): Record<string, unknown> {
  return { protocolVersion: '2025-11-25', capabilities: {}, clientInfo: { name, version: '1.0.0' } };
}

function form(parameters: Parameters): URLSearchParams {
  return new URLSearchParams(Object.entries(parameters).filter(isGiven));
}

function isGiven(entry: [string, string | undefined]): entry is [string, string] {
  return entry[1] !== undefined;
}

/** Whether a CORS header has the value in its list. Authorization is never meant by the star. */
function allows(response: Response, header: string, value: string): boolean {
  const list = (response.headers.get(header) ?? '').split(',').map((each) => each.trim().toLowerCase());
  return list.includes(value.toLowerCase()) || (list.includes('*') && value !== 'authorization');
}

function parseChallenge(header: string): Record<string, string> {
  if (!/^Bearer /i.test(header)) return {};
  return Object.fromEntries([...header.matchAll(/([a-z_]+)="([^"]*)"/g)].map(([, name, value]) => [name, value]));
}
