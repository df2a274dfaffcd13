import type { AccessToken } from '../../lambda/authorizer/verify-token';
import type { Person } from './person';

/** A verified access token, as the official SDK hands it on (`req.auth`, and `authInfo` in a tool). */
export interface AuthInfo {
  /** The access token. */
  token: string;
  /** The client that it was issued to. */
  clientId: string;
  /** The scopes that were granted. */
  scopes: string[];
  /** Epoch seconds. */
  expiresAt?: number;
  /** The MCP server that it was issued for. */
  resource?: URL;
  /** `sub`, `claims` and `customData` of the person: see `Person`. */
  extra?: Record<string, unknown>;
}

export function authInfoOf(token: string, { client_id, scope, claims }: AccessToken, person: Person): AuthInfo {
  return {
    token,
    clientId: client_id,
    scopes: scope.split(' ').filter(Boolean),
    expiresAt: claims.exp,
    resource: new URL(claims.aud as string),
    extra: { sub: person.accountId, claims: person.claims, customData: person.customData },
  };
}
