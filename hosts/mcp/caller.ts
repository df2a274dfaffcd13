/** For whom a request comes. */
export interface Person {
  /** The `sub` of the access token: stable for one person at one identity provider, and tells neither. */
  accountId: string;
  /** The `sub` at the identity provider, where the authorization server shares its store; else the same as `accountId`. */
  userId: string;
  /** What the identity provider said of the person (its ID token's claims), where the store is shared; else the access token's claims. */
  claims: Record<string, unknown>;
  /** What `extractCustomData` has made of these claims. */
  customData?: Record<string, unknown>;
}

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
  /** `sub`, `claims` and `customData` of the person: as `Person` has them. */
  extra?: Record<string, unknown>;
}
