import { randomUUID } from 'node:crypto';
import { createServer, type IncomingHttpHeaders, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { DynamoDBClient, GetItemCommand } from '@aws-sdk/client-dynamodb';
import {
  GetSecretValueCommand,
  ListSecretVersionIdsCommand,
  SecretsManagerClient,
} from '@aws-sdk/client-secrets-manager';
import type { CloudFormationCustomResourceEvent } from 'aws-lambda';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { parseKeySet } from '../../../lambda/key-set/parse-key-set';
import { CustomResources, type RunContext } from '../../../lambda/on-deploy/custom-resources';
import { clientKey } from '../../../lambda/provider/keys';
import {
  CLIENT_PREFIX,
  CLIENT_RESOURCE_TYPE,
  type ClientRecord,
  KEY_SET_RESOURCE_TYPE,
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
const STACK = 'arn:aws:cloudformation:eu-central-1:123456789012:stack/Mcp/1';
const notes: ResourceRecord = {
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

let secrets: LocalSecretsManager;
let dynamoDb: LocalDynamoDb;
let cloudFormation: Server;
let answers: { body: Record<string, string>; headers: IncomingHttpHeaders; bytes: number }[];
/** Status codes that CloudFormation's bucket answers with before it takes an answer. */
let outages: number[];
let secretArn: string;
let deployed: CustomResources;
/** May do everything: for the assertions. */
let secretsClient: SecretsManagerClient;
let dynamoClient: DynamoDBClient;

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
  deployed = new CustomResources(secretsManager, dynamo, { tableName: 'table', keySetSecretArn: secretArn });

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

const context: RunContext = { getRemainingTimeInMillis: () => 60_000, logStreamName: 'stream-1' };

async function request(event: object, run = context): Promise<Record<string, string>> {
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

function resourceEvent(resource: unknown, event: object = {}): object {
  const Resource = typeof resource === 'string' ? resource : JSON.stringify(resource);
  return {
    RequestType: 'Create',
    ResourceType: PROTECTED_RESOURCE_TYPE,
    ResourceProperties: { ServiceToken: 'x', Resource },
    ...event,
  };
}

async function record(identifier: string) {
  const Key = { pk: { S: RESOURCES_PARTITION }, sk: { S: `/${identifier}` } };
  const { Item } = await dynamoClient.send(new GetItemCommand({ TableName: 'table', Key, ConsistentRead: true }));
  return Item;
}

async function keySet(): Promise<string> {
  const { SecretString } = await secretsClient.send(new GetSecretValueCommand({ SecretId: secretArn }));
  return SecretString!;
}

describe('the answer to CloudFormation', () => {
  it('names the request and has an empty content type, which the presigned URL was signed for', async () => {
    await request({ RequestType: 'Create', ResourceType: KEY_SET_RESOURCE_TYPE, RequestId: 'request-1' });
    expect(answers).toHaveLength(1);
    expect(answers[0]!.body).toEqual({
      Status: 'SUCCESS',
      PhysicalResourceId: secretArn,
      StackId: STACK,
      RequestId: 'request-1',
      LogicalResourceId: 'Notes',
    });
    expect(answers[0]!.headers['content-type'] ?? '').toBe('');
  });

  it('is repeated until it arrives', async () => {
    outages = [503, 500];
    expect(await request({ RequestType: 'Create', ResourceType: KEY_SET_RESOURCE_TYPE })).toMatchObject({
      Status: 'SUCCESS',
    });
    expect(answers).toHaveLength(1);
  });

  it('fails the function where it cannot be delivered, so that Lambda repeats it', async () => {
    outages = [503, 503, 503, 503];
    await expect(request({ RequestType: 'Create', ResourceType: KEY_SET_RESOURCE_TYPE })).rejects.toThrow(
      'answered 503',
    );
  });

  it('comes before the function is stopped, even where AWS does not answer', async () => {
    const late = await request(resourceEvent(notes), { ...context, getRemainingTimeInMillis: () => 10_000 });
    expect(late).toMatchObject({ Status: 'FAILED', Reason: expect.stringContaining('did not answer in time') });
  });

  it('says what is wrong with an unknown type, and lets it be deleted', async () => {
    expect(await request({ RequestType: 'Create', ResourceType: 'Custom::Other' })).toMatchObject({
      Status: 'FAILED',
      Reason: expect.stringContaining('given: Custom::Other'),
    });
    const { PhysicalResourceId } = answers.at(-1)!.body;
    expect(await request({ RequestType: 'Delete', ResourceType: 'Custom::Other', PhysicalResourceId })).toMatchObject({
      Status: 'SUCCESS',
      PhysicalResourceId,
    });
  });

  it('is never longer than CloudFormation reads', async () => {
    await request(resourceEvent({ ...notes, scopes: [{ name: 'x y '.repeat(5000) }] }));
    expect(answers[0]!.bytes).toBeLessThan(4096);
    expect(answers[0]!.body.Reason).toContain('(log stream stream-1)');
  });
});

describe('the first key set', () => {
  const create = { RequestType: 'Create', ResourceType: KEY_SET_RESOURCE_TYPE };

  it('is made where the secret is empty', async () => {
    await request(create);
    expect(parseKeySet(await keySet()).previous).toEqual([]);
  });

  it('is made once, whether requests are repeated or come at once', async () => {
    await Promise.all([request(create), request(create), request(create)]);
    const first = await keySet();
    await request({ ...create, RequestType: 'Update', PhysicalResourceId: secretArn });
    expect(await keySet()).toBe(first);
    const { Versions } = await secretsClient.send(new ListSecretVersionIdsCommand({ SecretId: secretArn }));
    expect(Versions).toHaveLength(1);
    expect(answers.map(({ body }) => [body.Status, body.PhysicalResourceId])).toEqual(
      Array(4).fill(['SUCCESS', secretArn]),
    );
  });

  it('stays when the custom resource is deleted', async () => {
    await request(create);
    const first = await keySet();
    await request({ ...create, RequestType: 'Delete', PhysicalResourceId: secretArn });
    expect(await keySet()).toBe(first);
  });
});

describe('a protected resource', () => {
  it('is registered without an end', async () => {
    const answer = await request(resourceEvent(notes));
    expect(answer).toMatchObject({ Status: 'SUCCESS', PhysicalResourceId: notes.identifier });
    const item = await record(notes.identifier);
    expect(JSON.parse(item!.value!.S!)).toEqual(notes);
    expect(item!.v).toEqual({ N: '1' });
    expect(item).not.toHaveProperty(TABLE.timeToLive);
  });

  it('is updated under the same physical id', async () => {
    await request(resourceEvent(notes));
    const renamed = { ...notes, name: 'My notes' };
    const update = { RequestType: 'Update', PhysicalResourceId: notes.identifier };
    expect(await request(resourceEvent(renamed, update))).toMatchObject({ PhysicalResourceId: notes.identifier });
    expect(JSON.parse((await record(notes.identifier))!.value!.S!).name).toBe('My notes');
  });

  it('moves: another identifier is another physical id, so that CloudFormation deletes the former', async () => {
    await request(resourceEvent(notes));
    const identifier = 'https://notes.example.com/mcp';
    const update = { RequestType: 'Update', PhysicalResourceId: notes.identifier };
    expect(await request(resourceEvent({ ...notes, identifier }, update))).toMatchObject({
      PhysicalResourceId: identifier,
    });
    await request(resourceEvent(notes, { RequestType: 'Delete', PhysicalResourceId: notes.identifier }));
    expect(await record(notes.identifier)).toBeUndefined();
    expect(await record(identifier)).toBeDefined();
  });

  it('is taken away once, and asking again is no error', async () => {
    await request(resourceEvent(notes));
    const remove = resourceEvent(notes, { RequestType: 'Delete', PhysicalResourceId: notes.identifier });
    expect(await request(remove)).toMatchObject({ Status: 'SUCCESS' });
    expect(await record(notes.identifier)).toBeUndefined();
    expect(await request(remove)).toMatchObject({ Status: 'SUCCESS' });
  });

  it('stays when its former owner is deleted: a stack that it has moved away from, or a logical id of before', async () => {
    for (const former of [{ StackId: `${STACK}-former` }, { LogicalResourceId: 'Former' }]) {
      await request(resourceEvent(notes, former));
      await request(resourceEvent(notes));
      const remove = { RequestType: 'Delete', PhysicalResourceId: notes.identifier, ...former };
      expect(await request(resourceEvent(notes, remove))).toMatchObject({ Status: 'SUCCESS' });
      expect(await record(notes.identifier)).toBeDefined();
    }
  });

  it('that failed to be registered takes nothing away when it is rolled back', async () => {
    await request(resourceEvent(notes, { LogicalResourceId: 'Other' }));
    const { PhysicalResourceId } = await request(resourceEvent({ ...notes, scopes: [] }));
    const rollback = { RequestType: 'Delete', PhysicalResourceId };
    expect(await request(resourceEvent({ ...notes, scopes: [] }, rollback))).toMatchObject({ Status: 'SUCCESS' });
    expect(await record(notes.identifier)).toBeDefined();
  });

  it('keeps its physical id where an update fails', async () => {
    await request(resourceEvent(notes));
    const update = { RequestType: 'Update', PhysicalResourceId: notes.identifier };
    expect(await request(resourceEvent('{', update))).toMatchObject({
      Status: 'FAILED',
      PhysicalResourceId: notes.identifier,
    });
    expect(JSON.parse((await record(notes.identifier))!.value!.S!)).toEqual(notes);
  });

  it.each<[string, unknown, string]>([
    ['no JSON', '{', 'Resource has to be the JSON of a protected resource'],
    ['no object', [], 'Resource has to be an object'],
    ['no identifier', { ...notes, identifier: undefined }, 'identifier has to be an absolute https URL'],
    ['a relative identifier', { ...notes, identifier: '/mcp' }, 'given: "/mcp"'],
    ['plain http', { ...notes, identifier: 'http://mcp.example.com' }, 'given: "http://mcp.example.com"'],
    ['a fragment', { ...notes, identifier: 'https://mcp.example.com/#' }, 'without a fragment'],
    ['no scopes', { ...notes, scopes: [] }, 'at least one scope'],
    ['a scope with a space', { ...notes, scopes: [{ ...notes.scopes[0], name: 'a b' }] }, 'has to be a scope token'],
    ['a scope without words', { ...notes, scopes: [{ ...notes.scopes[0], description: '' }] }, 'needs a description'],
    ['one scope twice', { ...notes, scopes: [notes.scopes[0], notes.scopes[0]] }, 'a name of its own'],
    [
      'descriptions that are no texts',
      { ...notes, scopes: [{ ...notes.scopes[0], descriptions: { de: 7 } }] },
      'given: {"de":7}',
    ],
    ['an unknown implied scope', { ...notes, scopes: [{ ...notes.scopes[0], implies: ['x'] }] }, 'given: ["x"]'],
    ['no default', { ...notes, default: undefined }, 'default has to be true or false'],
  ])('is refused with %s', async (_, resource, reason) => {
    expect(await request(resourceEvent(resource))).toMatchObject({
      Status: 'FAILED',
      Reason: expect.stringContaining(reason),
    });
    expect(await record(notes.identifier)).toBeUndefined();
  });

  it('may be on loopback without TLS', async () => {
    expect(await request(resourceEvent({ ...notes, identifier: 'http://localhost:3001/mcp' }))).toMatchObject({
      Status: 'SUCCESS',
    });
  });

  it('says what AWS says where the table is not there', async () => {
    deployed = new CustomResources(secretsClient, dynamoClient, { tableName: 'gone', keySetSecretArn: secretArn });
    expect(await request(resourceEvent(notes))).toMatchObject({ Status: 'FAILED' });
    const remove = { RequestType: 'Delete', PhysicalResourceId: notes.identifier };
    expect(await request(resourceEvent(notes, remove))).toMatchObject({ Status: 'SUCCESS' });
  });
});

describe('a client', () => {
  const editor: ClientRecord = {
    clientId: 'editor',
    name: 'Our editor',
    redirectUris: ['https://editor.example.com/callback', 'http://127.0.0.1/callback'],
  };
  const event = (client: unknown, more: object = {}) => ({
    RequestType: 'Create',
    ResourceType: CLIENT_RESOURCE_TYPE,
    ResourceProperties: { ServiceToken: 'x', Client: typeof client === 'string' ? client : JSON.stringify(client) },
    ...more,
  });
  const remove = (more: object = {}) =>
    request(event(editor, { RequestType: 'Delete', PhysicalResourceId: editor.clientId, ...more }));
  const stored = async (clientId = editor.clientId) => {
    const Key = { pk: { S: clientKey(clientId) }, sk: { S: 'value' } };
    return (await dynamoClient.send(new GetItemCommand({ TableName: 'table', Key, ConsistentRead: true }))).Item;
  };

  it('is registered without an end, as a public client', async () => {
    expect(await request(event(editor))).toMatchObject({ Status: 'SUCCESS', PhysicalResourceId: 'editor' });
    const item = await stored();
    expect(JSON.parse(item!.value!.S!)).toEqual({
      client_id: 'editor',
      client_name: 'Our editor',
      redirect_uris: editor.redirectUris,
      application_type: 'native',
      grant_types: ['authorization_code', 'refresh_token'],
      response_types: ['code'],
      token_endpoint_auth_method: 'none',
    });
    expect(item!.v).toEqual({ N: '1' });
    expect(item!.registeredBy).toEqual({ S: `${STACK}/Notes` });
    expect(item).not.toHaveProperty(TABLE.timeToLive);
  });

  it('is updated under the same physical id', async () => {
    await request(event(editor));
    const update = { RequestType: 'Update', PhysicalResourceId: 'editor' };
    expect(await request(event({ ...editor, name: 'Another name' }, update))).toMatchObject({
      PhysicalResourceId: 'editor',
    });
    expect(JSON.parse((await stored())!.value!.S!).client_name).toBe('Another name');
  });

  it('with another id is another one, so that CloudFormation deletes the former', async () => {
    await request(event(editor));
    const update = { RequestType: 'Update', PhysicalResourceId: 'editor' };
    expect(await request(event({ ...editor, clientId: 'other' }, update))).toMatchObject({
      PhysicalResourceId: 'other',
    });
    await remove();
    expect(await stored()).toBeUndefined();
    expect(await stored('other')).toBeDefined();
  });

  it('is taken away once, and asking again is no error', async () => {
    await request(event(editor));
    expect(await remove()).toMatchObject({ Status: 'SUCCESS' });
    expect(await stored()).toBeUndefined();
    expect(await remove()).toMatchObject({ Status: 'SUCCESS' });
  });

  it('stays when its former owner is deleted', async () => {
    const former = { StackId: `${STACK}-former` };
    await request(event(editor, former));
    await request(event(editor));
    expect(await remove(former)).toMatchObject({ Status: 'SUCCESS' });
    expect(await stored()).toBeDefined();
  });

  it.each<[string, unknown, string]>([
    ['no JSON', '{', 'Client has to be the JSON of a client'],
    ['no id', { ...editor, clientId: undefined }, 'Client has to be the JSON of a client'],
    ['redirect URIs that are no texts', { ...editor, redirectUris: [7] }, 'Client has to be the JSON of a client'],
    ['no redirect URI', { ...editor, redirectUris: [] }, 'redirect_uris must be a non-empty array'],
    ['a blank name', { ...editor, name: ' ' }, 'a client needs a name for people'],
    [
      'a redirect URI that nobody may have',
      { ...editor, redirectUris: [...editor.redirectUris, 'http://editor.example.com/'] },
      'http://editor.example.com/ cannot be a redirect URI: http is for loopback addresses only',
    ],
    [
      'a private-use scheme that is not allowed',
      { ...editor, redirectUris: ['my-app:/callback'] },
      'my-app:/callback cannot be a redirect URI: the scheme my-app is not one that is allowed here',
    ],
    [
      'https on loopback beside a program on the device',
      { ...editor, redirectUris: ['https://localhost/callback', 'http://localhost/callback'] },
      'https://localhost/callback cannot be a redirect URI here: https on a loopback address cannot stand beside',
    ],
  ])('is refused with %s', async (_, client, reason) => {
    expect(await request(event(client))).toMatchObject({
      Status: 'FAILED',
      Reason: expect.stringContaining(reason),
    });
    expect(await stored()).toBeUndefined();
  });

  it('may have a private-use scheme that every client may have', async () => {
    deployed = new CustomResources(secretsClient, dynamoClient, {
      tableName: 'table',
      keySetSecretArn: secretArn,
      privateUseSchemes: ['my-app'],
    });
    const own = { ...editor, redirectUris: ['my-app:/callback'] };
    expect(await request(event(own))).toMatchObject({ Status: 'SUCCESS' });
  });
});

describe('a secret with something else in it', () => {
  it('is not overwritten, and what it holds is not told', async () => {
    const { arn } = secrets.createSecret({ name: 'password', value: 'hunter2' });
    deployed = new CustomResources(secretsClient, dynamoClient, { tableName: 'table', keySetSecretArn: arn });
    const answer = await request({ RequestType: 'Create', ResourceType: KEY_SET_RESOURCE_TYPE });
    expect(answer).toMatchObject({ Status: 'FAILED', Reason: expect.stringContaining('does not hold JSON') });
    expect(JSON.stringify(answer)).not.toContain('hunter2');
  });
});
