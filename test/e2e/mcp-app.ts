import type {
  DpopSession,
  OAuthClientInformationFull,
  OAuthClientProvider,
  OAuthDiscoveryState,
  OAuthTokens,
} from '@modelcontextprotocol/client';
import type { Person } from './local-stack';
import { CLIENT_2, type Connection, type OfficialSdk } from './official-sdks';

export interface McpAppOptions {
  readonly redirectUrl?: string;
  readonly sdk?: OfficialSdk;
  /** Where its metadata document lies, if it has one. */
  readonly clientMetadataUrl?: string;
  /** Its key, if it binds its tokens to one (RFC 9449). */
  readonly dpop?: DpopSession;
}

/** What the app sent to the MCP server, and what came back. */
export interface Exchange {
  /** Of JSON-RPC; undefined where there was no body. */
  readonly method: string | undefined;
  readonly mcpMethod: string | null;
  readonly mcpName: string | null;
  readonly status: number;
  readonly challenge: string | null;
}

/** An MCP client application on the official SDK, with a person in front of it. */
export class McpApp implements OAuthClientProvider {
  readonly redirectUrl: string;
  readonly clientMetadataUrl?: string;
  readonly dpop?: () => DpopSession;

  get clientMetadata() {
    return {
      client_name: 'Example MCP app',
      redirect_uris: [this.redirectUrl],
      grant_types: ['authorization_code', 'refresh_token'],
      response_types: ['code'],
      token_endpoint_auth_method: 'none',
    };
  }

  /** Every authorization request that the person was sent to. */
  readonly authorizations: URL[] = [];
  /** Every HTTP exchange with the MCP server. */
  readonly exchanges: Exchange[] = [];
  /** Every other address that the SDK asked, in order: metadata and endpoints. */
  readonly asked: string[] = [];
  current: OAuthTokens | undefined;
  /** Every code and token that it was given. */
  readonly secrets: string[] = [];

  readonly #sdk: OfficialSdk;
  #information: OAuthClientInformationFull | undefined;
  #discovery: OAuthDiscoveryState | undefined;
  #verifier = '';
  #connection: Connection;

  constructor(
    private readonly mcpUrl: string,
    private readonly person: Pick<Person, 'authorize'>,
    { redirectUrl = 'http://localhost:45678/callback', sdk = CLIENT_2, clientMetadataUrl, dpop }: McpAppOptions = {},
  ) {
    this.redirectUrl = redirectUrl;
    this.clientMetadataUrl = clientMetadataUrl;
    this.#sdk = sdk;
    if (dpop) this.dpop = () => dpop;
    this.#connection = this.#connect();
  }

  /** Connects, and signs the person in where the server asks for it. */
  async connect(): Promise<void> {
    this.#connection = this.#connect();
    await this.#connection.open().catch(async (error) => {
      await this.#authorized(error);
      this.#connection = this.#connect();
      await this.#connection.open();
    });
  }

  /** Signs the person in for other scopes than the server asks for, as an app may that knows which it needs. */
  async signInFor(scope: string): Promise<void> {
    const serverUrl = this.mcpUrl;
    this.current = undefined;
    await this.#sdk.auth(this, { serverUrl, scope });
    const answer = await this.#answer();
    const authorizationCode = answer.get('code') ?? '';
    await this.#sdk.auth(this, { serverUrl, authorizationCode, iss: answer.get('iss') ?? undefined });
  }

  async tools(): Promise<string[]> {
    return (await this.#connection.listTools()).tools.map(({ name }) => name);
  }

  /** Calls a tool, and lets the person step up where the server asks for more. */
  async call(name: string, args: Record<string, unknown> = {}): Promise<string> {
    return (await this.result(name, args)).text;
  }

  /** The same, with whether the tool says that it failed. */
  async result(name: string, args: Record<string, unknown> = {}): Promise<{ isError: boolean; text: string }> {
    const call = () => this.#connection.callTool(name, args);
    const { content, isError = false } = await call().catch(async (error) => {
      await this.#authorized(error);
      return call();
    });
    const [first] = content as { text?: string }[];
    return { isError: isError === true, text: first?.text ?? '' };
  }

  async close(): Promise<void> {
    await this.#connection.close();
  }

  clientInformation(): OAuthClientInformationFull | undefined {
    return this.#information;
  }

  saveClientInformation(information: OAuthClientInformationFull): void {
    this.#information = information;
  }

  tokens(): OAuthTokens | undefined {
    return this.current;
  }

  saveTokens(tokens: OAuthTokens): void {
    this.current = tokens;
    this.secrets.push(tokens.access_token, tokens.refresh_token ?? tokens.access_token);
  }

  redirectToAuthorization(url: URL): void {
    this.authorizations.push(url);
  }

  discoveryState(): OAuthDiscoveryState | undefined {
    return this.#discovery;
  }

  saveDiscoveryState(state: OAuthDiscoveryState): void {
    this.#discovery = state;
  }

  saveCodeVerifier(verifier: string): void {
    this.#verifier = verifier;
  }

  codeVerifier(): string {
    return this.#verifier;
  }

  #connect(): Connection {
    return this.#sdk.connection(this, new URL(this.mcpUrl), async (url, init) => {
      const response = await fetch(url, init);
      if (String(url) === this.mcpUrl) this.exchanges.push(exchangeOf(init, response));
      else this.asked.push(String(url));
      return response;
    });
  }

  /** Where the SDK has given up because the person is needed: the person authorizes. */
  async #authorized(error: unknown): Promise<void> {
    if (!this.#sdk.isUnauthorized(error)) throw error;
    await this.#connection.finishAuth(await this.#answer());
  }

  async #answer(): Promise<URLSearchParams> {
    const url = this.authorizations.at(-1);
    if (!url) throw new Error('The SDK asked for no authorization');
    const answer = await this.person.authorize(url, this.redirectUrl);
    this.secrets.push(answer.get('code') ?? '');
    return answer;
  }
}

function exchangeOf({ headers, body }: RequestInit = {}, { status, headers: answered }: Response): Exchange {
  const sent = new Headers(headers);
  return {
    method: typeof body === 'string' ? JSON.parse(body).method : undefined,
    mcpMethod: sent.get('mcp-method'),
    mcpName: sent.get('mcp-name'),
    status,
    challenge: answered.get('www-authenticate'),
  };
}
