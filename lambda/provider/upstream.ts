import { createHash } from 'node:crypto';
import type { UpstreamConfig } from '../../lib/contract';
import { isLoopback } from '../../lib/loopback';
import { isAllowed, needsVerifiedAddress } from './allow-rules';
import type { AskedAuthentication } from './asked-authentication';
import { logEvent, logProblem } from './log';
import * as client from './openid-client';
import { subjectOf } from './subject';
import { within } from './time-limit';
import { isClientRefused, isUnreachable, refusalOf } from './upstream-answers';
import { PersonNotAllowed, UpstreamRefused, UpstreamUnavailable } from './upstream-errors';

/** Milliseconds after which the discovered metadata is looked at again, so that a changed endpoint is noticed. */
const REDISCOVER_AFTER = 60 * 60 * 1000;
/** The same where it could not be had. */
const RETRY_AFTER = 60 * 1000;
/** Seconds for one request to upstream; of three (discovery, tokens, UserInfo) and the store a sign-in must fit into API Gateway's 30. */
const TIMEOUT = 8;

/** Milliseconds that a page waits for what it can do without. */
const PATIENCE = 1_500;

/** What this sign-in must find again when upstream answers. */
export interface UpstreamChecks {
  readonly state: string;
  readonly nonce: string;
  readonly codeVerifier: string;
}

/** This server's client secret at upstream, which the operator may change while the server runs. */
export interface ClientSecret {
  current(): Promise<string>;
  /** What else may be right, where upstream does not take `refused`. */
  othersThan(refused: string): AsyncIterable<string>;
}

/** What a host wants remembered of a person, from every claim of the ID token. */
export type PersonHook = (claims: Readonly<Record<string, unknown>>) => Pick<Person, 'upstreamClaims' | 'customData'>;

/** An access token as upstream's token endpoint gives it (RFC 6749 section 5.1). */
export interface IssuedAccessToken {
  readonly accessToken: string;
  readonly tokenType: string;
  /** Seconds; absent where upstream does not say. */
  readonly expiresIn?: number;
  readonly scope?: string;
}

export interface IssuedTokens {
  /** By which upstream gives others later, and says whether the person is still one of theirs; where it gives one. */
  readonly refreshToken?: string;
  readonly access?: IssuedAccessToken;
}

export interface Person {
  /** Stable for one person at one issuer, and tells neither. */
  readonly sub: string;
  /** The claims that access tokens carry. */
  readonly claims: Readonly<Record<string, unknown>>;
  readonly upstreamClaims?: Readonly<Record<string, unknown>>;
  readonly customData?: Readonly<Record<string, unknown>>;
  readonly tokens: IssuedTokens;
  /** When upstream has authenticated the person, in epoch seconds, where it says so (`auth_time`). */
  readonly authenticatedAt?: number;
}

type Tokens = client.TokenEndpointResponse & client.TokenEndpointResponseHelpers;

/** The identity provider that people sign in at (OpenID Connect Core), as one confidential client of it. */
export class Upstream {
  #known: { readonly metadata: client.ServerMetadata; readonly at: number; readonly goodFor: number } | undefined;
  #discovering: Promise<client.ServerMetadata> | undefined;

  constructor(
    private readonly config: UpstreamConfig,
    private readonly redirectUri: string,
    private readonly clientSecret: ClientSecret,
    private readonly remember: PersonHook = () => ({}),
  ) {}

  /** Looks where upstream's endpoints are, unless that is known. */
  async discover(): Promise<void> {
    await this.#metadata();
  }

