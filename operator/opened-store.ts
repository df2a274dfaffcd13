import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { DynamoStore } from '../lambda/store/dynamo-store';
import { explained } from './aws-errors';
import { UsageError } from './errors';

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
    throw await explained(error, client.config.region, {
      ResourceNotFoundException: (region) =>
        `There is no table '${name}' in the region ${region}. AWS_REGION sets another region; the stack that holds McpOidcAuth names its table.`,
    });
  } finally {
    client.destroy();
  }
}
