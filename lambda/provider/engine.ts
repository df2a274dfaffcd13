import { timingSafeEqual } from 'node:crypto';
import { type Configuration, errors, type KoaContextWithOIDC, Provider } from 'oidc-provider';
import { type AccessTokenAlgorithm, DPOP_ALGORITHMS, GRANT_CLAIM, type ServerConfig } from '../../lib/contract';
import type { Store } from '../store/store';
import { adapterFactory } from './adapter';
import { OIDC_SCOPES } from './authorization-request';
import { FetchUnavailable, type GuardedFetch } from './client-metadata/guarded-fetch';
import type { MetadataDocuments } from './client-metadata/metadata-documents';
import { now } from './clock';
import { logDecisions } from './decisions';
import { answerIntrospection } from './introspection';
import type { ServerKeys } from './key-source';
import { hash, presentedKey } from './keys';
import { PERSONAL_MEMBERS, type PersonalGrant } from './personal-grant';
import { BY_OPERATORS } from './pre-registered-client';
import { registeredClientId } from './registered-client-id';
import { STANDS_FOR } from './resource-server';
import type { Resources } from './resources';
import { signingKeys } from './signing-keys';
import { newHandle, successorsFrom } from './successors';
import { registerTokenExchange } from './token-exchange';
import { unverifiedClaims } from './unverified-claims';
import type { UpstreamAccess } from './upstream-access';
import type { UpstreamRecheck } from './upstream-recheck';
import { verificationKeys } from './verification-keys';

export interface EngineContext {
  readonly config: ServerConfig;
  readonly store: Store;
  /** Of browsers that may use any client's tokens, beside those of its redirect URIs. */
  readonly corsOrigins: readonly string[];
  readonly resources: Resources;
  readonly recheck: UpstreamRecheck;
  readonly upstreamAccess: UpstreamAccess;
  readonly documents: MetadataDocuments;
  readonly guardedFetch: GuardedFetch;
  /** Answers a person with a page where the engine cannot redirect to the client. */
  renderError(ctx: KoaContextWithOIDC, error: Error): void;
  /** Hears of every error that is not the request's fault. */
  onServerError(error: Error): void;
}

/** Bytes of a client's key set (RFC 7517). */
const LARGEST_KEY_SET = 64 * 1024;
/** Seconds that a client assertion may live. */
const LONGEST_ASSERTION = 60 * 60;

/** Never sent: no login session of our own. */
export const SESSION_COOKIE = '__Host-session';

/** Seconds by which the engine lets the clock of a DPoP proof differ from its own, either way. */
const CLOCKS_APART = 300;

/** Names the sign-in, to the engine, that a browser comes back from. */
export const RESUME_COOKIE = '__Secure-mcp-resume';

