/**
 * The names that the constructs (synth time) and the functions (request time) must agree on; those of the metrics are in counted-events.ts,
 * those of the pages in page-appearance.ts and page-words.ts. Nothing here runs: constants and types only, so that both sides may import it.
 */

/** The one environment variable that each function reads: its configuration as JSON, typed below. */
export const CONFIG = 'CONFIG';

/** The table's attributes. `expiresAt` (epoch seconds) is checked on every read and is the table's TTL attribute. */
export const TABLE = {
  partitionKey: 'pk',
  sortKey: 'sk',
  timeToLive: 'expiresAt',
  value: 'value',
  version: 'v',
  consumedAt: 'consumedAt',
  claimedBy: 'claimedBy',
  registeredBy: 'registeredBy',
  count: 'count',
} as const;

/** The schema version that every record carries in `v`. */
export const SCHEMA_VERSION = 1;

/** No record that a client or a person causes outlives this, in seconds (400 days). */
export const LONGEST_LIFETIME = 400 * 24 * 60 * 60;

/** The partition that holds every registered protected resource; `/<identifier>` is the sort key. */
export const RESOURCES_PARTITION = 'resources';

/** What the partition of every client begins with. */
export const CLIENT_PREFIX = 'client#';

/** The same of every person's list of grants, and of every grant with its codes and tokens. */
export const PERSON_PREFIX = 'person#';
export const GRANT_PREFIX = 'grant#';

/** One scope of a protected resource. */
export interface ScopeRecord {
  /** The scope token of RFC 6749 section 3.3. */
  readonly name: string;
  /** The words that the consent page shows. */
  readonly description: string;
  /** The same in other languages, by BCP 47 tag. */
  readonly descriptions?: Readonly<Record<string, string>>;
  /** Granted when a client asks for no scope at all. */
  readonly default: boolean;
  /** Scopes of the same resource that this one includes. */
  readonly implies: readonly string[];
}

/** A protected resource (RFC 9728, RFC 8707) that access tokens may be issued for. */
export interface ResourceRecord {
  /** The canonical resource identifier: the `resource` that clients send and the `aud` of access tokens. */
  readonly identifier: string;
  /** A name for people; the identifier's host where absent. */
  readonly name?: string;
  readonly scopes: readonly ScopeRecord[];
  /** Used for requests without `resource` where several resources are registered. */
  readonly default: boolean;
  /** Whether it may act for people at the upstream identity provider, with their consent; absent: no. */
  readonly upstreamTokens?: boolean;
}

/** A public client that the operators have declared. */
export interface ClientRecord {
  readonly clientId: string;
  /** A name for people. */
  readonly name: string;
  readonly redirectUris: readonly string[];
}

/** A confidential client that may exchange the access tokens that it receives as a resource server (RFC 8693), and nothing else. */
export interface ResourceServerRecord {
  readonly clientId: string;
  /** A name for operators. */
  readonly name: string;
  /** The identifiers of the protected resources that it stands for. */
  readonly resources: readonly string[];
}

/** The members of the secret that holds the credential of a resource server, as JSON. */
export interface ResourceServerCredential {
  readonly client_id: string;
  readonly client_secret: string;
}

/** The environment variables of a function that may get upstream tokens. */
export const UPSTREAM_TOKENS_ENVIRONMENT = {
  tokenEndpoint: 'MCP_UPSTREAM_TOKEN_ENDPOINT',
  /** Of the secret that holds its credential. */
  secretArn: 'MCP_UPSTREAM_TOKEN_SECRET_ARN',
} as const;

/**
 * The claim of an access token that names the grant behind it, only where a resource server has to find that: the SHA-256 of the grant's id in
 * base64url. It names a record and opens nothing.
 */
export const GRANT_CLAIM = 'grant_ref';

/** How DPoP proofs may be signed (RFC 9449 section 4.2): asymmetric, and with what clients really use. */
export const DPOP_ALGORITHMS = ['ES256', 'EdDSA', 'RS256', 'PS256'] as const;

/** Lifetimes in seconds. */
export interface Lifetimes {
  readonly accessToken: number;
  readonly authorizationCode: number;
  /** From /authorize until the code: consent and the upstream sign-in together. */
  readonly interaction: number;
  /** A refresh token that is not used for this long expires. */
  readonly refreshTokenIdle: number;
  /** The end of a grant and all its refresh tokens, however often they are used. */
  readonly grant: number;
  /** How long a repeated refresh yields the same successor; 0 = strict single use. */
  readonly refreshGrace: number;
  /** How much longer, as long as the successor was never presented; 0 = not at all. */
  readonly refreshLateRetry: number;
  /** A registered client that is not used for this long is forgotten. */
  readonly client: number;
}

