import {
  type AttributeValue,
  ConditionalCheckFailedException,
  DeleteItemCommand,
  type DynamoDBClient,
  PutItemCommand,
  ResourceNotFoundException,
} from '@aws-sdk/client-dynamodb';
import { RESOURCES_PARTITION, type ResourceRecord, SCHEMA_VERSION, TABLE } from '../../lib/contract';

/** Which custom resource wrote the record last. Only that one deletes it. */
const REGISTERED_BY = 'registeredBy';

/**
 * Registers a protected resource. The record has no `expiresAt`: it is configuration, and lives until its stack takes it away.
 *
 * @param owner names the custom resource among all stacks. Another one that registered the same identifier before (its logical id was
 * renamed, or the MCP server moved to another stack) is no longer responsible for it
 */
export async function register(dynamoDb: DynamoDBClient, tableName: string, resource: ResourceRecord, owner: string) {
  await dynamoDb.send(
    new PutItemCommand({
      TableName: tableName,
      Item: {
        ...keyOf(resource.identifier),
        [TABLE.version]: { N: String(SCHEMA_VERSION) },
        [TABLE.value]: { S: JSON.stringify(resource) },
        [REGISTERED_BY]: { S: owner },
      },
    }),
  );
}

/** Takes the registration away, if it is this owner's. Where it is not, or is gone already, there is nothing to do. */
export async function unregister(dynamoDb: DynamoDBClient, tableName: string, identifier: string, owner: string) {
  try {
    await dynamoDb.send(
      new DeleteItemCommand({
        TableName: tableName,
        Key: keyOf(identifier),
        ConditionExpression: '#registeredBy = :owner',
        ExpressionAttributeNames: { '#registeredBy': REGISTERED_BY },
        ExpressionAttributeValues: { ':owner': { S: owner } },
      }),
    );
  } catch (error) {
    if (!(error instanceof ConditionalCheckFailedException || error instanceof ResourceNotFoundException)) {
      throw error;
    }
  }
}

function keyOf(identifier: string): Record<string, AttributeValue> {
  return { [TABLE.partitionKey]: { S: RESOURCES_PARTITION }, [TABLE.sortKey]: { S: `/${identifier}` } };
}
