/** The token is not one that this resource may accept. */
export class InvalidTokenError extends Error {
  override readonly name: string = 'InvalidTokenError';

  /** @param reason the claim, header parameter or step that failed: one word, without anything from the token */
  constructor(
    readonly reason: string,
    what = 'access token',
  ) {
    super(`The ${what} is not valid: ${reason}.`);
  }
}

/** Not the token is wrong, or not known to be, but the proof of its key (RFC 9449 section 4.3). */
export class InvalidProofError extends InvalidTokenError {
  override readonly name = 'InvalidProofError';

  constructor(reason: string) {
    super(reason, 'DPoP proof');
  }
}
