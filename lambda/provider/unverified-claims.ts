import { decodeJwt, errors } from 'jose';

/** What a token says of itself, which decides nothing before it has been verified; nothing where it is no JWT. */
export function unverifiedClaims(token: string): Readonly<Record<string, unknown>> {
  try {
    return decodeJwt(token);
  } catch (error) {
    if (error instanceof errors.JOSEError) return {};
    throw error;
  }
}
