import type { AppearanceColors } from '../lib/appearance-rules';
import type { AllowRule, ClientMetadataConfig, Lifetimes, RegistrationConfig, ScopeRecord } from '../lib/contract';
import type { Appearance } from '../lib/page-appearance';
import type { OidcClient } from './oidc-client';

export type { AllowRule };

/** A JWK Set (RFC 7517 section 5) with private keys. */
export interface JwkSet {
  readonly keys: readonly Readonly<Record<string, unknown>>[];
}

/** One scope of a protected resource. Only the name is needed. */
export type ScopeOption = Pick<ScopeRecord, 'name'> & Partial<ScopeRecord>;

/** A protected resource (RFC 9728) that access tokens may be issued for: an MCP server. */
export interface ResourceOption {
  /** The URL of the MCP endpoint, which clients send as `resource` (RFC 8707) and access tokens have as `aud`. */
  readonly identifier: string;
  /** What people read on the consent page; the identifier's host where absent. */
  readonly name?: string;
  /** What clients may ask for; where absent one scope, `mcp:use`. The first is asked for by default unless another says so. */
  readonly scopes?: readonly ScopeOption[];
  /** Whether it is meant by requests without `resource` where several resources are registered. */
  readonly default?: boolean;
  /**
   * Whether it may act for people at the identity provider, with their consent, by tokens of that one (docs/upstream-tokens.md); where
   * absent no.
   */
  readonly upstreamTokens?: boolean;
}

/**
 * How long what is issued lives, in whole seconds. Default, and at most: `accessToken` an hour, a day; `authorizationCode` 60, 600;
 * `interaction` 15 minutes, 400 days; `refreshTokenIdle` 30 days, 400 days; `refreshGrace` 60, 600; `refreshLateRetry` a day, 30 days;
 * `client` 90 days, 400 days. What each means: docs/api.md, `lifetimes`.
 */
export type LifetimeOptions = Partial<Omit<Lifetimes, 'grant'>>;

/** How the pages that people meet look and speak. */
export interface AppearanceOption extends Pick<Appearance, 'name' | 'logo' | 'supportUrl' | 'words'> {
  readonly colors?: AppearanceColors;
}

/** What an authorization server is made from, whatever hosts it. */
export interface HostOptions {
  /** The identity provider that people sign in at. */
  readonly idpClient: OidcClient;

  /**
   * Where everything is kept that outlives a request: a Keyv on `@keyv/redis`, `@keyv/valkey`, `@keyv/postgres` or `@keyv/sqlite`, on any other
   * adapter if `singleProcess`, or on a Map (`new Keyv()`), which is the memory of this process.
   */
  readonly store: object;

  /** Whether no other process uses the store, which is needed where its database has no conditional write. */
  readonly singleProcess?: boolean;

  /**
   * Seals the keys in the store: at least 32 random characters. A list changes it: the new one first, and the one before it after that, until
   * every process has started with the new one.
   */
  readonly secret: string | readonly string[];

  /** The issuer: the public URL of this server, without a path. `https`, or `http` on this machine. */
  readonly baseUrl: string;

  /**
   * The keys that sign: the output of `npx mcp-oidc-auth keys generate`. The first signs; the others are published, so that one that is to
   * sign next, or has signed before, is known. `'store'`: this server makes its keys, keeps them in the store, sealed, and rotates them every
   * 30 days.
   *
   * @default as `'store'`, and refused where `isProduction`
   */
  readonly jwks?: JwkSet | 'store';

  /**
   * Refuses what is for development only: a store in memory, and keys that nobody has decided about.
   *
   * @default whether NODE_ENV is `production`
   */
  readonly isProduction?: boolean;

  /**
   * Milliseconds after which a person signs in again, however often tokens were refreshed. At most 400 days.
   *
   * @default 30 days
   */
  readonly sessionMaxAge?: number;

  /**
   * Origins of browsers, beside those of a client's own redirect URIs, that may use its tokens. Metadata and registration are open to every
   * origin.
   *
   * @default none
   */
  readonly additionalCorsOrigins?: readonly string[];

  /**
   * The MCP servers that tokens are issued for, beside those that register themselves in the store (`createMcpAuthProvider`). Any other is
   * refused with `invalid_target`.
   *
   * @default none
   */
  readonly resources?: readonly ResourceOption[];

  /**
   * How many reverse proxies stand before this server. The address of a client, by which new registrations are counted, is then what the
   * outermost of them has added to X-Forwarded-For; without any the header is ignored.
   *
   * @default 0
   */
  readonly trustedProxies?: number;

  /**
   * Whether tokens may be bound to a key of the client (RFC 9449).
   *
   * @default false
   */
  readonly dpop?: boolean;

  /**
   * How the pages look and speak.
   *
   * @default the pages' own colours and words, and no name
   */
  readonly appearance?: AppearanceOption;

  /**
   * In seconds. `grant` is `sessionMaxAge`.
   *
   * @default those of LifetimeOptions
   */
  readonly lifetimes?: LifetimeOptions;

  /**
   * How many clients may register, and with which redirect URIs.
   *
   * @default 20 an hour from one address, 1000 an hour in all, and the private-use schemes of known MCP clients
   */
  readonly registration?: Partial<RegistrationConfig>;

  /**
   * Which hosts' client metadata documents are used.
   *
   * @default those of every public host
   */
  readonly clientMetadata?: Partial<ClientMetadataConfig>;
}
