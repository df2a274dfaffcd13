/** An access token of the upstream identity provider, for the person whose request it is. */
export interface UpstreamToken {
  readonly accessToken: string;
  /** How to present it, most often `Bearer`. */
  readonly tokenType: string;
  /** What it is good for, separated by spaces, where upstream says so. */
  readonly scope?: string;
  /** Epoch milliseconds of its end, where upstream says so. */
  readonly expiresAt?: number;
}

/** There is no upstream token. Answer the request with `status`. */
export class UpstreamTokenError extends Error {
  override readonly name = 'UpstreamTokenError';

  /**
   * @param status 401: the person has to sign in again. 503: it cannot be had at the moment, try again. 500: this server is set up wrongly
   * @param error what the token endpoint said (RFC 6749 section 5.2), where it answered
   */
  constructor(
    message: string,
    readonly status: 401 | 500 | 503,
    readonly error?: string,
    options?: ErrorOptions,
  ) {
    super(message, options);
  }
}
