/** Upstream cannot be reached or answers with 5xx: nobody's fault here, and worth another try. */
export class UpstreamUnavailable extends Error {
  override name = 'UpstreamUnavailable';
}

/** Upstream answered, and the answer is a refusal or cannot be trusted. */
export class UpstreamRefused extends Error {
  override name = 'UpstreamRefused';

  /** @param code the error that the MCP client gets (RFC 6749 section 4.1.2.1) */
  constructor(
    readonly code: string,
    message: string,
    options?: ErrorOptions,
  ) {
    super(message, options);
  }
}

/** Upstream has signed the person in, and a rule keeps the account out. */
export class PersonNotAllowed extends Error {
  override name = 'PersonNotAllowed';

  /**
   * @param account what the person may know the account by
   * @param claim of the rule that does not hold
   */
  constructor(
    readonly account: string | undefined,
    readonly claim: string,
  ) {
    super('This account is not among those that may sign in here');
  }
}
