import { createHash, randomBytes } from 'node:crypto';
import { Browser, type Page } from '../test/support/browser';

export const ISSUER = 'https://auth.example.com';
const REDIRECT_URI = 'https://client.example.com/callback';

type Send = (url: URL, init: { method?: string; headers?: Record<string, string>; body?: string }) => Promise<Response>;

interface Surroundings {
  readonly redirectUri: string;
  readonly issuer: string;
  /** What the person does where the identity provider shows a page. */
  signInUpstream(browser: Browser, page: Page, atClient: (url: URL) => boolean): Promise<Page>;
}

/** An MCP client and the person in front of it, at one authorization server. */
export class Person {
  constructor(
    private readonly send: Send,
    private readonly resource: string,
    {
      redirectUri = REDIRECT_URI,
      issuer = ISSUER,
      signInUpstream = async (_, page) => page,
    }: Partial<Surroundings> = {},
  ) {
    this.#redirectUri = redirectUri;
    this.#issuer = issuer;
    this.#signInUpstream = signInUpstream;
  }

  readonly #redirectUri: string;
  readonly #issuer: string;
  readonly #signInUpstream: Surroundings['signInUpstream'];

  clientId = '';
  refreshToken = '';

  async register(): Promise<void> {
    const body = JSON.stringify({
      client_name: 'Bench',
      redirect_uris: [this.#redirectUri],
      token_endpoint_auth_method: 'none',
      grant_types: ['authorization_code', 'refresh_token'],
      // Both servers get the same client.
      ...(this.#redirectUri.startsWith('http:') ? { application_type: 'native' } : {}),
    });
    const headers = { 'content-type': 'application/json' };
    const answer = await this.#json(
      await this.send(new URL('/register', this.#issuer), { method: 'POST', headers, body }),
    );
    this.clientId = String(answer.client_id);
  }

  /** Signs in with a browser of its own. */
  async signIn(): Promise<{ code: string; verifier: string }> {
    const verifier = randomBytes(32).toString('base64url');
    const url = new URL('/authorize', this.#issuer);
    url.search = new URLSearchParams({
      response_type: 'code',
      client_id: this.clientId,
      redirect_uri: this.#redirectUri,
      code_challenge: createHash('sha256').update(verifier).digest('base64url'),
      code_challenge_method: 'S256',
      resource: this.resource,
      scope: 'notes:use',
    }).toString();
    const browser = new Browser((address, init) =>
      address.origin === this.#issuer ? this.send(address, init as never) : fetch(address, init),
    );
    const atClient = (address: URL) => address.href.startsWith(this.#redirectUri);
    let page = await browser.open(url, atClient);
    if (!atClient(page.url)) {
      page = await browser.submit(page, 'allow', {}, atClient);
      page = await this.#signInUpstream(browser, page, atClient);
    }
    const code = page.url.searchParams.get('code');
    if (!code) throw new Error(`No code, but ${page.status} at ${page.url}: ${page.text}`);
    return { code, verifier };
  }

  async redeem({ code, verifier }: { code: string; verifier: string }): Promise<string> {
    return this.#tokens({
      grant_type: 'authorization_code',
      code,
      code_verifier: verifier,
      redirect_uri: this.#redirectUri,
    });
  }

  /** @returns the access token */
  refresh(): Promise<string> {
    return this.#tokens({ grant_type: 'refresh_token', refresh_token: this.refreshToken });
  }

  async revoke(): Promise<void> {
    const response = await this.#post('/revoke', { token: this.refreshToken, token_type_hint: 'refresh_token' });
    if (response.status !== 200) throw new Error(`/revoke answers ${response.status}`);
  }

  async #tokens(params: Record<string, string>): Promise<string> {
    const { access_token, refresh_token } = await this.#json(await this.#post('/token', params));
    this.refreshToken = String(refresh_token);
    return String(access_token);
  }

  #post(path: string, params: Record<string, string>): Promise<Response> {
    const body = new URLSearchParams({ client_id: this.clientId, ...params }).toString();
    const headers = { 'content-type': 'application/x-www-form-urlencoded' };
    return this.send(new URL(path, this.#issuer), { method: 'POST', headers, body });
  }

  async #json(response: Response): Promise<Record<string, unknown>> {
    const body = (await response.json()) as Record<string, unknown>;
    if (!response.ok) throw new Error(`${response.status} ${JSON.stringify(body)}`);
    return body;
  }
}
