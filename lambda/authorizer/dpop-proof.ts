import { calculateJwkThumbprint, EmbeddedJWK, errors, type JWK, jwtVerify } from 'jose';
import { DPOP_ALGORITHMS } from '../../lib/contract';
import { InvalidProofError, InvalidTokenError } from './invalid-token-error';

/** What a request says about who holds the key of its access token (RFC 9449 section 4). */
export interface ProofOfPossession {
  /** The value of the one DPoP header; undefined where there is not exactly one. */
  readonly proof: string | undefined;
  /** The method of the request. */
  readonly method: string;
  /** The URLs that the request may have gone to, without query and fragment. */
  readonly urls: readonly string[];
}

/** Seconds by which the clocks of client and server may differ, and for which a proof is good. */
const WINDOW = 300;

/**
 * Checks a DPoP proof (RFC 9449 section 4.3) for an access token. Proofs are not remembered: one that was overheard is good for the
 * same request, with the same token, for five minutes.
 *
 * @param jkt the thumbprint of the key that the token is bound to
 * @throws InvalidProofError, InvalidTokenError where the proof is of another key than the token's
 */
export async function verifyProof(
  { proof, method, urls }: ProofOfPossession,
  token: string,
  jkt: unknown,
): Promise<void> {
  if (proof === undefined) {
    throw new InvalidProofError('proof');
  }
  const { payload, protectedHeader } = await verified(proof);
  const { jti, htm, htu, iat = 0, ath } = payload;
  if (typeof jti !== 'string' || jti === '') {
    throw new InvalidProofError('proof_jti');
  }
  if (htm !== method) {
    throw new InvalidProofError('proof_htm');
  }
  if (typeof htu !== 'string' || !urls.some((url) => normalized(url) === normalized(htu))) {
    throw new InvalidProofError('proof_htu');
  }
  if (Math.abs(Date.now() / 1000 - iat) > WINDOW) {
    throw new InvalidProofError('proof_iat');
  }
  if (ath !== (await hashOf(token))) {
    throw new InvalidProofError('proof_ath');
  }
  if ((await calculateJwkThumbprint(protectedHeader.jwk as JWK)) !== jkt) {
    throw new InvalidTokenError('proof_jkt');
  }
}

/** By the Web Cryptography API, as jose does: importing node:crypto takes longer than all else that the authorizer loads. */
async function hashOf(token: string): Promise<string> {
  return Buffer.from(await crypto.subtle.digest('SHA-256', Buffer.from(token))).toString('base64url');
}

async function verified(proof: string) {
  try {
    return await jwtVerify(proof, EmbeddedJWK, {
      typ: 'dpop+jwt',
      algorithms: [...DPOP_ALGORITHMS],
      requiredClaims: ['iat'],
    });
  } catch (error) {
    if (error instanceof errors.JOSEError || error instanceof TypeError || error instanceof DOMException) {
      throw new InvalidProofError('proof');
    }
    throw error;
  }
}

/** RFC 9449 section 4.3: compared after syntax and scheme-based normalization, without query and fragment. */
function normalized(address: string): string | undefined {
  const url = URL.parse(address);
  return url === null ? undefined : `${url.origin}${url.pathname}`;
}
