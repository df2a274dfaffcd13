import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { DynamoStore } from '../lambda/store/dynamo-store';
import { OperatorError, UsageError } from './errors';

/** The authorization server's table, with the region and the credentials that the AWS SDK finds by itself. */
export interface Table {
  readonly name: string;
  readonly client: DynamoDBClient;
  readonly store: DynamoStore;
}

/**
 * Does something to the table.
 *
 * @param name of the option `--table`
 * @throws OperatorError for what AWS, or the way there, has against it
 */
export async function onTable(name: string | undefined, act: (table: Table) => Promise<void>): Promise<void> {
  if (!name) throw new UsageError('--table needs the name of the table of the authorization server.');
  const client = new DynamoDBClient({});
  const table = { name, client, store: new DynamoStore({ client, tableName: name }) };
  try {
    await act(table);
  } catch (error) {
    throw await explained(error, table);
  } finally {
    client.destroy();
  }
}

async function explained(error: unknown, { name, client }: Table): Promise<unknown> {
  if (!(error instanceof Error)) return error;
  if (error.message === 'Region is missing') {
    return new OperatorError('No AWS region is set. Set AWS_REGION, or AWS_PROFILE to a profile that has one.');
  }
  if (error.message.startsWith('Region not accepted')) {
    return new OperatorError(`AWS has no such region: ${error.message}`);
  }
  switch (error.name) {
    case 'ResourceNotFoundException':
      return new OperatorError(
        `There is no table '${name}' in the region ${await client.config.region()}. AWS_REGION sets another region; the stack that holds McpOidcAuth names its table.`,
      );
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
