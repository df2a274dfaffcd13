/** A scope-token (RFC 6749 section 3.3). */
export const SCOPE_TOKEN = /^[\x21\x23-\x5B\x5D-\x7E]+$/;

/** Scopes that mean something to OpenID Connect itself (OpenID Connect Core 1.0, sections 3.1.2.1, 5.4 and 11). */
export const OPENID_SCOPES: readonly string[] = ['openid', 'profile', 'email', 'address', 'phone', 'offline_access'];
