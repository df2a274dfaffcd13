import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import type { Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import {
  CreateTableCommand,
  DeleteTableCommand,
  DynamoDBClient,
  waitUntilTableExists,
  waitUntilTableNotExists,
} from '@aws-sdk/client-dynamodb';
import type { LambdaClient } from '../../../lambda/aws/lambda-client';
import { dynamoDb } from '../../../lambda/aws/services';
import { TABLE } from '../../../lib/contract';

/** An empty table of its own, on the DynamoDB that AWS_ENDPOINT_URL_DYNAMODB names or on one in memory. */
export interface TestTable extends AsyncDisposable {
  readonly endpoint: string;
  readonly tableName: string;
  readonly client: DynamoDBClient;
}

export async function createTable(): Promise<TestTable> {
  const server = process.env.AWS_ENDPOINT_URL_DYNAMODB ? undefined : await dynamoInMemory();
  const endpoint = process.env.AWS_ENDPOINT_URL_DYNAMODB || originOf(server!);
  const client = clientFor(endpoint);
  const tableName = `store-test-${randomUUID()}`;
  await client.send(
    new CreateTableCommand({
      TableName: tableName,
      BillingMode: 'PAY_PER_REQUEST',
      AttributeDefinitions: [
        { AttributeName: TABLE.partitionKey, AttributeType: 'S' },
        { AttributeName: TABLE.sortKey, AttributeType: 'S' },
      ],
      KeySchema: [
        { AttributeName: TABLE.partitionKey, KeyType: 'HASH' },
        { AttributeName: TABLE.sortKey, KeyType: 'RANGE' },
      ],
    }),
  );
  await waitUntilTableExists({ client, maxWaitTime: 60, minDelay: 1 }, { TableName: tableName });
  return {
    endpoint,
    tableName,
    client,
    async [Symbol.asyncDispose]() {
      if (!server) {
        await client.send(new DeleteTableCommand({ TableName: tableName }));
        await waitUntilTableNotExists({ client, maxWaitTime: 60, minDelay: 1 }, { TableName: tableName });
      }
      client.destroy();
      server?.close();
    },
  };
}

/** @param maxAttempts as the SDK counts them; its own default where absent */
export function clientFor(endpoint: string, maxAttempts?: number): DynamoDBClient {
  return new DynamoDBClient({
    endpoint,
    region: process.env.AWS_REGION ?? 'us-east-1',
    ...(process.env.AWS_ACCESS_KEY_ID ? {} : { credentials: { accessKeyId: 'test', secretAccessKey: 'test' } }),
    ...(maxAttempts === undefined ? {} : { maxAttempts }),
  });
}

/** The same as the function has it. */
export function lambdaClientFor(endpoint: string, maxAttempts = 3): LambdaClient<DynamoDBClient> {
  const { AWS_REGION = 'us-east-1', AWS_ACCESS_KEY_ID = 'test', AWS_SECRET_ACCESS_KEY = 'test' } = process.env;
  return dynamoDb(
    { maxAttempts, connectionTimeout: 1_000, requestTimeout: 2_000 },
    { ...process.env, AWS_REGION, AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY, AWS_ENDPOINT_URL_DYNAMODB: endpoint },
  );
}

async function dynamoInMemory(): Promise<Server> {
  const { default: dynalite } = await import('dynalite');
  const server = dynalite({ createTableMs: 0 });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return server;
}

/** Where a server listens. */
export function originOf(server: Server): string {
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}
