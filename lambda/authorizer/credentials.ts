/** An access token and how it was presented. */
export interface Credentials {
  /** RFC 6750 section 2.1, or RFC 9449 section 7.1. */
  readonly scheme: 'bearer' | 'dpop';
  readonly token: string;
}

/** The scheme is case-insensitive (RFC 9110 section 11.1), the token is a token68. No comma, so no second value. */
const CREDENTIALS = /^(?<scheme>bearer|dpop) +(?<token>[a-z0-9\-._~+/]+=*)$/i;

/**
 * Reads the Authorization header.
 *
 * @param authorization the value of the one Authorization header
 * @returns undefined for anything else than one well-formed access token
 */
export function credentialsOf(authorization: string): Credentials | undefined {
  const { scheme, token } = CREDENTIALS.exec(authorization)?.groups ?? {};
  if (scheme === undefined || token === undefined) {
    return undefined;
  }
  return { scheme: scheme.toLowerCase() as Credentials['scheme'], token };
}
