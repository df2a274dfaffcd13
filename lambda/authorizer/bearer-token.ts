/** The scheme is case-insensitive (RFC 9110 section 11.1), the token is a b64token (RFC 6750 section 2.1). No comma, so no second value. */
const BEARER = /^bearer +(?<token>[a-z0-9\-._~+/]+=*)$/i;

/**
 * Reads the token from the Authorization header.
 *
 * @param authorization the value of the one Authorization header
 * @returns undefined for anything else than one well-formed bearer token
 */
export function bearerToken(authorization: string): string | undefined {
  return BEARER.exec(authorization)?.groups?.token;
}