  /**
   * Where people are sent: some providers, as Cognito, sign people in on another host than their issuer's. While that is not known it
   * is the issuer, and what keeps it from being known is said when the person goes on: a page is not kept waiting for it.
   */
  async signInAddress(): Promise<URL> {
    const { issuer } = this.config;
    const metadata = await within(PATIENCE, this.#metadata()).catch(() => undefined);
    return new URL(metadata?.authorization_endpoint ?? issuer);
  }

  /**
   * @param asked what the client asks of the authentication, which only upstream can do
   * @param otherAccount asks upstream not to take the account that is signed in there
   * @throws UpstreamUnavailable
   */
  async authorizationUrl(checks: UpstreamChecks, asked: AskedAuthentication, otherAccount: boolean): Promise<string> {
    const { metadata, secret } = await this.#access();
    const configuration = this.#configuration(metadata, secret);
    const url = client.buildAuthorizationUrl(configuration, {
      ...this.config.extraParameters,
      ...(asked.anew || otherAccount ? { prompt: promptFor(configuration.serverMetadata(), asked.anew) } : {}),
      ...(asked.maxAge === undefined ? {} : { max_age: String(asked.maxAge) }),
      redirect_uri: this.redirectUri,
      scope: [...new Set(['openid', ...this.config.scopes])].join(' '),
      response_type: 'code',
      state: checks.state,
      nonce: checks.nonce,
      code_challenge: createHash('sha256').update(checks.codeVerifier).digest('base64url'),
      code_challenge_method: 'S256',
    });
    return url.href;
  }

  /**
   * Redeems upstream's answer.
   *
   * @param query of the request to the redirect URI
   * @throws UpstreamRefused, UpstreamUnavailable, PersonNotAllowed
   */
  async person(query: string, checks: UpstreamChecks): Promise<Person> {
    const { metadata, secret } = await this.#access();
    const answer = new URL(`${this.redirectUri}?${query}`);
    const checked = {
      expectedState: checks.state,
      expectedNonce: checks.nonce,
      pkceCodeVerifier: checks.codeVerifier,
      idTokenExpected: true,
    };
    let tokens: Tokens;
    let claims: client.IDToken | undefined;
    try {
      const grant = (configuration: client.Configuration) =>
        client.authorizationCodeGrant(configuration, answer, checked);
      const granted = await this.#authenticated(metadata, secret, grant);
      tokens = granted.result;
      claims = await this.#claims(granted.configuration, tokens);
    } catch (error) {
      throw refusalOf(error);
    }
    if (!claims) throw new UpstreamRefused('access_denied', 'The identity provider sent no ID token');
    const broken = this.config.allow.find((rule) => !isAllowed(claims, [rule]));
    if (broken) throw new PersonNotAllowed(accountOf(claims), broken.claim);
    return {
      sub: subjectOf(claims.iss, claims.sub),
      claims: Object.fromEntries(
        this.config.claims.filter((name) => claims[name] !== undefined).map((name) => [name, claims[name]]),
      ),
      ...this.remember(claims),
      tokens: issuedTokens(tokens),
      authenticatedAt: tokens.claims()?.auth_time,
    };
  }

  /**
   * Asks for new tokens, and so whether a person is still one of theirs.
   *
   * @returns them, with the refresh token to ask with the next time
   * @throws UpstreamRefused if upstream has ended the person's access, or no longer lets `allow` hold
   * @throws Error if upstream could not be asked, which says nothing about the person
   */
  async refresh(refreshToken: string, sub: string): Promise<IssuedTokens> {
    const grant = (asked: client.Configuration) => client.refreshTokenGrant(asked, refreshToken);
    const { metadata, secret } = await this.#access();
    const { result: tokens, configuration } = await this.#authenticated(metadata, secret, grant).catch((error) => {
      if (!(error instanceof client.ResponseBodyError && error.error === 'invalid_grant')) throw error;
      throw new UpstreamRefused('access_denied', 'The identity provider has ended the access', { cause: error });
    });
    const claims = await this.#claims(configuration, tokens);
    if (claims && (subjectOf(claims.iss, claims.sub) !== sub || !isAllowed(claims, this.config.allow))) {
      throw new UpstreamRefused('access_denied', 'This account is no longer among those that may sign in here');
    }
    return { refreshToken, ...issuedTokens(tokens) };
  }

  /**
   * The claims of the ID token; where one that is asked for is missing, those of UserInfo beside them (OpenID Connect Core
   * section 5.3): some providers keep their ID tokens thin.
   */
  async #claims(configuration: client.Configuration, tokens: Tokens): Promise<client.IDToken | undefined> {
    const idToken = tokens.claims();
    const { userinfo_endpoint: userInfo } = configuration.serverMetadata();
    if (!idToken || !userInfo || this.#wanted().every((name) => idToken[name] !== undefined)) return idToken;
    try {
      const more = await client.fetchUserInfo(configuration, tokens.access_token, idToken.sub);
      return together(idToken, more);
    } catch (error) {
      if (isUnreachable(error)) throw error;
      // Whoever is to be let in by a claim that is not there stays out.
      logProblem('upstream.userinfo_refused', error);
      return idToken;
    }
  }

  #wanted(): string[] {
    const { claims, allow } = this.config;
    return [
      ...claims,
      ...allow.flatMap((rule) => [rule.claim, ...(needsVerifiedAddress(rule) ? ['email', 'email_verified'] : [])]),
    ];
  }

  /**
   * Asks upstream's token endpoint with the client secret; where that is refused, with the one that is newer or the one before. So it
   * does not matter at which side the operator has changed it first, or which instance has seen that already.
   */
  async #authenticated<Result>(
    metadata: client.ServerMetadata,
    secret: string,
    ask: (configuration: client.Configuration) => Promise<Result>,
  ): Promise<{ result: Result; configuration: client.Configuration }> {
    const attempt = async (presented: string) => {
      const configuration = this.#configuration(metadata, presented);
      return { result: await ask(configuration), configuration };
    };
    try {
      return await attempt(secret);
    } catch (error) {
      if (!isClientRefused(error)) throw error;
      for await (const other of this.clientSecret.othersThan(secret)) {
        try {
          const answered = await attempt(other);
          logEvent('upstream.other_secret_used');
          return answered;
        } catch (again) {
          if (!isClientRefused(again)) throw again;
        }
      }
      throw error;
    }
  }

  #configuration(metadata: client.ServerMetadata, secret: string): client.Configuration {
    const configuration = new client.Configuration(metadata, this.config.clientId, undefined, authentication(secret));
    configuration.timeout = TIMEOUT;
    if (isLoopbackHttp(new URL(this.config.issuer))) client.allowInsecureRequests(configuration);
    return configuration;
  }

  /** What every request to upstream needs. */
  async #access(): Promise<{ metadata: client.ServerMetadata; secret: string }> {
    const [metadata, secret] = await Promise.all([this.#metadata(), this.clientSecret.current()]);
    return { metadata, secret };
  }

  async #metadata(): Promise<client.ServerMetadata> {
    const known = this.#known;
    // Of either sign: a clock that was set back does not make it last until that time comes again.
    if (known && Math.abs(Date.now() - known.at) < known.goodFor) return known.metadata;
    this.#discovering ??= this.#discover().finally(() => {
      this.#discovering = undefined;
    });
    if (!known) return this.#discovering;
    // What was known serves on while discovery is slow or down.
    return within(PATIENCE, this.#discovering).catch(() => known.metadata);
  }

  async #discover(): Promise<client.ServerMetadata> {
    const issuer = new URL(this.config.issuer);
    try {
      const configuration = await client.discovery(issuer, this.config.clientId, undefined, client.None(), {
        // Plain HTTP never leaves the machine here: it is for an identity provider on a loopback address only.
        execute: isLoopbackHttp(issuer) ? [client.allowInsecureRequests] : [],
        timeout: TIMEOUT,
      });
      this.#known = { metadata: configuration.serverMetadata(), at: Date.now(), goodFor: REDISCOVER_AFTER };
      return this.#known.metadata;
    } catch (error) {
      if (this.#known) this.#known = { ...this.#known, at: Date.now(), goodFor: RETRY_AFTER };
      throw new UpstreamUnavailable('The identity provider cannot be reached', { cause: error });
    }
  }
}

