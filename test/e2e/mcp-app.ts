import {
  Client,
  type OAuthClientInformationFull,
  type OAuthClientProvider,
  type OAuthTokens,
  StreamableHTTPClientTransport,
  UnauthorizedError,
} from '@modelcontextprotocol/client';
import type { Person } from './local-stack';

/** An MCP client application on the official SDK, with a person in front of it. */
export class McpApp implements OAuthClientProvider {
  get clientMetadata() {
    return {
      client_name: 'Example MCP app',
      redirect_uris: [this.redirectUrl],
      grant_types: ['authorization_code', 'refresh_token'],
      response_types: ['code'],
      token_endpoint_auth_method: 'none',
    };
  }

  /** Where its metadata document lies, if it has one. */
  clientMetadataUrl?: string;
  /** Every authorization request that the person was sent to. */
  readonly authorizations: URL[] = [];
  /** Every HTTP exchange with the MCP server. */
  readonly exchanges: { readonly status: number; readonly challenge: string | null }[] = [];
  current: OAuthTokens | undefined;
  /** Every code and token that it was given. */
  readonly secrets: string[] = [];

  #information: OAuthClientInformationFull | undefined;
  #verifier = '';
  #transport: StreamableHTTPClientTransport | undefined;
  #client: Client | undefined;

  constructor(
    private readonly mcpUrl: string,
    private readonly person: Pick<Person, 'authorize'>,
    readonly redirectUrl = 'http://localhost:45678/callback',
  ) {}

  /** Connects, and signs the person in where the server asks for it. */
  async connect(): Promise<void> {
    const { client, transport } = this.#connection();
    try {
      await client.connect(transport);
    } catch (error) {
      if (!(error instanceof UnauthorizedError)) throw error;
      await this.#finish(transport);
      const second = this.#connection();
      await second.client.connect(second.transport);
    }
  }

  /** Calls a tool, and lets the person step up where the server asks for more. */
  async call(name: string, args: Record<string, unknown> = {}): Promise<string> {
    const call = () => this.#client!.callTool({ name, arguments: args });
    const result = await call().catch(async (error) => {
      if (!(error instanceof UnauthorizedError)) throw error;
      await this.#finish(this.#transport!);
      return call();
    });
    const [content] = result.content as { text?: string }[];
    return content?.text ?? '';
  }

  async close(): Promise<void> {
    await this.#client?.close();
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

  saveCodeVerifier(verifier: string): void {
    this.#verifier = verifier;
  }

  codeVerifier(): string {
    return this.#verifier;
  }

  #connection() {
    const transport = new StreamableHTTPClientTransport(new URL(this.mcpUrl), {
      authProvider: this,
      fetch: async (url, init) => {
        const response = await fetch(url, init);
        if (String(url) === this.mcpUrl) {
          this.exchanges.push({ status: response.status, challenge: response.headers.get('www-authenticate') });
        }
        return response;
      },
    });
    const client = new Client(
      { name: 'example', version: '1.0.0' },
      { versionNegotiation: { mode: { pin: '2026-07-28' } } },
    );
    this.#transport = transport;
    this.#client = client;
    return { client, transport };
  }

  async #finish(transport: StreamableHTTPClientTransport): Promise<void> {
    const url = this.authorizations.at(-1);
    if (!url) throw new Error('The SDK asked for no authorization');
    const answer = await this.person.authorize(url, this.redirectUrl);
    this.secrets.push(answer.get('code') ?? '');
    await transport.finishAuth(answer);
  }
}
