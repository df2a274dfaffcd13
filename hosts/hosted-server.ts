import { type KeySource, keySetSource } from '../lambda/provider/key-source';
import { logEvent } from '../lambda/provider/log';
import { AuthorizationServer } from '../lambda/provider/server';
import type { ClientSecret, PersonHook } from '../lambda/provider/upstream';
import type { Store } from '../lambda/store/store';
import { pageColors } from '../lib/appearance-rules';
import { completeClientMetadata } from '../lib/client-metadata-rules';
import type { ServerConfig } from '../lib/contract';
import { completeLifetimes } from '../lib/lifetime-rules';
import type { Appearance } from '../lib/page-appearance';
import { completeRegistration } from '../lib/registration-rules';
import { EVERYONE_MAY_SIGN_IN } from '../lib/upstream-rules';
import { issuerOf, scopeList } from './check-idp-client';
import { checkOptions } from './check-options';
import { KEY_SET_REFRESH, KeptKeys, WrongSecretError } from './kept-keys';
import type { OidcClientConfig } from './oidc-client';
import { openStore } from './open-store';
import { operatorKeySource } from './operator-keys';
import type { AppearanceOption, HostOptions, ResourceOption } from './options';
import { resourceRecord } from './resource-record';
import type { Settings } from './settings';

/** Milliseconds between looks whether keys are to be turned over. */
const TURN_OVER_EVERY = 10 * 60_000;

/** Milliseconds: an MCP server that registers itself in the store is known as soon as somebody can sign in for it. */
const RESOURCES_CACHED_FOR = 1_000;

/** Seconds between two questions about a person, where nobody says otherwise. */
const RECHECK = 60 * 60;

/** Milliseconds for which a grant lives where nobody says otherwise. */
const SESSION_MAX_AGE = 30 * 24 * 60 * 60 * 1000;

/** An authorization server in a process that is its host's: answers requests, from wherever the host takes them. */
export interface HostedServer {
  readonly server: AuthorizationServer;
  /** The path of the redirect URI at upstream. */
  readonly callbackPath: string;
  readonly trustedProxies: number;
  /**
   * Finds the keys, or makes them, and turns them over from then on where they are this server's.
   *
   * @throws SettingsError if the store has keys that the secret does not open
   * @throws StoreUnavailable
   */
  start(): Promise<void>;
  /** Ends what `start` began. */
  stop(): void;
}

/**
 * The store of a host whose options are right.
 *
 * @param settings collects what is wrong, with other settings that the host has looked at already
 * @param own identifier of the MCP server that the authorization server is a part of
 * @throws SettingsError naming everything that is wrong
 */
export function checkedStore(options: HostOptions, settings: Settings, own?: string): Store {
  checkOptions(settings, options, own);
  const store = openStore(settings, options);
  if (store === undefined) throw settings.error();
  settings.done();
  return store;
}

/**
 * Makes the authorization server of a host.
 *
 * @param options that have been checked, and their store
 * @param settings knows them by the names that they have for whoever set them
 * @param own the MCP server that the authorization server is a part of
 */
export function hostedServer(
  options: Omit<HostOptions, 'store'>,
  store: Store,
  settings: Settings,
  own?: ResourceOption,
): HostedServer {
  const { idpClient, jwks, appearance, resources = [], additionalCorsOrigins, trustedProxies = 0 } = options;
  const config = serverConfig(options);
  const secrets = typeof options.secret === 'string' ? [options.secret] : options.secret;
  const kept = new KeptKeys(store, secrets, config.lifetimes.accessToken);
  const keys: KeySource = typeof jwks === 'object' ? operatorKeySource(jwks, kept) : keySetSource(kept);
  const callbackPath = new URL(idpClient.config.redirectUri).pathname;
  const server = new AuthorizationServer({
    config,
    store,
    keys,
    clientSecret: onlySecret(idpClient.config.clientSecret),
    ...(appearance ? { appearance: completeAppearance(appearance) } : {}),
    callbackPath,
    resources: [...(own ? [own] : []), ...resources].map(resourceRecord),
    resourcesCachedFor: RESOURCES_CACHED_FOR,
    corsOrigins: additionalCorsOrigins ?? [],
    remember: remembered(idpClient.config),
  });
  let stop = () => {};
  return {
    server,
    callbackPath,
    trustedProxies,
    async start() {
      await kept.turnOver().catch((error) => {
        if (!(error instanceof WrongSecretError)) throw error;
        settings.refuse(
          'secret',
          'one that does not open the keys in the store',
          'the secret that this store was used with before; while it is changed, both, the new one first',
        );
        throw settings.error();
      });
      if (jwks === undefined) logEvent('keys.for_development');
      if (config.upstream.allow.length === 0) {
        logEvent('upstream.everyone_may_sign_in', { issuer: config.upstream.issuer, message: EVERYONE_MAY_SIGN_IN });
      }
      stop = kept.keepTurning(TURN_OVER_EVERY);
    },
    stop: () => stop(),
  };
}

function serverConfig(options: Omit<HostOptions, 'store'>): ServerConfig {
  const { idpClient, sessionMaxAge = SESSION_MAX_AGE, lifetimes, dpop = false } = options;
  const { registration = {}, clientMetadata = {} } = options;
  const {
    issuer,
    clientId,
    scopes = 'openid profile email',
    additionalAuthParams,
    allow,
    claims,
    recheck,
  } = idpClient.config;
  return {
    issuer: new URL(options.baseUrl).origin,
    upstream: {
      issuer: issuerOf(issuer),
      clientId,
      scopes: scopeList(scopes),
      extraParameters: additionalAuthParams ?? {},
      allow: allow ?? [],
      claims: claims ?? [],
      recheck: recheck ?? RECHECK,
    },
    clientMetadata: completeClientMetadata(clientMetadata),
    registration: completeRegistration(registration),
    lifetimes: completeLifetimes({ ...lifetimes, grant: Math.floor(sessionMaxAge / 1000) }),
    dpop,
    keySetRefresh: KEY_SET_REFRESH,
  };
}

function completeAppearance({ colors, ...others }: AppearanceOption): Appearance {
  return { ...others, ...(colors ? { colors: pageColors(colors) } : {}) };
}

/** A secret that changes with a restart. */
function onlySecret(secret: string): ClientSecret {
  return {
    current: async () => secret,
    async *othersThan() {},
  };
}

/** What an ID token says of itself, not of the person (OpenID Connect Core sections 2 and 3.3.2.11); the nonce is secret until it is used up. */
const OF_THE_TOKEN = ['at_hash', 'aud', 'azp', 'c_hash', 'exp', 'iat', 'jti', 'nbf', 'nonce', 's_hash', 'sid'];

function remembered({ extractCustomData }: OidcClientConfig): PersonHook {
  return (claims) => {
    const ofThePerson = Object.entries(claims).filter(([name]) => !OF_THE_TOKEN.includes(name));
    const customData = extractCustomData?.(claims as Parameters<NonNullable<typeof extractCustomData>>[0]);
    return { upstreamClaims: Object.fromEntries(ofThePerson), ...(customData ? { customData } : {}) };
  };
}
