import type { JWTVerifyGetKey } from 'jose';
import { errors, type Provider, type TokenEndpointGrantContext } from 'oidc-provider';
import { InvalidTokenError } from '../authorizer/invalid-token-error';
import { verifyIssued } from '../authorizer/verify-token';
import { grantKeyOf, upstreamTokenKeyOf } from './keys';
import { resourcesOf, TOKEN_EXCHANGE } from './resource-server';
import { unverifiedClaims } from './unverified-claims';
import { type AccessTokenClaims, grantHashOf, NoUpstreamToken, type UpstreamAccess } from './upstream-access';

/** RFC 8693 section 3. */
const ACCESS_TOKEN = 'urn:ietf:params:oauth:token-type:access_token';

const PARAMETERS = [
  'actor_token',
  'actor_token_type',
  'audience',
  'requested_token_type',
  'resource',
  'scope',
  'subject_token',
  'subject_token_type',
] as const;

type Parameters = Partial<Record<(typeof PARAMETERS)[number], string>>;
type Context = TokenEndpointGrantContext<Parameters>;

/**
 * RFC 8693 for one purpose: a resource server presents the access token that it has received, and gets one of upstream's, to act there as the
 * person. The engine has authenticated it; a token that is bound to a key (RFC 9449) has been proved to it, and it is the only one that may present it.
 */
export function registerTokenExchange(
  provider: Provider,
  access: UpstreamAccess,
  keySet: JWTVerifyGetKey,
  upstreamIssuer: string,
): void {
  async function exchange(ctx: Context): Promise<void> {
    const { params, client } = ctx.oidc;
    checkParameters(params, upstreamIssuer);
    const claims = await claimsOf(params.subject_token ?? '', resourcesOf(client));
    // For the event of the decision: whose token it was.
    ctx.oidc.entity('Account', { accountId: claims.sub, claims: async () => ({ sub: claims.sub }) });
    const { accessToken, tokenType, expiresIn, scope } = await access.tokenFor(claims).catch(refuse);
    ctx.body = {
      access_token: accessToken,
      issued_token_type: ACCESS_TOKEN,
      token_type: tokenType,
      expires_in: expiresIn,
      scope,
    };
  }

  /** Verified as every resource server does. */
  async function claimsOf(token: string, resources: readonly unknown[]): Promise<AccessTokenClaims> {
    const audience = unverifiedClaims(token).aud;
    // RFC 8693 section 2.2.2: a subject token that is unacceptable is an invalid request.
    if (typeof audience !== 'string' || !resources.includes(audience)) {
      throw new errors.InvalidRequest('subject_token must be an access token for this resource server');
    }
    try {
      const { claims, sub, client_id } = await verifyIssued(token, { issuer: provider.issuer, audience, keySet });
      return { ...claims, sub, client_id, aud: audience };
    } catch (error) {
      if (!(error instanceof InvalidTokenError)) throw error;
      throw new errors.InvalidRequest('subject_token must be a valid access token', undefined, error.reason);
    }
  }

  provider.registerGrantType<Parameters>(TOKEN_EXCHANGE, exchange, [...PARAMETERS]);
}

/** What the exchange of a token reads, by what the token says of itself: nothing is decided before it has been verified. */
export function recordsBehind(subjectToken: string): string[] {
  const grantHash = grantHashOf(unverifiedClaims(subjectToken));
  return grantHash ? [grantKeyOf(grantHash), upstreamTokenKeyOf(grantHash)] : [];
}

function checkParameters(params: Parameters, upstreamIssuer: string): void {
  if (!params.subject_token) throw new errors.InvalidRequest("missing required parameter 'subject_token'");
  if (params.subject_token_type !== ACCESS_TOKEN) {
    throw new errors.InvalidRequest(`subject_token_type must be ${ACCESS_TOKEN}`);
  }
  if (params.requested_token_type !== undefined && params.requested_token_type !== ACCESS_TOKEN) {
    throw new errors.InvalidRequest(`requested_token_type must be ${ACCESS_TOKEN}`);
  }
  if (params.actor_token !== undefined || params.actor_token_type !== undefined) {
    throw new errors.InvalidRequest('an actor_token is not taken');
  }
  const targets = [params.resource, params.audience].filter((target) => target !== undefined);
  if (targets.some((target) => target !== upstreamIssuer)) {
    throw new errors.InvalidTarget('tokens are for the upstream identity provider alone');
  }
}

function refuse(error: unknown): never {
  if (!(error instanceof NoUpstreamToken)) throw error;
  throw new errors.CustomOIDCProviderError(error.error, error.message);
}
