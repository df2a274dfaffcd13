/** The token is not one that this resource may accept. */
export class InvalidTokenError extends Error {
  override readonly name = 'InvalidTokenError';

  /** @param reason the claim, header parameter or step that failed: one word, without anything from the token */
  constructor(readonly reason: string) {
    super(`The access token is not valid: ${reason}.`);
  }
}
