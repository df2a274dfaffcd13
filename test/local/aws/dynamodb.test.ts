import {
  BatchGetItemCommand,
  BatchWriteItemCommand,
  DynamoDBClient,
  GetItemCommand,
  PutItemCommand,
  QueryCommand,
  ScanCommand,
  TransactWriteItemsCommand,
  UpdateItemCommand,
} from '@aws-sdk/client-dynamodb';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type LocalDynamoDb, startDynamoDb } from '../../../local/aws/dynamodb';
import { addCaller, allow, clientConfig, deny, newAccessControl } from './credentials';

const TABLE_ARN = 'arn:aws:dynamodb:us-east-1:123456789012:table/records';
const EVERY_ACTION = ['dynamodb:*'];
const DEFINITION = {
  TableName: 'records',
  AttributeDefinitions: ['pk', 'sk', 'owner'].map((AttributeName) => ({ AttributeName, AttributeType: 'S' })),
  KeySchema: [
    { AttributeName: 'pk', KeyType: 'HASH' },
    { AttributeName: 'sk', KeyType: 'RANGE' },
  ],
  GlobalSecondaryIndexes: [
    {
      IndexName: 'byOwner',
      KeySchema: [{ AttributeName: 'owner', KeyType: 'HASH' }],
      Projection: { ProjectionType: 'ALL' },
    },
  ],
  BillingMode: 'PAY_PER_REQUEST',
  TimeToLiveSpecification: { AttributeName: 'expiresAt', Enabled: true },
  Replicas: [{ Region: 'us-east-1', PointInTimeRecoverySpecification: { PointInTimeRecoveryEnabled: true } }],
};

const accessControl = newAccessControl();
let database: LocalDynamoDb;

beforeAll(async () => {
  database = await startDynamoDb({ accessControl });
  await database.createTable(DEFINITION);
});
afterAll(() => database.close());

let callers = 0;
function clientWith(...policies: object[]) {
  const caller = addCaller(accessControl, `function${callers++}`, ...policies);
  return { caller, client: new DynamoDBClient(clientConfig(caller, database.endpoint)) };
}
const key = (pk: string, sk = 'x') => ({ pk: { S: pk }, sk: { S: sk } });

