/** An error that an AWS service answers with: the shape's name, its message, and the HTTP status. */
export class AwsError extends Error {
  constructor(
    override readonly name: string,
    message: string,
    readonly status = 400,
  ) {
    super(message);
  }
}
