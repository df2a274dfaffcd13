/** How access tokens are signed (RFC 7518 section 3.1). */
export enum SigningAlgorithm {
  /** RSA with 2048 bits, which every client and API Gateway's own JWT authorizers understand. */
  RS256 = 'RS256',
  /** The elliptic curve P-256: tokens that are a third shorter. API Gateway's own JWT authorizers do not take them. */
  ES256 = 'ES256',
}
