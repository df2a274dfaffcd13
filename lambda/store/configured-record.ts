import {
  ConditionalCheckFailedException,
  DeleteItemCommand,
  type DynamoDBClient,
  PutItemCommand,
  ResourceNotFoundException,
} from '@aws-sdk/client-dynamodb';
import { SCHEMA_VERSION, TABLE } from '../../lib/contract';
import { keyAttributes } from './stored-record';

/**
 * Writes a record that is configuration: it has no `expiresAt`, and lives until somebody takes it away.
 *
 * @param owner names the custom resource among all stacks, where it is one that writes. Another one that wrote the same record before (its
 * logical id was renamed, or what it registers moved to another stack) is no longer responsible for it
 */
export async function putConfigured(
  dynamoDb: DynamoDBClient,
  tableName: string,
  key: string,
  value: object,
  owner?: string,
): Promise<void> {
  await dynamoDb.send(
    new PutItemCommand({
      TableName: tableName,
      Item: {
        ...keyAttributes(key),
        [TABLE.version]: { N: String(SCHEMA_VERSION) },
        [TABLE.value]: { S: JSON.stringify(value) },
        ...(owner === undefined ? {} : { [TABLE.registeredBy]: { S: owner } }),
      },
    }),
  );
}

/** Takes such a record away, if it is this owner's. Where it is not, or is gone already, there is nothing to do. */
export async function removeConfigured(
  dynamoDb: DynamoDBClient,
  tableName: string,
  key: string,
  owner: string,
): Promise<void> {
  try {
    await dynamoDb.send(
      new DeleteItemCommand({
        TableName: tableName,
        Key: keyAttributes(key),
        ConditionExpression: '#registeredBy = :owner',
        ExpressionAttributeNames: { '#registeredBy': TABLE.registeredBy },
        ExpressionAttributeValues: { ':owner': { S: owner } },
      }),
    );
  } catch (error) {
    if (!(error instanceof ConditionalCheckFailedException || error instanceof ResourceNotFoundException)) {
      throw error;
    }
  }
}