describe('a table', () => {
  let owner: DynamoDBClient;
  beforeAll(() => {
    owner = clientWith(allow(EVERY_ACTION, [TABLE_ARN, `${TABLE_ARN}/index/*`])).client;
  });

  it('has the name and ARN of its declaration', async () => {
    expect(await database.createTable({ ...DEFINITION, TableName: 'other' })).toEqual({
      name: 'other',
      arn: 'arn:aws:dynamodb:us-east-1:123456789012:table/other',
    });
  });

  it('reads and writes with conditions', async () => {
    await owner.send(new PutItemCommand({ TableName: 'records', Item: { ...key('a'), value: { S: '1' } } }));
    const put = new PutItemCommand({
      TableName: 'records',
      Item: key('a'),
      ConditionExpression: 'attribute_not_exists(pk)',
    });
    await expect(owner.send(put)).rejects.toMatchObject({ name: 'ConditionalCheckFailedException' });
    const { Item } = await owner.send(
      new GetItemCommand({ TableName: 'records', Key: key('a'), ConsistentRead: true }),
    );
    expect(Item).toEqual({ ...key('a'), value: { S: '1' } });
  });

  it('lets one of twenty concurrent conditional updates win', async () => {
    await owner.send(new PutItemCommand({ TableName: 'records', Item: key('once') }));
    const update = () =>
      owner.send(
        new UpdateItemCommand({
          TableName: 'records',
          Key: key('once'),
          UpdateExpression: 'SET consumedAt = :now',
          ConditionExpression: 'attribute_exists(pk) AND attribute_not_exists(consumedAt)',
          ExpressionAttributeValues: { ':now': { N: '1' } },
        }),
      );
    const results = await Promise.allSettled(Array.from({ length: 20 }, update));
    expect(results.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
  });

  it('reads several items consistently in one batch', async () => {
    await owner.send(
      new BatchWriteItemCommand({
        RequestItems: { records: ['b1', 'b2', 'b3'].map((pk) => ({ PutRequest: { Item: key(pk) } })) },
      }),
    );
    const { Responses } = await owner.send(
      new BatchGetItemCommand({
        RequestItems: { records: { Keys: [key('b1'), key('b3'), key('none')], ConsistentRead: true } },
      }),
    );
    expect(Responses?.records?.map(({ pk }) => pk?.S).sort()).toEqual(['b1', 'b3']);
  });

  it('is queried through its declared index', async () => {
    await owner.send(new PutItemCommand({ TableName: 'records', Item: { ...key('i'), owner: { S: 'ada' } } }));
    const { Items } = await owner.send(
      new QueryCommand({
        TableName: 'records',
        IndexName: 'byOwner',
        KeyConditionExpression: '#o = :o',
        ExpressionAttributeNames: { '#o': 'owner' },
        ExpressionAttributeValues: { ':o': { S: 'ada' } },
      }),
    );
    expect(Items).toEqual([{ ...key('i'), owner: { S: 'ada' } }]);
  });

  it('refuses by name what DynamoDB in memory cannot do', async () => {
    await expect(owner.send(new TransactWriteItemsCommand({ TransactItems: [] }))).rejects.toMatchObject({
      name: 'UnknownOperationException',
      message: expect.stringContaining('TransactWriteItems'),
    });
  });
});

describe('a call', () => {
  it('is denied with the words of AWS where the role does not allow the action', async () => {
    const { client, caller } = clientWith(allow(['dynamodb:GetItem'], TABLE_ARN));
    await client.send(new GetItemCommand({ TableName: 'records', Key: key('a') }));
    await expect(client.send(new ScanCommand({ TableName: 'records' }))).rejects.toMatchObject({
      name: 'AccessDeniedException',
      $metadata: { httpStatusCode: 400 },
      message:
        `User: arn:aws:sts::123456789012:assumed-role/${caller.functionName}-role/${caller.functionName} is not authorized ` +
        `to perform: dynamodb:Scan on resource: ${TABLE_ARN} because no identity-based policy allows the dynamodb:Scan action`,
    });
    expect(accessControl.calls.filter(({ functionName }) => functionName === caller.functionName)).toEqual([
      {
        functionName: caller.functionName,
        service: 'dynamodb',
        action: 'dynamodb:GetItem',
        resource: TABLE_ARN,
        allowed: true,
        statements: [{ policy: allow(['dynamodb:GetItem'], TABLE_ARN), index: 0 }],
      },
      {
        functionName: caller.functionName,
        service: 'dynamodb',
        action: 'dynamodb:Scan',
        resource: TABLE_ARN,
        allowed: false,
        statements: [],
      },
    ]);
  });

  it('is denied by an explicit deny beside an allow', async () => {
    const { client } = clientWith(allow(EVERY_ACTION, '*'), deny(['dynamodb:PutItem'], TABLE_ARN));
    await expect(client.send(new PutItemCommand({ TableName: 'records', Item: key('d') }))).rejects.toMatchObject({
      name: 'AccessDeniedException',
      message: expect.stringContaining('with an explicit deny in an identity-based policy'),
    });
  });

  it('on an index needs a permission for the index, not for the table', async () => {
    const { client } = clientWith(allow(['dynamodb:Query'], TABLE_ARN));
    const query = new QueryCommand({
      TableName: 'records',
      IndexName: 'byOwner',
      KeyConditionExpression: 'owner = :o',
      ExpressionAttributeValues: { ':o': { S: 'ada' } },
    });
    await expect(client.send(query)).rejects.toMatchObject({
      name: 'AccessDeniedException',
      message: expect.stringContaining(`${TABLE_ARN}/index/byOwner`),
    });
  });

  it('in a batch needs a permission for every table', async () => {
    await database.createTable({ ...DEFINITION, TableName: 'forbidden' });
    const { client } = clientWith(allow(['dynamodb:BatchGetItem', 'dynamodb:GetItem'], TABLE_ARN));
    const batch = new BatchGetItemCommand({
      RequestItems: { records: { Keys: [key('a')] }, forbidden: { Keys: [key('a')] } },
    });
    await expect(client.send(batch)).rejects.toMatchObject({
      name: 'AccessDeniedException',
      message: expect.stringContaining('table/forbidden'),
    });
  });

  it('is judged by the partition keys that it touches', async () => {
    const { client } = clientWith(
      allow(['dynamodb:*'], TABLE_ARN, { 'ForAllValues:StringEquals': { 'dynamodb:LeadingKeys': ['mine'] } }),
    );
    await client.send(new PutItemCommand({ TableName: 'records', Item: key('mine') }));
    const query = (pk: string) =>
      new QueryCommand({
        TableName: 'records',
        KeyConditionExpression: 'begins_with(sk, :s) AND #p = :p',
        ExpressionAttributeNames: { '#p': 'pk' },
        ExpressionAttributeValues: { ':p': { S: pk }, ':s': { S: 'x' } },
      });
    expect((await client.send(query('mine'))).Count).toBe(1);
    const foreign = [
      query('theirs'),
      new GetItemCommand({ TableName: 'records', Key: key('theirs') }),
      new PutItemCommand({ TableName: 'records', Item: key('theirs') }),
      new BatchGetItemCommand({ RequestItems: { records: { Keys: [key('mine'), key('theirs')] } } }),
      new BatchWriteItemCommand({ RequestItems: { records: [{ DeleteRequest: { Key: key('theirs') } }] } }),
    ];
    for (const command of foreign) {
      await expect(client.send(command as GetItemCommand)).rejects.toMatchObject({ name: 'AccessDeniedException' });
    }
  });
});

describe('the credentials', () => {
  const get = new GetItemCommand({ TableName: 'records', Key: key('a') });
  const clientOf = (change: object) => {
    const { caller } = clientWith(allow(EVERY_ACTION, '*'));
    return new DynamoDBClient(clientConfig({ ...caller, ...change }, database.endpoint));
  };

  it.each([
    ['an unknown access key', { accessKeyId: 'ASIA0000000000000000' }, 'UnrecognizedClientException'],
    ['a foreign session token', { sessionToken: 'else' }, 'UnrecognizedClientException'],
    ['a wrong secret', { secretAccessKey: 'else' }, 'InvalidSignatureException'],
  ])('with %s are refused', async (_, change, name) => {
    await expect(clientOf(change).send(get)).rejects.toMatchObject({ name, $metadata: { httpStatusCode: 400 } });
  });

  it('for another region are refused', async () => {
    const { caller } = clientWith(allow(EVERY_ACTION, '*'));
    const client = new DynamoDBClient({ ...clientConfig(caller, database.endpoint), region: 'eu-west-1' });
    await expect(client.send(get)).rejects.toMatchObject({ name: 'InvalidSignatureException' });
  });

  it('are needed', async () => {
    const response = await fetch(database.endpoint, {
      method: 'POST',
      headers: { 'x-amz-target': 'DynamoDB_20120810.ListTables' },
      body: '{}',
    });
    expect(response.status).toBe(400);
    expect(await response.json()).toMatchObject({ __type: 'MissingAuthenticationTokenException' });
  });

  it('are not given for policies that cannot be judged as AWS judges them', () => {
    const policy = allow(['dynamodb:GetItem'], '*', { StringEquals: { 'aws:PrincipalTag/team': 'a' } });
    expect(() => addCaller(accessControl, 'tagged', policy)).toThrow(/the role of tagged.*aws:PrincipalTag\/team/);
  });
});

describe('with an upstream endpoint', () => {
  it('creates missing tables there, keeps those that are there, and judges in front of it', async () => {
    const elsewhere = await startUpstream();
    try {
      const first = await startDynamoDb({ accessControl, upstream: elsewhere.url });
      await first.createTable(DEFINITION);
      const caller = addCaller(accessControl, 'upstream', allow(EVERY_ACTION, TABLE_ARN));
      await new DynamoDBClient(clientConfig(caller, first.endpoint)).send(
        new PutItemCommand({ TableName: 'records', Item: key('kept') }),
      );
      await first.close();

      const second = await startDynamoDb({ accessControl, upstream: elsewhere.url });
      await second.createTable(DEFINITION);
      const client = new DynamoDBClient(clientConfig(caller, second.endpoint));
      expect((await client.send(new GetItemCommand({ TableName: 'records', Key: key('kept') }))).Item).toBeDefined();
      await expect(client.send(new GetItemCommand({ TableName: 'else', Key: key('kept') }))).rejects.toMatchObject({
        name: 'AccessDeniedException',
      });
      await expect(
        second.createTable({ ...DEFINITION, KeySchema: [{ AttributeName: 'owner', KeyType: 'HASH' }] }),
      ).rejects.toThrow(/records is already there with the keys/);
      await second.close();
    } finally {
      await elsewhere.close();
    }
  });
});

/** A DynamoDB that someone else runs. */
async function startUpstream() {
  const { default: dynalite } = await import('dynalite');
  const server = dynalite({ createTableMs: 5 });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as { port: number };
  return {
    url: `http://127.0.0.1:${port}`,
    close: () =>
      new Promise<unknown>((resolve) => {
        server.close(resolve);
        server.closeAllConnections();
      }),
  };
}