/**
 * A person may sign in only if the claim, or a member of it, has one of the values. `@example.com` is every verified e-mail address of that domain;
 * patterns such as `*.example.com` do not exist.
 */
export interface AllowRule {
  readonly claim: string;
  readonly values: readonly string[];
}

export interface UpstreamConfig {
  readonly issuer: string;
  readonly clientId: string;
  readonly scopes: readonly string[];
  readonly extraParameters: Readonly<Record<string, string>>;
  /** Every rule must hold; empty = everyone that upstream signs in. */
  readonly allow: readonly AllowRule[];
  /** Claims of the upstream ID token that are copied into access tokens. */
  readonly claims: readonly string[];
  /** Seconds between two questions whether a person who refreshes is still one of upstream's. */
  readonly recheck: number;
}

/** Hosts of clients' metadata documents. */
export interface ClientMetadataConfig {
  /** Those whose documents are fetched from any address and port. */
  readonly internalHosts: readonly string[];
  /** The only others, by name or as `*.example.com`; absent: all. */
  readonly allowedHosts?: readonly string[];
  /** Those whose documents are never used, by name or as `*.example.com`. */
  readonly deniedHosts: readonly string[];
}

/** How clients register (RFC 7591). */
export interface RegistrationConfig {
  /** New clients per hour from one address, or one IPv6 network of 64 bits. */
  readonly perAddress: number;
  /** New clients per hour in all. */
  readonly inAll: number;
  /** CIDR ranges that many people share, so that `perAddress` does not hold there. */
  readonly sharedEgress: readonly string[];
  /** The private-use schemes that redirect URIs may have; absent: those of known MCP clients, and reverse domain names. */
  readonly privateUseSchemes?: readonly string[];
}

/**
 * How long what somebody knows of the key set may be old, in refresh intervals: an instance serves a value for two of them, and whoever
 * fetches it there, an authorizer for one, keeps it for as long again.
 */
export const OLDEST_KEY_SET = 4;

/** Seconds for which API Gateway's own JWT authorizers keep a key set, whatever its `max-age`: the longest that is known. */
export const LONGEST_KEY_SET_CACHE = 2 * 60 * 60;

/** What the authorization server must know, wherever it runs. */
export interface ServerConfig {
  readonly issuer: string;
  readonly upstream: UpstreamConfig;
  readonly clientMetadata: ClientMetadataConfig;
  readonly registration: RegistrationConfig;
  readonly lifetimes: Lifetimes;
  /** Whether tokens may be bound to a key (RFC 9449). */
  readonly dpop: boolean;
  /** Seconds between looks at the key set; also max-age of /jwks. */
  readonly keySetRefresh: number;
}

/** The upstream identity provider, and where the client secret there is kept. */
export interface UpstreamSecretConfig extends UpstreamConfig {
  /** The complete ARN of the secret whose value is the client secret, or its name in the function's account and region. */
  readonly clientSecretId: string;
}

/** CONFIG of the provider function. */
export interface ProviderConfig extends ServerConfig {
  readonly tableName: string;
  readonly keySetSecretArn: string;
  readonly upstream: UpstreamSecretConfig;
}

/** CONFIG of an authorizer function. */
export interface AuthorizerConfig {
  readonly issuer: string;
  readonly jwksUri: string;
  /** The protected resource's identifier: the only `aud` that is accepted. */
  readonly audience: string;
  /** Every call needs these. */
  readonly scopes: readonly string[];
  /** Further scopes by the name of the tool that the `Mcp-Name` header names (MCP 2026-07-28). */
  readonly toolScopes: Readonly<Record<string, readonly string[]>>;
  /** Whether tokens that are bound to a key are accepted (RFC 9449). */
  readonly dpop: boolean;
  /** Claims of the access token that are handed to the MCP server's handler, beside sub, client_id and scope. */
  readonly claims: readonly string[];
  /** RFC 9728 metadata, for the `metadata` handler alone, which serves it where the API cannot answer by itself (HTTP APIs). */
  readonly metadata?: Readonly<Record<string, unknown>>;
}

/**
 * How access tokens are signed (RFC 7518 section 3.1). ID tokens are always signed with RS256, which OpenID Connect Core section 15.1 asks of
 * every provider.
 */
export type AccessTokenAlgorithm = 'RS256' | 'ES256';

