/** Lambda's own refusal of an invocation: the function did not run. */
export class InvokeError extends Error {
  override name = 'InvokeError';

  constructor(
    /** The error code of the Lambda API. */
    readonly code: 'AccessDeniedException' | 'TooManyRequestsException' | 'RequestTooLargeException',
    message: string,
  ) {
    super(message);
  }
}