/** The claims of both; what both have, as the ID token has it. `email_verified` stays with the address that it was said of. */
function together(idToken: client.IDToken, more: Readonly<Record<string, unknown>>): client.IDToken {
  const claims = { ...more, ...idToken } as client.IDToken;
  if (more.email === idToken.email) return claims;
  const { email_verified } = idToken.email === undefined ? more : idToken;
  return { ...claims, email_verified } as client.IDToken;
}

function issuedTokens({ access_token, token_type, expires_in, scope, refresh_token }: Tokens): IssuedTokens {
  return {
    ...(refresh_token ? { refreshToken: refresh_token } : {}),
    access: {
      accessToken: access_token,
      // openid-client writes it in lower case; this is how everybody else does (RFC 6750 section 6.1.1).
      tokenType: token_type === 'bearer' ? 'Bearer' : token_type,
      ...(expires_in === undefined ? {} : { expiresIn: expires_in }),
      ...(scope === undefined ? {} : { scope }),
    },
  };
}

/**
 * client_secret_post where upstream offers it: for HTTP Basic both values are form-encoded first (RFC 6749 section 2.3.1),
 * which not every provider undoes. client_secret_basic is the default of OpenID Connect Discovery.
 */
function authentication(secret: string): client.ClientAuth {
  const basic = client.ClientSecretBasic(secret);
  const post = client.ClientSecretPost(secret);
  return (server, ...rest) => {
    const usePost = server.token_endpoint_auth_methods_supported?.includes('client_secret_post');
    return (usePost ? post : basic)(server, ...rest);
  };
}

/**
 * The prompt that makes upstream ask who a person is (OpenID Connect Core section 3.1.2.1), and not take the account that is signed in there.
 * Every provider knows `login` (section 15.1), except that Google does not and knows `select_account`. Where nothing more is wanted than another
 * account, that is the better one; a provider that lists its prompts (Initiating User Registration 1.0 section 4) says whether it knows it.
 */
function promptFor({ issuer, prompt_values_supported: supported }: client.ServerMetadata, anew: boolean): string {
  if (issuer === 'https://accounts.google.com') return 'select_account';
  return !anew && Array.isArray(supported) && supported.includes('select_account') ? 'select_account' : 'login';
}

/** The e-mail address, else the name, that upstream gave. */
function accountOf({ email, name }: Readonly<Record<string, unknown>>): string | undefined {
  return [email, name].find((claim) => typeof claim === 'string' && claim.trim() !== '') as string | undefined;
}

function isLoopbackHttp(url: URL): boolean {
  return url.protocol === 'http:' && isLoopback(url.hostname);
}
