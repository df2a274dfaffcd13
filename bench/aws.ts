import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { buffer } from 'node:stream/consumers';
import { setTimeout } from 'node:timers/promises';
import {
  BatchWriteItemCommand,
  CreateTableCommand,
  DynamoDBClient,
  PutItemCommand,
  type WriteRequest,
} from '@aws-sdk/client-dynamodb';

/** One call to DynamoDB, as it was answered. Times in milliseconds. */
export interface Call {
  readonly operation: string;
  readonly began: number;
  readonly ended: number;
  readonly units: number;
}

export const TABLE_NAME = 'bench';

const CREDENTIALS = { accessKeyId: 'bench', secretAccessKey: 'bench' };

/** DynamoDB (dynalite) and Secrets Manager on loopback. Each call to DynamoDB tells what it consumes. */
export class Aws implements AsyncDisposable {
  static async start(secrets: Readonly<Record<string, string>>, path?: string): Promise<Aws> {
    const { default: dynalite } = await import('dynalite');
    const dynamoDb = dynalite({ createTableMs: 0, ...(path ? { path } : {}) });
    dynamoDb.listen(0, '127.0.0.1');
    await once(dynamoDb, 'listening');
    const aws = new Aws(dynamoDb, secrets);
    aws.#front.listen(0, '127.0.0.1');
    await once(aws.#front, 'listening');
    return aws;
  }

  calls: Call[] = [];
  /** Milliseconds that each call takes longer than it does, so that calls side by side can be told from those in sequence. */
  latency = 0;

  readonly #front: Server;
  readonly #client: DynamoDBClient;

  private constructor(
    private readonly dynamoDb: Server,
    private readonly secrets: Readonly<Record<string, string>>,
  ) {
    this.#client = new DynamoDBClient({ region: 'us-east-1', credentials: CREDENTIALS, endpoint: originOf(dynamoDb) });
    this.#front = createServer(async (req, res) => {
      const body = await buffer(req);
      const [service, operation = ''] = String(req.headers['x-amz-target']).split('.');
      const { status, answer } =
        service === 'secretsmanager' ? this.#secret(body) : await this.#dynamoDb(req.headers, operation, body);
      res.writeHead(status, { 'content-type': 'application/x-amz-json-1.0' }).end(JSON.stringify(answer));
    });
  }

  /** What Lambda would put into the environment of a function that uses this. */
  get environment(): Record<string, string> {
    return {
      AWS_REGION: 'us-east-1',
      AWS_ACCESS_KEY_ID: CREDENTIALS.accessKeyId,
      AWS_SECRET_ACCESS_KEY: CREDENTIALS.secretAccessKey,
      AWS_ENDPOINT_URL_DYNAMODB: originOf(this.#front),
      AWS_ENDPOINT_URL_SECRETS_MANAGER: originOf(this.#front),
    };
  }

  async createTable(TableName: string): Promise<void> {
    await this.#client.send(
      new CreateTableCommand({
        TableName,
        BillingMode: 'PAY_PER_REQUEST',
        AttributeDefinitions: ['pk', 'sk'].map((AttributeName) => ({ AttributeName, AttributeType: 'S' as const })),
        KeySchema: [
          { AttributeName: 'pk', KeyType: 'HASH' },
          { AttributeName: 'sk', KeyType: 'RANGE' },
        ],
      }),
    );
  }

  async put(TableName: string, Item: PutItemCommand['input']['Item']): Promise<void> {
    await this.#client.send(new PutItemCommand({ TableName, Item }));
  }

  /** Writes many items, 25 at a time. */
  async putAll(TableName: string, items: Iterable<PutItemCommand['input']['Item']>): Promise<void> {
    let batch: WriteRequest[] = [];
    const write = () => this.#client.send(new BatchWriteItemCommand({ RequestItems: { [TableName]: batch } }));
    for (const Item of items) {
      if (batch.push({ PutRequest: { Item } }) < 25) continue;
      await write();
      batch = [];
    }
    if (batch.length > 0) await write();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#client.destroy();
    for (const server of [this.#front, this.dynamoDb]) {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    }
  }

  #secret(body: Buffer): { status: number; answer: object } {
    const { SecretId } = JSON.parse(body.toString());
    return { status: 200, answer: { SecretString: this.secrets[SecretId], VersionId: 'v1' } };
  }

  async #dynamoDb(headers: NodeJS.Dict<string | string[]>, operation: string, body: Buffer) {
    const began = performance.now();
    const { authorization, 'x-amz-date': date, 'x-amz-target': target } = headers as Record<string, string>;
    const response = await fetch(originOf(this.dynamoDb), {
      method: 'POST',
      headers: {
        authorization,
        'x-amz-date': date,
        'x-amz-target': target,
        'content-type': 'application/x-amz-json-1.0',
      } as Record<string, string>,
      body: JSON.stringify({ ...JSON.parse(body.toString()), ReturnConsumedCapacity: 'TOTAL' }),
    });
    const { ConsumedCapacity, ...answer } = (await response.json()) as { ConsumedCapacity?: Capacity | Capacity[] };
    if (this.latency > 0) await setTimeout(this.latency);
    const units = [ConsumedCapacity ?? []].flat().reduce((sum, { CapacityUnits }) => sum + CapacityUnits, 0);
    this.calls.push({ operation, began, ended: performance.now(), units });
    return { status: response.status, answer };
  }
}

interface Capacity {
  readonly CapacityUnits: number;
}

function originOf(server: Server): string {
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}
