import type { KeySetCache } from '../lambda/authorizer/remote-key-set';
import type { AppearanceColors } from '../lib/appearance-rules';
import type { ClientMetadataConfig, RegistrationConfig } from '../lib/contract';
import type { McpAuthProviderOptions } from './mcp/auth-provider';
import type { McpExpressOptions } from './mcp/setup-express';
import type { OidcClientConfig } from './oidc-client';
import type { AppearanceOption, HostOptions, LifetimeOptions, ResourceOption, ScopeOption } from './options';
import type { Settings } from './settings';
import type { OidcServerOptions } from './standalone';

/** The names of all options of a type: TypeScript says which is missing here. */
function namesOf<Options>(names: { readonly [name in keyof Required<Options>]: true }): readonly string[] {
  return Object.keys(names);
}

const HOST = namesOf<HostOptions>({
  idpClient: true,
  store: true,
  singleProcess: true,
  secret: true,
  baseUrl: true,
  jwks: true,
  isProduction: true,
  sessionMaxAge: true,
  additionalCorsOrigins: true,
  resources: true,
  trustedProxies: true,
  dpop: true,
  appearance: true,
  lifetimes: true,
  registration: true,
  clientMetadata: true,
});

/** What there is to say, by where it is said. */
const PLACES = {
  client: namesOf<OidcClientConfig>({
    issuer: true,
    clientId: true,
    clientSecret: true,
    redirectUri: true,
    scopes: true,
    additionalAuthParams: true,
    extractCustomData: true,
    allow: true,
    claims: true,
    recheck: true,
  }),
  lifetimes: namesOf<LifetimeOptions>({
    accessToken: true,
    authorizationCode: true,
    interaction: true,
    refreshTokenIdle: true,
    refreshGrace: true,
    refreshLateRetry: true,
    client: true,
  }),
  registration: namesOf<RegistrationConfig>({
    perAddress: true,
    inAll: true,
    sharedEgress: true,
    privateUseSchemes: true,
  }),
  clientMetadata: namesOf<ClientMetadataConfig>({ internalHosts: true, allowedHosts: true, deniedHosts: true }),
  appearance: namesOf<AppearanceOption>({ name: true, logo: true, colors: true, supportUrl: true, words: true }),
  jwksCacheOptions: namesOf<KeySetCache>({ cooldownDuration: true, cacheMaxAge: true }),
  colors: namesOf<AppearanceColors>({ accent: true, accentDark: true }),
  resource: namesOf<ResourceOption>({
    identifier: true,
    name: true,
    scopes: true,
    default: true,
    upstreamTokens: true,
  }),
  scope: namesOf<ScopeOption>({ name: true, description: true, descriptions: true, default: true, implies: true }),
  server: [...HOST, ...namesOf<Omit<OidcServerOptions, keyof HostOptions>>({ port: true, onListen: true })],
  express: [
    ...HOST,
    ...namesOf<Omit<McpExpressOptions, keyof HostOptions>>({
      name: true,
      mcpEndpointPath: true,
      scopesSupported: true,
      upstreamTokens: true,
      customMiddleware: true,
    }),
  ],
  provider: namesOf<McpAuthProviderOptions>({
    name: true,
    oidcBaseUrl: true,
    store: true,
    mcpServerBaseUrl: true,
    mcpEndpointPath: true,
    scopesSupported: true,
    jwksCacheOptions: true,
    singleProcess: true,
    onVerifyError: true,
  }),
} satisfies Record<string, readonly string[]>;

export type Place = keyof typeof PLACES;

/** How an option is written where it belongs. */
const WRITTEN: Readonly<Record<Place, (name: string) => string>> = {
  client: (name) => `new OidcClient({ ${name} })`,
  lifetimes: (name) => `lifetimes: { ${name} }`,
  registration: (name) => `registration: { ${name} }`,
  clientMetadata: (name) => `clientMetadata: { ${name} }`,
  appearance: (name) => `appearance: { ${name} }`,
  jwksCacheOptions: (name) => `jwksCacheOptions: { ${name} }`,
  colors: (name) => `appearance: { colors: { ${name} } }`,
  resource: (name) => `resources: [{ ${name} }]`,
  scope: (name) => `a scope: { ${name} }`,
  server: (name) => `createOidcServer({ ${name} })`,
  express: (name) => `setupMcpExpress({ ${name} })`,
  provider: (name) => `createMcpAuthProvider({ ${name} })`,
};

/** Names of the construct's that are others here. */
const OTHERWISE: Readonly<Record<string, string>> = {
  extraParameters: 'new OidcClient({ additionalAuthParams })',
  grant: 'sessionMaxAge, in milliseconds',
};

/**
 * Notes every option that is not known where it stands: passed over in silence, one that is to keep people out would let them in.
 *
 * @param prefix of its name to whoever has set it, for example `idpClient.`
 */
export function checkKnown(settings: Settings, place: Place, prefix: string, given: object): void {
  for (const name of Object.keys(given).filter((name) => !PLACES[place].includes(name))) {
    const others = (Object.keys(PLACES) as Place[]).filter((other) => PLACES[other].includes(name));
    const elsewhere = others.map((other) => WRITTEN[other](name)).concat(OTHERWISE[name] ?? []);
    const needed = elsewhere.length > 0 ? elsewhere.join(' or ') : `one of ${PLACES[place].join(', ')}`;
    // Not its value: nobody knows whether that is a secret.
    settings.refuse(`${prefix}${name}`, 'an option that is not known here', needed);
  }
}