/** oidc-provider, configured as the authorization server of MCP servers, signing with `keys`. */
export function createEngine(context: EngineContext, keys: ServerKeys): Provider {
  const { config, store, documents } = context;
  const successors = successorsFrom(keys.successorKeys);
  const adapter = adapterFactory({ store, documents, lifetimes: config.lifetimes, successors });
  const provider = new Provider(config.issuer, { ...configuration(context, keys), adapter });

  // Codes and refresh tokens carry the grant's id, so that one batch read finds all that a token request needs.
  handleMaker(provider.AuthorizationCode).generateTokenId = function () {
    return newHandle(this.grantId ?? '');
  };
  handleMaker(provider.RefreshToken).generateTokenId = () => {
    const { RotatedRefreshToken, AuthorizationCode } = Provider.ctx?.oidc.entities ?? {};
    const predecessor = RotatedRefreshToken ?? AuthorizationCode;
    if (!predecessor) throw new Error('A refresh token comes from a code or from a refresh token');
    return successors.of(predecessor.jti, predecessor.iat ?? 0);
  };
  const inGrant: readonly string[] = [...provider.Grant.IN_PAYLOAD, ...PERSONAL_MEMBERS];
  Object.defineProperty(provider.Grant, 'IN_PAYLOAD', { value: inGrant });
  // What is presented once is so for whoever writes its record first; the engine's own way, to look and then to write, lets
  // several through. Not part of a unit of work: an assertion is used up by being presented, whatever becomes of the request.
  // Remembered for longer than the engine asks for: it counts from now, and a DPoP proof counts from the clock of whoever made it, which may be
  // ahead by as much (RFC 9449 section 11.1).
  provider.ReplayDetection.unique = async (iss, jti, exp) => {
    const isFirst = await store.putIfAbsent(presentedKey(iss, jti), {}, (Math.ceil(exp) + CLOCKS_APART) * 1000);
    // The engine would say invalid_grant, though nothing is wrong with the grant (RFC 9449 section 5).
    if (!isFirst && jti === unverifiedClaims(Provider.ctx?.get('DPoP') ?? '').jti) {
      throw new errors.InvalidDpopProof('the DPoP proof was presented before');
    }
    return isFirst;
  };
  // The store holds a secret's hash, never the secret.
  provider.Client.prototype.compareClientSecret = function (actual: string) {
    const [stored, presented] = [Buffer.from(this.clientSecret ?? ''), Buffer.from(hash(actual))];
    return stored.length === presented.length && timingSafeEqual(stored, presented);
  };

  const keySet = verificationKeys(keys);
  registerTokenExchange(provider, context.upstreamAccess, keySet, config.upstream.issuer);
  answerIntrospection(provider, { keySet, store, onServerError: context.onServerError });

  // Every cookie is Secure: Chromium and Firefox treat http://localhost as secure, and nothing else here is plain HTTP.
  Object.defineProperty(provider.request, 'secure', { get: () => true });
  provider.on('server_error', (_ctx, error) => context.onServerError(error));
  // A client whose keys cannot be fetched is not a client with wrong keys.
  const hearOfOutage = (_ctx: KoaContextWithOIDC, error: Error) => {
    const outage = outageBehind(error);
    if (outage) context.onServerError(outage);
  };
  provider.on('grant.error', hearOfOutage);
  provider.on('revocation.error', hearOfOutage);
  provider.on('introspection.error', hearOfOutage);
  logDecisions(provider);
  return provider;
}

function outageBehind(error: unknown): Error | undefined {
  if (error instanceof FetchUnavailable) return error;
  return error instanceof Error ? outageBehind(error.cause) : undefined;
}

/** The engine's hook that makes a token's value; its types leave it out. */
function handleMaker(model: { prototype: object }): { generateTokenId(this: { grantId?: string }): string } {
  return model.prototype as { generateTokenId(): string };
}

