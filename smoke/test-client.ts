import { Unexpected } from './check';
import { type Deployment, shown } from './deployment';

/** The port is another one each time (RFC 8252 section 7.3); the registration is the same, and so is the client. */
const METADATA = {
  client_name: 'mcp-oidc-auth smoke',
  redirect_uris: ['http://127.0.0.1/callback'],
  grant_types: ['authorization_code', 'refresh_token'],
  response_types: ['code'],
  token_endpoint_auth_method: 'none',
};

/** The client that this command is, registered like any other (RFC 7591). */
export class TestClient {
  private registration?: Promise<string>;

  constructor(private readonly deployment: Deployment) {}

  readonly name = METADATA.client_name;

  /** @throws Unexpected where registering fails */
  id(): Promise<string> {
    this.registration ??= this.register();
    return this.registration;
  }

  private async register(): Promise<string> {
    const { status, json, text } = await this.deployment.at('/register', {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(METADATA),
    });
    if (status !== 201 || typeof json.client_id !== 'string') throw new Unexpected(`${status}, ${shown(text)}`);
    return json.client_id;
  }

  /** An authorization request for the MCP server (RFC 6749 section 4.1.1, RFC 7636, RFC 8707). */
  async authorizationUrl(parameters: Record<string, string>): Promise<string> {
    const { issuer, mcpUrl } = this.deployment;
    const query = new URLSearchParams({
      response_type: 'code',
      client_id: await this.id(),
      code_challenge_method: 'S256',
      resource: mcpUrl,
      ...parameters,
    });
    return `${issuer}/authorize?${query}`;
  }
}
