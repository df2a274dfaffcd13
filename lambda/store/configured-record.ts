import {
  ConditionalCheckFailedException,
  DeleteItemCommand,
  type DynamoDBClient,
  PutItemCommand,
  ResourceNotFoundException,
} from '@aws-sdk/client-dynamodb';
import { TABLE } from '../../lib/contract';
import { configuredItem, keyAttributes } from './stored-record';

/**
 * Writes a record that is configuration, for a custom resource.
 *
 * @param owner names it among all stacks. Another one that wrote the same record before (its
 * logical id was renamed, or what it registers moved to another stack) is no longer responsible for it
 */
export async function putConfigured(
  dynamoDb: DynamoDBClient,
  tableName: string,
  key: string,
  value: object,
  owner: string,
): Promise<void> {
  await dynamoDb.send(
    new PutItemCommand({
      TableName: tableName,
      Item: { ...configuredItem(key, value), [TABLE.registeredBy]: { S: owner } },
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