function configuration(
  { config, corsOrigins, resources, recheck, guardedFetch, renderError }: EngineContext,
  keys: ServerKeys,
): Configuration {
  const { lifetimes } = config;
  const [signing] = keys.signing;
  return {
    jwks: { keys: signingKeys(keys) },
    routes: {
      authorization: '/authorize',
      introspection: '/introspect',
      jwks: '/jwks',
      registration: '/register',
      revocation: '/revoke',
      token: '/token',
    },
    cookies: {
      names: { interaction: '__Secure-mcp-interaction', resume: RESUME_COOKIE, session: SESSION_COOKIE },
      // The values are random handles of records in the table: a signature would add nothing.
      keys: [],
      long: { signed: false, secure: true, httpOnly: true, sameSite: 'lax' },
      short: { signed: false, secure: true, httpOnly: true, sameSite: 'lax' },
    },
    responseTypes: ['code'],
    scopes: OIDC_SCOPES,
    subjectTypes: ['public'],
    clientAuthMethods: ['none', 'client_secret_basic', 'client_secret_post', 'private_key_jwt'],
    enabledJWA: {
      // The only one that there is a key for whatever access tokens are signed with.
      idTokenSigningAlgValues: ['RS256'],
      clientAuthSigningAlgValues: ['RS256', 'PS256', 'ES256', 'EdDSA', 'Ed25519'],
      dPoPSigningAlgValues: [...DPOP_ALGORITHMS],
    },
    assertJwtClientAuthClaimsAndHeader: async (_ctx, { exp }) => requireShortAssertion(Number(exp)),
    pkce: { required: () => true },
    allowOmittingSingleRegisteredRedirectUri: false,
    // A public client's tokens are for pages of its own.
    clientBasedCORS: (_ctx, origin, { clientAuthMethod, redirectUris = [] }) =>
      corsOrigins.includes(origin) ||
      (clientAuthMethod === 'none' &&
        redirectUris.some((uri) => URL.parse(uri)?.origin === origin && origin !== 'null')),
    extraClientMetadata: { properties: [BY_OPERATORS, STANDS_FOR] },
    // What the edge adds to an authorization request: the hash of the secret that the browser holds.
    extraParams: ['browser_binding'],
    interactions: { url: (_ctx, interaction) => `/interaction/${interaction.uid}` },
    // Consent is asked for each authorization, and each has a Grant of its own: the one that its consent has made.
    loadExistingGrant: async (ctx) => {
      const grantId = ctx.oidc.result?.consent?.grantId;
      return grantId ? ctx.oidc.provider.Grant.find(grantId) : undefined;
    },
    findAccount: async (_ctx, sub, token) => {
      if (token?.kind === 'RefreshToken' && token.grantId && !(await recheck.holds(token.grantId, sub)))
        return undefined;
      return { accountId: sub, claims: async () => ({ sub }) };
    },
    extraTokenClaims: async (ctx) => {
      const grant = ctx.oidc.entities.Grant as (PersonalGrant & { readonly jti: string }) | undefined;
      const isLookedUp = grant?.upstreamTokens || grant?.upstreamClaims;
      return { ...grant?.personClaims, ...(isLookedUp ? { [GRANT_CLAIM]: hash(grant.jti) } : {}) };
    },
    issueRefreshToken: async (_ctx, client) => client.grantTypeAllowed('refresh_token'),
    rotateRefreshToken: true,
    expiresWithSession: async () => false,
    revokeGrantPolicy: () => true,
    // Whatever the engine fetches, strangers have named.
    fetch: async (address) => guardedFetch.get(String(address), LARGEST_KEY_SET),
    renderError: async (ctx, _out, error) => renderError(ctx, error),
    ttl: {
      AccessToken: lifetimes.accessToken,
      IdToken: lifetimes.accessToken,
      AuthorizationCode: lifetimes.authorizationCode,
      Interaction: lifetimes.interaction,
      Session: lifetimes.interaction,
      Grant: lifetimes.grant,
      // A refresh token never outlives its grant: a refresh that cannot work must not look as if it could.
      RefreshToken: (ctx) => {
        const left = (ctx.oidc.entities.Grant?.exp ?? 0) - now();
        return Math.max(1, Math.min(lifetimes.refreshTokenIdle, left));
      },
    },
    features: {
      devInteractions: { enabled: false },
      userinfo: { enabled: false },
      rpInitiatedLogout: { enabled: false },
      pushedAuthorizationRequests: { enabled: false },
      // Proofs are fresh by their time and used once by their jti: no nonce, which would cost each client a round trip.
      dPoP: { enabled: config.dpop },
      // Of what it finds by itself, refresh tokens, nothing is told; access tokens: answerIntrospection().
      introspection: { enabled: true, allowedPolicy: async () => false },
      // Another client's token is left alone and answered like one that does not exist. RFC 7009 section 2.1 would have the client told, which
      // would tell whoever guesses that a token is a live one: section 2.2 has every other answered with 200.
      revocation: { enabled: true, allowedPolicy: async (_ctx, client, token) => client.clientId === token.clientId },
      registration: {
        enabled: true,
        issueRegistrationAccessToken: false,
        idFactory: (ctx) => registeredClientId(ctx.oidc.body ?? {}),
      },
      // Served by the adapter, which keeps the documents for all instances and knows an outage from a refusal.
      clientIdMetadataDocument: { enabled: true, ack: 'draft-02', allowFetch: async () => false },
      externalSigningSupport: { enabled: true, ack: 'experimental-01' },
      resourceIndicators: {
        enabled: true,
        defaultResource: async () => {
          throw new errors.InvalidTarget('resource must name the protected resource');
        },
        useGrantedResource: async () => true,
        getResourceServerInfo: async (ctx, identifier) => {
          const resource = (await resources.catalogue()).find(identifier);
          if (!resource) throw new errors.InvalidTarget('unknown protected resource');
          if (Array.isArray(ctx.oidc.params?.resource)) throw new errors.InvalidTarget('one resource for each token');
          return {
            audience: resource.identifier,
            scope: resource.scopes.map(({ name }) => name).join(' '),
            accessTokenFormat: 'jwt',
            accessTokenTTL: lifetimes.accessToken,
            jwt: { sign: { alg: signing.alg as AccessTokenAlgorithm, kid: signing.kid } },
          };
        },
      },
    },
  };
}

/** The memory of what was presented has an end, so an assertion must have one sooner. */
function requireShortAssertion(exp: number): void {
  if (exp > Date.now() / 1000 + LONGEST_ASSERTION) {
    throw new errors.InvalidClientAuth(`a client assertion must expire within ${LONGEST_ASSERTION} seconds`);
  }
}
