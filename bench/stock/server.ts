import { createHash, randomBytes } from 'node:crypto';
import { type AdapterFactory, type JWK, type KoaContextWithOIDC, Provider } from 'oidc-provider';
import * as client from 'openid-client';
import type { ProviderConfig, ResourceRecord } from '../../lib/contract';

/** What upstream's answer must find again. */
interface UpstreamState {
  readonly uid: string;
  readonly nonce: string;
  readonly verifier: string;
}

const STATE_COOKIE = 'upstream';

export interface StockContext {
  readonly config: ProviderConfig;
  readonly resource: ResourceRecord;
  readonly adapter: AdapterFactory;
  readonly jwk: JWK;
  readonly clientSecret: () => Promise<string>;
}

/**
 * oidc-provider with the features of McpOidcAuth, configured by its documentation: dynamic registration, metadata documents, resource
 * indicators with JWT access tokens, rotated refresh tokens, revocation, people from an upstream identity provider. It asks for no
 * consent, which spares it a page.
 */
export function createStockProvider({ config, resource, adapter, jwk, clientSecret }: StockContext): Provider {
  const { lifetimes } = config;
  const provider = new Provider(config.issuer, {
    adapter,
    jwks: { keys: [jwk] },
    routes: {
      authorization: '/authorize',
      jwks: '/jwks',
      registration: '/register',
      revocation: '/revoke',
      token: '/token',
    },
    cookies: { keys: ['stock'] },
    responseTypes: ['code'],
    scopes: ['openid', 'offline_access'],
    pkce: { required: () => true },
    findAccount: async (_ctx, sub) => ({ accountId: sub, claims: async () => ({ sub }) }),
    issueRefreshToken: async (_ctx, asking) => asking.grantTypeAllowed('refresh_token'),
    expiresWithSession: async () => false,
    interactions: { url: (_ctx, interaction) => `/interaction/${interaction.uid}` },
    ttl: {
      AccessToken: lifetimes.accessToken,
      IdToken: lifetimes.accessToken,
      AuthorizationCode: lifetimes.authorizationCode,
      Interaction: lifetimes.interaction,
      Session: lifetimes.interaction,
      Grant: lifetimes.grant,
      RefreshToken: lifetimes.refreshTokenIdle,
    },
    features: {
      devInteractions: { enabled: false },
      userinfo: { enabled: false },
      rpInitiatedLogout: { enabled: false },
      pushedAuthorizationRequests: { enabled: false },
      dPoP: { enabled: config.dpop },
      revocation: { enabled: true, allowedPolicy: async (_ctx, asking, token) => asking.clientId === token.clientId },
      registration: { enabled: true, issueRegistrationAccessToken: false },
      clientIdMetadataDocument: { enabled: true, ack: 'draft-02' },
      resourceIndicators: {
        enabled: true,
        defaultResource: async () => resource.identifier,
        useGrantedResource: async () => true,
        getResourceServerInfo: async () => ({
          audience: resource.identifier,
          scope: resource.scopes.map(({ name }) => name).join(' '),
          accessTokenFormat: 'jwt',
          accessTokenTTL: lifetimes.accessToken,
          jwt: { sign: { alg: 'RS256' } },
        }),
      },
    },
  });
  Object.defineProperty(provider.request, 'secure', { get: () => true });

  let discovered: client.Configuration | undefined;
  const upstream = async () => {
    const { issuer, clientId } = config.upstream;
    discovered ??= await client.discovery(new URL(issuer), clientId, await clientSecret(), undefined, {
      execute: issuer.startsWith('http:') ? [client.allowInsecureRequests] : [],
    });
    return discovered;
  };

  provider.use(async (ctx, next) => {
    if (ctx.path.startsWith('/interaction/')) return sendUpstream(ctx as unknown as KoaContextWithOIDC);
    if (ctx.path === '/callback') return finish(ctx as unknown as KoaContextWithOIDC);
    return next();
  });

  async function sendUpstream(ctx: KoaContextWithOIDC): Promise<void> {
    const state: UpstreamState = {
      uid: ctx.path.split('/')[2] ?? '',
      nonce: randomBytes(32).toString('base64url'),
      verifier: randomBytes(32).toString('base64url'),
    };
    const url = client.buildAuthorizationUrl(await upstream(), {
      redirect_uri: `${config.issuer}/callback`,
      scope: 'openid',
      response_type: 'code',
      state: state.uid,
      nonce: state.nonce,
      code_challenge: createHash('sha256').update(state.verifier).digest('base64url'),
      code_challenge_method: 'S256',
    });
    ctx.cookies.set(STATE_COOKIE, Buffer.from(JSON.stringify(state)).toString('base64url'), { signed: true });
    ctx.redirect(url.href);
  }

  async function finish(ctx: KoaContextWithOIDC): Promise<void> {
    const cookie = ctx.cookies.get(STATE_COOKIE, { signed: true }) ?? '';
    const { uid, nonce, verifier } = JSON.parse(Buffer.from(cookie, 'base64url').toString()) as UpstreamState;
    const answer = new URL(`${config.issuer}/callback${ctx.search}`);
    const tokens = await client.authorizationCodeGrant(await upstream(), answer, {
      expectedState: uid,
      expectedNonce: nonce,
      pkceCodeVerifier: verifier,
      idTokenExpected: true,
    });
    // interactionDetails() and interactionFinished() find the interaction by a cookie whose path is another one.
    const interaction = await provider.Interaction.find(uid);
    if (!interaction) return ctx.throw(400);
    const accountId = tokens.claims()?.sub ?? '';
    const grant = new provider.Grant({ accountId, clientId: String(interaction.params.client_id) });
    grant.addResourceScope(resource.identifier, resource.scopes.map(({ name }) => name).join(' '));
    grant.addOIDCScope('openid offline_access');
    const consent = { grantId: await grant.save() };
    const again = await provider.Interaction.find(uid);
    if (!again) return ctx.throw(400);
    again.result = { login: { accountId }, consent };
    await again.save(again.exp - Math.floor(Date.now() / 1000));
    ctx.redirect(again.returnTo);
  }

  return provider;
}
