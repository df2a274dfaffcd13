import { DeleteItemCommand, type DynamoDBClient, GetItemCommand, PutItemCommand } from '@aws-sdk/client-dynamodb';

/** What Keyv asks of a store: one item for each key. */
export class KeyvOnDynamoDb {
  /** It is given a record's end as a time, as Keyv 6 has it. */
  readonly capabilities = { expires: true };

  constructor(
    private readonly client: DynamoDBClient,
    private readonly TableName: string,
  ) {}

  async get(key: string): Promise<unknown> {
    const { Item } = await this.client.send(
      new GetItemCommand({ TableName: this.TableName, Key: this.#keyOf(key), ConsistentRead: true }),
    );
    const expires = Number(Item?.expiresAt?.N ?? Number.POSITIVE_INFINITY);
    return Item && expires > Date.now() / 1000 ? JSON.parse(Item.value?.S ?? 'null') : undefined;
  }

  async set(key: string, value: unknown, expires?: number): Promise<boolean> {
    await this.client.send(
      new PutItemCommand({
        TableName: this.TableName,
        Item: {
          ...this.#keyOf(key),
          value: { S: JSON.stringify(value) },
          ...(expires === undefined ? {} : { expiresAt: { N: String(Math.ceil(expires / 1000)) } }),
        },
      }),
    );
    return true;
  }

  async delete(key: string): Promise<boolean> {
    await this.client.send(new DeleteItemCommand({ TableName: this.TableName, Key: this.#keyOf(key) }));
    return true;
  }

  #keyOf(key: string) {
    return { pk: { S: key }, sk: { S: 'value' } };
  }
}