/** CONFIG of the rotation function. Times in seconds. */
export interface RotateKeysConfig {
  readonly keySetSecretArn: string;
  /** Of the keys that are made from now on. */
  readonly algorithm: AccessTokenAlgorithm;
  /** `next` is promoted only after it has been published for this long. */
  readonly minimumPublication: number;
  /** A retired key stays published for this long: the longest token lifetime plus every cache of the key set. */
  readonly retirement: number;
}

/** CONFIG of the function behind the custom resources. */
export interface OnDeployConfig {
  readonly tableName: string;
  readonly keySetSecretArn: string;
  /** Of the first signing keys. */
  readonly algorithm: AccessTokenAlgorithm;
  /** As `registration.privateUseSchemes` of the provider. */
  readonly privateUseSchemes?: readonly string[];
}

/** The custom resource that makes the first key set. Its property `Secret`, the secret's ARN, is there so that another secret is filled too. */
export const KEY_SET_RESOURCE_TYPE = 'Custom::McpOidcAuthKeySet';

/** The custom resource that registers a protected resource. Property: `Resource`, a ResourceRecord as JSON text. */
export const PROTECTED_RESOURCE_TYPE = 'Custom::McpOidcAuthProtectedResource';

/** The custom resource that registers a client. Property: `Client`, a ClientRecord as JSON text. */
export const CLIENT_RESOURCE_TYPE = 'Custom::McpOidcAuthClient';

/**
 * The custom resource that registers a resource server. Properties: `ResourceServer`, a ResourceServerRecord as JSON text; `Secret`, the ARN of the
 * secret that holds its credential.
 */
export const RESOURCE_SERVER_RESOURCE_TYPE = 'Custom::McpOidcAuthResourceServer';

/** A private JWK (RFC 7517) with `kid`, `alg` and `use`. */
export type PrivateJwk = Readonly<Record<string, string>> & {
  readonly kid: string;
  readonly alg: string;
  readonly d: string;
};

/** The public half of a PrivateJwk, which no private one passes for. */
export interface PublicJwk {
  readonly kid: string;
  readonly alg: string;
  readonly d?: never;
  readonly [member: string]: string | undefined;
}

/** All times in the secrets are epoch seconds. */
export interface SigningKey {
  /** Signs access tokens, and ID tokens where there is no other for them. */
  readonly jwk: PrivateJwk;
  /** Signs ID tokens, where access tokens are not signed with RS256. */
  readonly idTokenJwk?: PrivateJwk;
  readonly createdAt: number;
}

export interface RetiredKey {
  readonly jwk: PublicJwk;
  readonly retiredAt: number;
}

/** A symmetric secret, 32 bytes in base64url. */
export interface SymmetricKey {
  readonly id: string;
  readonly key: string;
  /** It makes nothing before, so that by then every instance has it, and nothing once a newer one is active. */
  readonly activeFrom: number;
}

/** The key set secret's value. `next` is published before it signs; `previous` stays published until nothing it signed can be valid. */
export interface KeySet {
  readonly v: 1;
  /** The version of the secret that this one was made from, which is the only one that it may follow. Absent in the first. */
  readonly basedOn?: string;
  readonly current: SigningKey;
  readonly next: SigningKey;
  readonly previous: readonly RetiredKey[];
  /** Keys that derive a refresh token's successor from the token; newest first. */
  readonly successorKeys: readonly SymmetricKey[];
  /** Keys that encrypt what records must keep secret; newest first. */
  readonly encryptionKeys: readonly SymmetricKey[];
}

/** The routes of the authorization server: an explicit API Gateway route for each path and method. */
export const ROUTES: readonly { readonly path: string; readonly methods: readonly string[] }[] = [
  { path: '/', methods: ['GET', 'HEAD'] },
  { path: '/.well-known/oauth-authorization-server', methods: ['GET', 'HEAD', 'OPTIONS'] },
  { path: '/.well-known/openid-configuration', methods: ['GET', 'HEAD', 'OPTIONS'] },
  { path: '/jwks', methods: ['GET', 'HEAD', 'OPTIONS'] },
  { path: '/register', methods: ['POST', 'OPTIONS'] },
  { path: '/authorize', methods: ['GET', 'HEAD'] },
  { path: '/authorize/{uid}', methods: ['GET', 'HEAD'] },
  { path: '/interaction/{uid}', methods: ['GET', 'HEAD', 'POST'] },
  { path: '/callback', methods: ['GET', 'HEAD'] },
  { path: '/token', methods: ['POST', 'OPTIONS'] },
  { path: '/revoke', methods: ['POST', 'OPTIONS'] },
  { path: '/introspect', methods: ['POST', 'OPTIONS'] },
];
