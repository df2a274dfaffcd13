import { errors, type JWTPayload, type JWTVerifyGetKey, jwtVerify } from 'jose';
import { type ProofOfPossession, verifyProof } from './dpop-proof';
import { InvalidTokenError } from './invalid-token-error';

/** An access token that passed every check. */
export interface AccessToken {
  /** The person that the token speaks for. */
  readonly sub: string;
  /** The client that the token was issued to. */
  readonly client_id: string;
  /** The granted scopes, separated by spaces; empty where none was granted. */
  readonly scope: string;
  /** Every claim of the token. */
  readonly claims: JWTPayload;
}

/** What every resource server expects. */
interface Issued {
  readonly issuer: string;
  /** The only `aud` that is accepted. */
  readonly audience: string;
  readonly keySet: JWTVerifyGetKey;
}

export interface Expectations extends Issued {
  /** Of a token that was presented as bound to a key (`Authorization: DPoP`). */
  readonly possession?: ProofOfPossession;
}

/** Asymmetric only: with `none` or an HMAC anyone who knows the public keys could sign. */
const ALGORITHMS = ['RS256', 'PS256', 'ES256'];

/**
 * Validates a JWT access token as RFC 9068 section 4 asks of a resource server.
 *
 * @throws InvalidTokenError whatever is wrong with the token
 * @throws KeySetUnavailableError where that cannot be found out
 */
export async function verifyToken(token: string, expected: Expectations): Promise<AccessToken> {
  const verified = await verifyIssued(token, expected);
  await checkBinding(token, verified.claims.cnf, expected.possession);
  return verified;
}

/**
 * The same without the binding to a key, where that has been proved to whoever hands the token on.
 *
 * @throws InvalidTokenError, KeySetUnavailableError
 */
export async function verifyIssued(token: string, expected: Issued): Promise<AccessToken> {
  const claims = await verifiedClaims(token, expected);

  // A token names one audience: with a second one it could be replayed there, or was meant for there.
  if (claims.aud !== expected.audience) {
    throw new InvalidTokenError('aud');
  }
  const { sub, client_id, jti, scope = '' } = claims;
  if (!isText(jti)) {
    throw new InvalidTokenError('jti');
  }
  if (!isText(sub)) {
    throw new InvalidTokenError('sub');
  }
  if (!isText(client_id)) {
    throw new InvalidTokenError('client_id');
  }
  if (typeof scope !== 'string') {
    throw new InvalidTokenError('scope');
  }
  return { sub, client_id, scope, claims };
}

/**
 * A token that is bound to a key (RFC 9449 section 7.1, RFC 8705 section 3) is worth nothing without proof of that key, and one that is not
 * bound must not be presented as if it were.
 */
async function checkBinding(token: string, cnf: unknown, possession: ProofOfPossession | undefined): Promise<void> {
  if (cnf === undefined && possession === undefined) {
    return;
  }
  const { jkt, ...further } = (cnf ?? {}) as Record<string, unknown>;
  if (possession === undefined || typeof jkt !== 'string' || Object.keys(further).length > 0) {
    throw new InvalidTokenError('cnf');
  }
  await verifyProof(possession, token, jkt);
}

async function verifiedClaims(token: string, { issuer, audience, keySet }: Issued): Promise<JWTPayload> {
  try {
    const { payload } = await jwtVerify(token, keySet, {
      algorithms: ALGORITHMS,
      // Without it an ID token of the same issuer would pass (RFC 9068 section 4).
      typ: 'at+jwt',
      issuer,
      audience,
      requiredClaims: ['exp', 'iat', 'jti', 'sub', 'client_id'],
    });
    return payload;
  } catch (error) {
    if (error instanceof errors.JOSEError) {
      throw new InvalidTokenError(reasonOf(error));
    }
    throw error;
  }
}

function reasonOf(error: errors.JOSEError): string {
  if (error instanceof errors.JWTExpired) {
    return 'expired';
  }
  if (error instanceof errors.JWTClaimValidationFailed) {
    return error.claim;
  }
  if (error instanceof errors.JOSEAlgNotAllowed) {
    return 'alg';
  }
  if (error instanceof errors.JWKSNoMatchingKey || error instanceof errors.JWKSMultipleMatchingKeys) {
    return 'kid';
  }
  return error instanceof errors.JWSSignatureVerificationFailed ? 'signature' : 'malformed';
}

function isText(value: unknown): value is string {
  return typeof value === 'string' && value !== '';
}
