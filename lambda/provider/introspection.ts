import type { JWTVerifyGetKey } from 'jose';
import type { KoaContextWithOIDC, Provider } from 'oidc-provider';
import { GRANT_CLAIM } from '../../lib/contract';
import { InvalidTokenError } from '../authorizer/invalid-token-error';
import { verifyIssued } from '../authorizer/verify-token';
import type { Store } from '../store/store';
import { grantKeyOf } from './keys';
import { logEvent } from './log';
import { resourcesOf } from './resource-server';
import { unverifiedClaims } from './unverified-claims';

export interface IntrospectionContext {
  /** What access tokens of this server are verified with. */
  readonly keySet: JWTVerifyGetKey;
  readonly store: Store;
  onServerError(error: Error): void;
}

const INACTIVE = { active: false };

/**
 * Token introspection (RFC 7662) for resource servers: each hears of the access tokens that were issued for it, and of any other token, whatever
 * it is, that it is not active. The engine authenticates who asks; a JWT is what it cannot look up, and is answered here.
 */
export function answerIntrospection(provider: Provider, { keySet, store, onServerError }: IntrospectionContext): void {
  provider.use(async (ctx: KoaContextWithOIDC, next) => {
    await next();
    if (ctx.oidc?.route !== 'introspection' || (ctx.body as { error?: string })?.error !== 'unsupported_token_type') {
      return;
    }
    const { client, params } = ctx.oidc;
    try {
      ctx.body = await introspected(String(params?.token), resourcesOf(client));
      ctx.status = 200;
    } catch (error) {
      onServerError(error as Error);
      return;
    }
    logEvent('token.introspected', { clientId: client?.clientId, active: (ctx.body as { active: boolean }).active });
  });

  async function introspected(token: string, resources: readonly unknown[]): Promise<object> {
    const audience = unverifiedClaims(token).aud;
    if (typeof audience !== 'string' || !resources.includes(audience)) return INACTIVE;
    const claims = await verifiedClaims(token, audience);
    if (claims === undefined || !(await hasGrant(claims[GRANT_CLAIM]))) return INACTIVE;
    // Section 2.2: the claims of the token itself, whose names are the same.
    return { active: true, token_type: claims.cnf === undefined ? 'Bearer' : 'DPoP', ...claims };
  }

  async function verifiedClaims(token: string, audience: string) {
    try {
      return (await verifyIssued(token, { issuer: provider.issuer, audience, keySet })).claims;
    } catch (error) {
      if (error instanceof InvalidTokenError) return undefined;
      throw error;
    }
  }

  /** What the token does not name nobody can look up. */
  async function hasGrant(grantHash: unknown): Promise<boolean> {
    if (typeof grantHash !== 'string') return true;
    const [grant] = await store.read([grantKeyOf(grantHash)]);
    return grant !== undefined;
  }
}
