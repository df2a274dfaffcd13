/** What was typed cannot be understood; the message says what is needed. The command's usage is shown beside it. */
export class UsageError extends Error {
  override name = 'UsageError';
}

/** What was asked for cannot be done, for a reason that the message tells. */
export class OperatorError extends Error {
  override name = 'OperatorError';
}
