import { OperatorError } from './errors';

/**
 * What AWS, or the way there, has against a command, in words that say what to do.
 *
 * @param region of the client that was used
 * @param special by the name of an error: what it means for this command
 * @returns an OperatorError, or the error as it is where it is none of these
 */
export async function explained(
  error: unknown,
  region: () => Promise<string>,
  special: Readonly<Record<string, (region: string) => string>>,
): Promise<unknown> {
  if (!(error instanceof Error)) return error;
  if (error.message === 'Region is missing') {
    return new OperatorError('No AWS region is set. Set AWS_REGION, or AWS_PROFILE to a profile that has one.');
  }
  if (error.message.startsWith('Region not accepted')) {
    return new OperatorError(`AWS has no such region: ${error.message}`);
  }
  const meaning = special[error.name];
  if (meaning) return new OperatorError(meaning(await region()));
  switch (error.name) {
    case 'CredentialsProviderError':
      return new OperatorError(
        `There are no AWS credentials. Sign in with the AWS CLI and set AWS_PROFILE, or set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY. (${error.message})`,
      );
    case 'ExpiredTokenException':
    case 'InvalidSignatureException':
    case 'UnrecognizedClientException':
      return new OperatorError(`AWS does not take these credentials; sign in again. AWS says: ${error.message}`);
  }
  if ('$fault' in error) return new OperatorError(`AWS answers ${error.name}: ${error.message}`);
  if (isUnreachable(error)) return new OperatorError(`AWS cannot be reached: ${error.message || error.code}.`);
  return error;
}

/** As Node names what the network does, for example ECONNREFUSED. */
function isUnreachable(error: Error): error is Error & { readonly code: string } {
  return error.name === 'TimeoutError' || ('code' in error && /^E[A-Z]+$/.test(String(error.code)));
}
