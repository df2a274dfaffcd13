/** What a client has read before it asks the person. */
export interface Discovered {
  readonly mcpUrl: string;
  /** The parameters of the 401's Bearer challenge. */
  readonly challenge: Readonly<Record<string, string>>;
  /** RFC 9728 */
  readonly resource: {
    readonly resource: string;
    readonly authorization_servers: readonly string[];
    readonly scopes_supported?: readonly string[];
  };
  /** RFC 8414 */
  readonly server: Readonly<Record<string, unknown>> & {
    readonly issuer: string;
    readonly scopes_supported: readonly string[];
    readonly grant_types_supported: readonly string[];
    readonly token_endpoint_auth_methods_supported: readonly string[];
  };
}

export interface Authorization {
  readonly clientId: string;
  readonly redirectUri: string;
  readonly state: string;
  readonly codeChallenge: string;
  readonly resource: string;
  readonly scope: string | undefined;
}

export interface Redemption {
  readonly clientId: string;
  readonly redirectUri: string;
  readonly code: string;
  readonly codeVerifier: string;
  readonly resource: string;
}

export interface Refresh {
  readonly clientId: string;
  readonly refreshToken: string;
  readonly resource: string;
  /** What the last token response granted. */
  readonly granted: string;
}

/** In the order in which they are sent; undefined is left out. */
export type Parameters = Readonly<Record<string, string | undefined>>;

/** A Client ID Metadata Document as its makers publish it, without the `client_id`: that is the address it is served from. */
export interface PublishedDocument {
  readonly publishedAt: string;
  readonly metadata: Readonly<Record<string, unknown>>;
}

/** How one client, registered in one way, is known to talk to an MCP server and its authorization server. */
export interface MatrixClient {
  readonly name: string;
  /** With every request of its own. */
  readonly headers?: Readonly<Record<string, string>>;
  /** Of its page, where the client runs in a browser, which then asks for leave (CORS) and hides what is not exposed. */
  readonly origin?: string;
  /** Headers of each request to the MCP server, beside Authorization. */
  mcpHeaders(method: string, tool: string | undefined): Parameters;
  /** What it asks before it has a token, in this order. */
  readonly discovery: readonly Lookup[];
  /** What it looks up again between the redirect and the token request. */
  readonly beforeToken?: readonly Lookup[];
  /** What it must find, or it goes no further. */
  needs(discovered: Discovered): Readonly<Record<string, boolean>>;
  readonly identity: Identity;
  /** Where the person's browser comes back to. */
  readonly redirectUri: string;
  /** What it asks for first; undefined leaves the parameter out. */
  scope(discovered: Discovered): string | undefined;
  readonly resource: (discovered: Discovered) => string;
  readonly state: () => string;
  authorization(authorization: Authorization): Parameters;
  readonly authentication: 'none' | 'client_secret_post' | 'private_key_jwt';
  redemption(redemption: Redemption): Parameters;
  refresh(refresh: Refresh): Parameters;
  /** How many processes of it refresh the same token at the same time. */
  readonly processes?: number;
  /** What it asks for after a 403 for its first scopes; absent: it does not say which tool it calls, so there is no 403. */
  readonly stepUp?: (discovered: Discovered, challenged: string) => string;
}

export type Lookup =
  /** The MCP server, which answers with the challenge: a POST with `initialize`, or the GET for its stream. */
  | { readonly what: 'initialize' | 'stream' }
  /** The metadata of the resource (RFC 9728) or of the authorization server (RFC 8414). */
  | { readonly what: 'resource' | 'server'; readonly headers: Parameters };

export type Identity =
  | { readonly document: PublishedDocument }
  | {
      /** The body of its registration. */
      readonly registration: (discovered: Discovered) => Readonly<Record<string, unknown>>;
      /** How often it registers when it connects. */
      readonly times?: number;
    };

/** Scopes without doubles, in the order in which they were first named. */
export const union = (...lists: readonly (string | undefined)[]): string =>
  [...new Set(lists.flatMap((list) => list?.split(' ') ?? []))].join(' ');

/** What every client of the 2025-11-25 revision sends. */
export const STREAMABLE_HTTP = { accept: 'application/json, text/event-stream', 'content-type': 'application/json' };
