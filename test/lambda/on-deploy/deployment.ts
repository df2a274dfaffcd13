import { randomUUID } from 'node:crypto';
import { createServer, type IncomingHttpHeaders, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { DynamoDBClient, GetItemCommand } from '@aws-sdk/client-dynamodb';
import { GetSecretValueCommand, SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import type { CloudFormationCustomResourceEvent } from 'aws-lambda';
import { afterEach, beforeEach, vi } from 'vitest';
import { CustomResources, type RunContext } from '../../../lambda/on-deploy/custom-resources';
import {
  CLIENT_PREFIX,
  type OnDeployConfig,
  PROTECTED_RESOURCE_TYPE,
  RESOURCES_PARTITION,
  type ResourceRecord,
  TABLE,
} from '../../../lib/contract';
import { AccessControl } from '../../../local/aws/access-control';
import type { Caller } from '../../../local/aws/caller';
import { type LocalDynamoDb, startDynamoDb } from '../../../local/aws/dynamodb';
import { type LocalSecretsManager, startSecretsManager } from '../../../local/aws/secrets-manager';

const REGION = 'eu-central-1';
const ACCOUNT = '123456789012';
export const STACK = 'arn:aws:cloudformation:eu-central-1:123456789012:stack/Mcp/1';
export const notes: ResourceRecord = {
  identifier: 'https://mcp.example.com/mcp',
  name: 'Notes',
  scopes: [
    {
      name: 'notes:read',
      description: 'Read your notes',
      descriptions: { de: 'Ihre Notizen lesen' },
      default: true,
      implies: [],
    },
    { name: 'notes:write', description: 'Write notes', default: false, implies: ['notes:read'] },
  ],
  default: false,
};

export let secrets: LocalSecretsManager;
let dynamoDb: LocalDynamoDb;
let cloudFormation: Server;
export let answers: { body: Record<string, string>; headers: IncomingHttpHeaders; bytes: number }[];
/** Status codes that CloudFormation's bucket answers with before it takes an answer. */
export let outages: number[];
export let secretArn: string;
let deployed: CustomResources;
/** May do everything: for the assertions. */
export let secretsClient: SecretsManagerClient;
export let dynamoClient: DynamoDBClient;

beforeEach(async () => {
  vi.spyOn(console, 'error').mockReturnValue(undefined);
  const accessControl = new AccessControl({ region: REGION, account: ACCOUNT });
  secrets = await startSecretsManager({ accessControl, invoke: async () => undefined });
  dynamoDb = await startDynamoDb({ accessControl });
  const table = await dynamoDb.createTable({
    TableName: 'table',
    AttributeDefinitions: [
      { AttributeName: TABLE.partitionKey, AttributeType: 'S' },
      { AttributeName: TABLE.sortKey, AttributeType: 'S' },
    ],
    KeySchema: [
      { AttributeName: TABLE.partitionKey, KeyType: 'HASH' },
      { AttributeName: TABLE.sortKey, KeyType: 'RANGE' },
    ],
    BillingMode: 'PAY_PER_REQUEST',
  });
  secretArn = secrets.createSecret({ name: 'key-set' }).arn;

  const caller = (functionName: string, ...Statement: object[]): Caller =>
    accessControl.addCaller({
      functionName,
      roleArn: `arn:aws:iam::${ACCOUNT}:role/${functionName}`,
      policies: [{ Version: '2012-10-17', Statement }],
    });
  const onDeploy = caller(
    'on-deploy',
    {
      Effect: 'Allow',
      Action: ['dynamodb:PutItem', 'dynamodb:DeleteItem'],
      Resource: table.arn,
      Condition: { 'ForAllValues:StringLike': { 'dynamodb:LeadingKeys': [RESOURCES_PARTITION, `${CLIENT_PREFIX}*`] } },
    },
    {
      Effect: 'Allow',
      Action: ['secretsmanager:GetSecretValue', 'secretsmanager:PutSecretValue'],
      Resource: secretArn,
    },
  );
  const reader = caller('test', { Effect: 'Allow', Action: '*', Resource: '*' });
  const clients = (credentials: Caller) => ({
    secretsManager: new SecretsManagerClient({ region: REGION, endpoint: secrets.endpoint, credentials }),
    dynamo: new DynamoDBClient({ region: REGION, endpoint: dynamoDb.endpoint, credentials }),
  });
  ({ secretsManager: secretsClient, dynamo: dynamoClient } = clients(reader));
  const { secretsManager, dynamo } = clients(onDeploy);
  deployed = new CustomResources(secretsManager, dynamo, config());

  answers = [];
  outages = [];
  cloudFormation = createServer(async (request, response) => {
    const body = (await request.toArray()).join('');
    const status = outages.shift() ?? 200;
    if (request.method === 'PUT' && status === 200) {
      answers.push({ body: JSON.parse(body), headers: request.headers, bytes: Buffer.byteLength(body) });
    }
    response.writeHead(status).end();
  });
  await new Promise<void>((resolve) => cloudFormation.listen(0, '127.0.0.1', resolve));
});

afterEach(async () => {
  vi.restoreAllMocks();
  cloudFormation.closeAllConnections();
  await Promise.all([new Promise((resolve) => cloudFormation.close(resolve)), secrets.close(), dynamoDb.close()]);
});

export const context: RunContext = { getRemainingTimeInMillis: () => 60_000, logStreamName: 'stream-1' };

export async function request(event: object, run = context): Promise<Record<string, string>> {
  const { port } = cloudFormation.address() as AddressInfo;
  const common = {
    ServiceToken: 'arn:aws:lambda:eu-central-1:123456789012:function:on-deploy',
    ResponseURL: `http://127.0.0.1:${port}/answer?signature=x`,
    StackId: STACK,
    RequestId: randomUUID(),
    LogicalResourceId: 'Notes',
    ResourceProperties: {},
  };
  await deployed.handle({ ...common, ...event } as CloudFormationCustomResourceEvent, run);
  return answers.at(-1)!.body;
}

export function resourceEvent(resource: unknown, event: object = {}): object {
  const Resource = typeof resource === 'string' ? resource : JSON.stringify(resource);
  return {
    RequestType: 'Create',
    ResourceType: PROTECTED_RESOURCE_TYPE,
    ResourceProperties: { ServiceToken: 'x', Resource },
    ...event,
  };
}

export async function record(identifier: string) {
  const Key = { pk: { S: RESOURCES_PARTITION }, sk: { S: `/${identifier}` } };
  const { Item } = await dynamoClient.send(new GetItemCommand({ TableName: 'table', Key, ConsistentRead: true }));
  return Item;
}

export async function keySet(): Promise<string> {
  const { SecretString } = await secretsClient.send(new GetSecretValueCommand({ SecretId: secretArn }));
  return SecretString!;
}

/** The function again, with all permissions and another configuration. */
export function configure(changes: Partial<OnDeployConfig>): void {
  deployed = new CustomResources(secretsClient, dynamoClient, { ...config(), ...changes });
}

const config = (): OnDeployConfig => ({ tableName: 'table', keySetSecretArn: secretArn, algorithm: 'RS256' });
