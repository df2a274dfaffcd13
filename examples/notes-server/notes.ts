import { randomUUID } from 'node:crypto';
import { type DynamoDBClient, PutItemCommand, QueryCommand } from '@aws-sdk/client-dynamodb';

export interface Note {
  readonly text: string;
  readonly createdAt: string;
}

/** One person's notes, in a table with the partition key `person` and the sort key `id`. */
export class Notes {
  constructor(
    private readonly dynamoDb: DynamoDBClient,
    private readonly tableName: string,
    private readonly person: string,
  ) {}

  async add(text: string): Promise<Note> {
    const createdAt = new Date().toISOString();
    // The time comes first, so that notes are sorted by it.
    const id = `${createdAt} ${randomUUID()}`;
    const Item = { person: { S: this.person }, id: { S: id }, text: { S: text }, createdAt: { S: createdAt } };
    await reached(this.dynamoDb.send(new PutItemCommand({ TableName: this.tableName, Item })));
    return { text, createdAt };
  }

  /** The latest hundred, newest first. */
  async list(): Promise<Note[]> {
    const query = new QueryCommand({
      TableName: this.tableName,
      KeyConditionExpression: 'person = :person',
      ExpressionAttributeValues: { ':person': { S: this.person } },
      ScanIndexForward: false,
      Limit: 100,
    });
    const { Items = [] } = await reached(this.dynamoDb.send(query));
    return Items.map(({ text, createdAt }) => ({ text: text?.S ?? '', createdAt: createdAt?.S ?? '' }));
  }
}

/** What AWS says about a failure is for the log: the caller reads the message of this error. */
async function reached<T>(answer: Promise<T>): Promise<T> {
  try {
    return await answer;
  } catch (error) {
    console.error(error);
    throw new Error('Your notes cannot be reached at the moment. Try again later.');
  }
}
