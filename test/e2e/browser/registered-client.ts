import { createHash, randomUUID } from 'node:crypto';

/** A public client, registered by RFC 7591, that can have several authorizations under way. */
export class RegisteredClient {
  static async at(issuer: string, redirectUri: string, name = 'Example editor'): Promise<RegisteredClient> {
    const response = await fetch(new URL('/register', issuer), {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ client_name: name, redirect_uris: [redirectUri], token_endpoint_auth_method: 'none' }),
    });
    const { client_id } = (await response.json()) as { client_id: string };
    return new RegisteredClient(issuer, redirectUri, client_id);
  }

  /** By state. */
  readonly #verifiers = new Map<string, string>();

  private constructor(
    private readonly issuer: string,
    readonly redirectUri: string,
    readonly clientId: string,
  ) {}

  /** The address of a new authorization request. */
  authorizationUrl(params: Record<string, string> = {}): string {
    const [state, verifier] = [randomUUID(), randomUUID() + randomUUID()];
    this.#verifiers.set(state, verifier);
    const url = new URL('/authorize', this.issuer);
    url.search = new URLSearchParams({
      response_type: 'code',
      client_id: this.clientId,
      redirect_uri: this.redirectUri,
      state,
      code_challenge: createHash('sha256').update(verifier).digest('base64url'),
      code_challenge_method: 'S256',
      ...params,
    }).toString();
    return url.href;
  }

  /** Redeems what came to the redirect URI. */
  async redeem({ searchParams }: URL): Promise<{ status: number; access_token: string; error?: string }> {
    const response = await fetch(new URL('/token', this.issuer), {
      method: 'POST',
      body: new URLSearchParams({
        grant_type: 'authorization_code',
        client_id: this.clientId,
        redirect_uri: this.redirectUri,
        code: searchParams.get('code') ?? '',
        code_verifier: this.#verifiers.get(searchParams.get('state') ?? '') ?? '',
      }),
    });
    return { status: response.status, ...((await response.json()) as { access_token: string }) };
  }
}
