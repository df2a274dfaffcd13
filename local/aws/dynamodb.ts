import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import { isDeepStrictEqual } from 'node:util';
import type { AccessControl } from './access-control';
import { AwsError } from './aws-error';
import { assertKnownConditions } from './condition-keys';
import { accessOf } from './dynamodb-access';
import { type Answer, startJsonEndpoint } from './json-endpoint';
import type { KeyUse } from './keys';
import { sign } from './signature';

export interface LocalDynamoDb {
  /** For AWS_ENDPOINT_URL_DYNAMODB of the functions. */
  readonly endpoint: string;
  /** Creates a table as an AWS::DynamoDB::Table or GlobalTable declares it; one that is there with the same keys is kept. */
  createTable(definition: object, protection?: TableProtection): Promise<{ arn: string; name: string }>;
  close(): Promise<void>;
}

/** What of a table's CloudFormation properties has an effect here. Capacity, TTL deletion, backups, replicas and encryption have none. */
interface TableDefinition {
  readonly TableName: string;
  readonly AttributeDefinitions: readonly object[];
  readonly KeySchema: KeySchema;
  readonly GlobalSecondaryIndexes?: readonly IndexDefinition[];
  readonly LocalSecondaryIndexes?: readonly IndexDefinition[];
}
interface IndexDefinition {
  readonly IndexName: string;
  readonly KeySchema: KeySchema;
  readonly Projection: object;
}
type KeySchema = readonly { readonly AttributeName: string; readonly KeyType: 'HASH' | 'RANGE' }[];

/** Behind the proxy nobody's permissions are judged, so any credentials will do (DynamoDB local wants letters and digits). */
const CREDENTIALS = { accessKeyId: 'local', secretAccessKey: 'local' };

/**
 * DynamoDB on this machine: an endpoint that judges and records every call and passes on what is allowed.
 * @param options.upstream an existing DynamoDB endpoint; without it the tables live in this process' memory
 */
export async function startDynamoDb(options: {
  accessControl: AccessControl;
  upstream?: string;
}): Promise<LocalDynamoDb> {
  const { accessControl } = options;
  const { region, account } = accessControl;
  const tablesArn = `arn:aws:dynamodb:${region}:${account}:table/`;
  const partitionKeys = new Map<string, string>();
  const protections = new Map<string, TableProtection>();
  const engine = options.upstream ? { url: options.upstream, async close() {} } : await startEmbedded();

  const proxy = await startJsonEndpoint({
    service: 'dynamodb',
    version: '1.0',
    accessControl,
    async handle({ caller, operation, input, body }) {
      for (const access of accessOf(operation, input, tablesArn, partitionKeys)) {
        const { key, resourcePolicy } = protections.get(access.resource.slice(tablesArn.length).split('/')[0]!) ?? {};
        await accessControl.authorize(caller, { ...access, ...(resourcePolicy && { resourcePolicy }) });
        if (key && !operation.startsWith('Describe')) await accessControl.authorize(caller, key('kms:Decrypt'));
      }
      return send(operation, body);
    },
  });

  async function send(operation: string, body: Buffer): Promise<Answer> {
    const url = new URL(engine.url);
    const headers = await sign(
      CREDENTIALS,
      { service: 'dynamodb', region },
      {
        path: url.pathname,
        headers: {
          host: url.host,
          'content-type': 'application/x-amz-json-1.0',
          'x-amz-target': `DynamoDB_20120810.${operation}`,
        },
        body,
      },
    );
    const response = await fetch(url, { method: 'POST', headers, body: new Uint8Array(body) }).catch((error: Error) => {
      throw new AwsError('InternalServerError', `No answer from DynamoDB at ${url.origin}: ${error.cause}`, 500);
    });
    return { status: response.status, body: Buffer.from(await response.arrayBuffer()) };
  }

  async function call(operation: string, input: object): Promise<{ error?: string; message?: string; Table?: Table }> {
    const { status, body } = await send(operation, Buffer.from(JSON.stringify(input)));
    const output = JSON.parse(body.toString()) as Record<string, string>;
    return status === 200 ? output : { error: output.__type?.split('#').at(-1), message: output.message };
  }

  async function createTable(
    properties: object,
    protection: TableProtection = {},
  ): Promise<{ arn: string; name: string }> {
    const definition = properties as TableDefinition;
    const { TableName: name, KeySchema } = definition;
    const created = await call('CreateTable', creation(definition));
    if (created.error && created.error !== 'ResourceInUseException') {
      throw new Error(`DynamoDB refuses the table ${name}: ${created.message}`);
    }
    let table: Table | undefined;
    while (table?.TableStatus !== 'ACTIVE') {
      if (table) await delay(20);
      table = (await call('DescribeTable', { TableName: name })).Table;
      if (!table) throw new Error(`DynamoDB has created the table ${name} and does not find it.`);
    }
    if (!isDeepStrictEqual(table.KeySchema, KeySchema)) {
      throw new Error(
        `The table ${name} is already there with the keys ${JSON.stringify(table.KeySchema)}; needed are ${JSON.stringify(KeySchema)}.`,
      );
    }
    if (protection.resourcePolicy) assertKnownConditions(protection.resourcePolicy, `the table ${name}`);
    protections.set(name, protection);
    partitionKeys.set(name, partitionKey(KeySchema));
    for (const index of indexes(definition)) {
      partitionKeys.set(`${name}/index/${index.IndexName}`, partitionKey(index.KeySchema));
    }
    return { arn: `${tablesArn}${name}`, name };
  }

  return {
    endpoint: proxy.endpoint,
    createTable,
    async close() {
      await proxy.close();
      await engine.close();
    },
  };
}

/** What decides beside the roles who may use a table. */
export interface TableProtection {
  readonly resourcePolicy?: object | undefined;
  /** The customer managed key that it is encrypted under. */
  readonly key?: KeyUse | undefined;
}

interface Table {
  readonly TableStatus: string;
  readonly KeySchema: KeySchema;
}

function creation(definition: TableDefinition): object {
  const index = ({ IndexName, KeySchema, Projection }: IndexDefinition) => ({ IndexName, KeySchema, Projection });
  const { TableName, AttributeDefinitions, KeySchema, GlobalSecondaryIndexes, LocalSecondaryIndexes } = definition;
  return {
    TableName,
    AttributeDefinitions,
    KeySchema,
    BillingMode: 'PAY_PER_REQUEST',
    ...(GlobalSecondaryIndexes && { GlobalSecondaryIndexes: GlobalSecondaryIndexes.map(index) }),
    ...(LocalSecondaryIndexes && { LocalSecondaryIndexes: LocalSecondaryIndexes.map(index) }),
  };
}

function indexes({ GlobalSecondaryIndexes = [], LocalSecondaryIndexes = [] }: TableDefinition): IndexDefinition[] {
  return [...GlobalSecondaryIndexes, ...LocalSecondaryIndexes];
}

function partitionKey(schema: KeySchema): string {
  return schema.find(({ KeyType }) => KeyType === 'HASH')!.AttributeName;
}

async function startEmbedded(): Promise<{ url: string; close(): Promise<void> }> {
  const { default: dynalite } = await import('dynalite');
  const server = dynalite({ createTableMs: 0 });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    // Ends idle connections and waits for the others: one that breaks off is an exception in dynalite.
    close: () => new Promise((resolve) => server.close(() => resolve())),
  };
}
