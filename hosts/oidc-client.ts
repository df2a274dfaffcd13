import type { AllowRule } from '../lib/contract';

/** The claims of an upstream ID token (OpenID Connect Core sections 2 and 5.1), as upstream spells them. */
export type UserClaims = Readonly<Record<string, unknown>> & { readonly sub: string };

/** The one confidential client that you create at your identity provider. */
export interface OidcClientConfig {
  /** The OpenID Connect issuer, exactly as its discovery document spells it. */
  readonly issuer: string;

  /** The client's `client_id` at your identity provider. */
  readonly clientId: string;

  /** Its `client_secret`. It is sent in the way that the provider's metadata offers, in the body where both are. */
  readonly clientSecret: string;

  /** Where your identity provider sends people back: any path of `baseUrl`, as you have registered it there. */
  readonly redirectUri: string;

  /**
   * Scopes that are asked for, separated by spaces or as a list; `openid` is always among them. With `offline_access` most providers give a
   * refresh token: see `recheck`.
   *
   * @default 'openid profile email'
   */
  readonly scopes?: string | readonly string[];

  /**
   * Parameters that are added to the authorization request, for example `{ hd: 'example.com' }`.
   *
   * @default none
   */
  readonly additionalAuthParams?: Readonly<Record<string, string>>;

  /**
   * What your MCP server is to know of a person beside the claims, from the claims of the ID token. It is kept with the person's grant until
   * that ends, in the clear, and is no part of a token.
   *
   * @default nothing
   */
  readonly extractCustomData?: (claims: UserClaims) => Readonly<Record<string, unknown>> | undefined;

  /**
   * Who may sign in: every rule must hold. A rule holds when the claim, or a member of it, equals one of the values; a value that begins with
   * `@` matches the domain of the verified e-mail address, `email` beside `email_verified`: in another claim nothing else does.
   *
   * @default everyone that your identity provider signs in
   */
  readonly allow?: readonly AllowRule[];

  /**
   * Claims of the ID token, or of UserInfo where that lacks them, that are copied into access tokens.
   *
   * @default none
   */
  readonly claims?: readonly string[];

  /**
   * Where the identity provider gives a refresh token: seconds between two questions, when a client refreshes, whether the person is still
   * one of theirs and `allow` still holds. If not, the grant ends.
   *
   * @default 3600
   */
  readonly recheck?: number;
}

/** The identity provider that people sign in at: any with a discovery document of OpenID Connect. */
export class OidcClient {
  declare readonly config: OidcClientConfig;

  constructor(config: OidcClientConfig) {
    // Has a secret in it, so it is no part of what is printed of this.
    Object.defineProperty(this, 'config', { value: config });
  }
}
