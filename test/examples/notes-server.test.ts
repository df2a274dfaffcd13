import { join } from 'node:path';
import { Client, StreamableHTTPClientTransport } from '@modelcontextprotocol/client';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { ACCOUNT, REGION } from '../../local/account';
import { AccessControl } from '../../local/aws/access-control';
import { type LocalDynamoDb, startDynamoDb } from '../../local/aws/dynamodb';
import { Clock } from '../../local/clock';
import { functionEnvironment } from '../../local/lambda/environment';
import { LambdaFunction } from '../../local/lambda/function';
import { SOON } from '../support/soon';
import { type FrontDoor, startFrontDoor } from './rest-api';

const jane = {
  sub: 'jane',
  client_id: 'client-1',
  scope: 'notes:use notes:read notes:write',
  email: 'jane@example.com',
};

let dynamoDb: LocalDynamoDb;
let server: LambdaFunction;
let door: FrontDoor;
const log: string[] = [];

beforeAll(async () => {
  const accessControl = new AccessControl({ region: REGION, account: ACCOUNT });
  dynamoDb = await startDynamoDb({ accessControl });
  const table = await dynamoDb.createTable({
    TableName: 'notes',
    AttributeDefinitions: [
      { AttributeName: 'person', AttributeType: 'S' },
      { AttributeName: 'id', AttributeType: 'S' },
    ],
    KeySchema: [
      { AttributeName: 'person', KeyType: 'HASH' },
      { AttributeName: 'id', KeyType: 'RANGE' },
    ],
    BillingMode: 'PAY_PER_REQUEST',
  });
  const Statement = [{ Effect: 'Allow', Action: ['dynamodb:Query', 'dynamodb:PutItem'], Resource: table.arn }];
  const credentials = accessControl.addCaller({
    functionName: 'notes-server',
    roleArn: `arn:aws:iam::${ACCOUNT}:role/notes-server`,
    policies: [{ Version: '2012-10-17', Statement }],
  });
  const runtime = {
    functionName: 'notes-server',
    handler: 'index.handler',
    memorySize: 512,
    taskRoot: join(__dirname, '../../assets/example-notes-server'),
    logGroupName: '/aws/lambda/notes-server',
  };
  server = new LambdaFunction({
    ...runtime,
    name: runtime.functionName,
    arn: `arn:aws:lambda:${REGION}:${ACCOUNT}:function:notes-server`,
    timeout: 20,
    environment: functionEnvironment({
      ...runtime,
      credentials,
      variables: { TABLE_NAME: table.name },
      dynamoDbEndpoint: dynamoDb.endpoint,
      secretsManagerEndpoint: 'http://127.0.0.1:1',
    }),
    clock: new Clock(),
    onLog: (line) => log.push(line),
  });
});

afterAll(async () => {
  await server.close();
  await dynamoDb.close();
});

beforeEach(async () => {
  door = await startFrontDoor(server, jane);
});

afterEach(async () => {
  await door.close();
});

describe.each([
  ['2025-11-25', 'legacy' as const],
  ['2026-07-28', { pin: '2026-07-28' }],
])('a client that speaks MCP %s', (revision, mode) => {
  let client: Client;

  beforeEach(async () => {
    client = new Client({ name: 'test', version: '1.0.0' }, { versionNegotiation: { mode } });
    await client.connect(new StreamableHTTPClientTransport(new URL(door.url)));
  });

  afterEach(async () => {
    await client.close();
  });

  async function call(name: string, parameters: Record<string, unknown> = {}) {
    const { content, isError } = await client.callTool({ name, arguments: parameters });
    const [first] = content as { text: string }[];
    return { isError: isError ?? false, text: first!.text };
  }

  it('finds the tools', async () => {
    const { tools } = await client.listTools();
    expect(tools.map(({ name }) => name)).toEqual(['whoami', 'list_notes', 'add_note']);
  });

  it('hears who is calling', async () => {
    const { text } = await call('whoami');
    expect(JSON.parse(text)).toEqual(jane);
  });

  it('adds notes and lists them, newest first', async () => {
    door.authorizer = { ...jane, sub: `jane of ${revision}` };
    await call('add_note', { text: 'first' });
    await call('add_note', { text: 'zweitens: ä €' });
    const { text } = await call('list_notes');
    expect(JSON.parse(text).map((note: { text: string }) => note.text)).toEqual(['zweitens: ä €', 'first']);
  });

  it("never sees another person's notes", async () => {
    expect(await call('add_note', { text: 'secret' })).toMatchObject({ isError: false });
    door.authorizer = { ...jane, sub: `joe of ${revision}` };
    expect(await call('list_notes')).toEqual({ isError: false, text: '[]' });
  });

  it.each([
    ['list_notes', 'notes:read', 'notes:use notes:write'],
    ['add_note', 'notes:write', 'notes:use notes:read'],
  ])('is told by %s that it lacks %s', async (tool, missing, scope) => {
    door.authorizer = { ...jane, scope };
    const { isError, text } = await call(tool, { text: 'x' });
    expect(isError).toBe(true);
    expect(text).toBe(`The access token lacks the scope ${missing}.`);
  });

  it('hears nothing about AWS where the notes cannot be reached', async () => {
    // DynamoDB refuses a key of more than 2 KiB.
    door.authorizer = { ...jane, sub: 'x'.repeat(3000) };
    const { isError, text } = await call('add_note', { text: 'x' });
    expect(isError).toBe(true);
    expect(text).toBe('Your notes cannot be reached at the moment. Try again later.');
    await vi.waitFor(() => expect(log.join()).toContain('ValidationException'), SOON);
  });

  it('is told what is wrong with its arguments', async () => {
    expect(await call('add_note', { text: '' })).toMatchObject({
      isError: true,
      text: expect.stringContaining('text'),
    });
  });
});

describe('what is no MCP', () => {
  const post = (body: string, headers: Record<string, string> = {}) =>
    fetch(door.url, {
      method: 'POST',
      headers: { 'content-type': 'application/json', accept: 'application/json, text/event-stream', ...headers },
      body,
    });

  it.each<[string, string, Record<string, string>, number]>([
    ['no JSON', '{', {}, 400],
    ['no body', '', {}, 400],
    ['no JSON-RPC', '{"hello":"world"}', {}, 400],
    ['another content type', '{}', { 'content-type': 'text/plain' }, 415],
    [
      'an unknown version',
      '{"jsonrpc":"2.0","id":1,"method":"tools/list"}',
      { 'mcp-protocol-version': '1999-01-01' },
      400,
    ],
  ])('gets the error of the protocol: %s', async (_, body, headers, status) => {
    const response = await post(body, headers);
    expect(response.status).toBe(status);
    expect(response.headers.get('access-control-allow-origin')).toBe('*');
    expect(await response.json()).toMatchObject({ jsonrpc: '2.0', error: { code: expect.any(Number) } });
  });

  it.each(['GET', 'DELETE'])('%s has no session to work on', async (method) => {
    const response = await fetch(door.url, { method, headers: { accept: 'text/event-stream' } });
    expect(response.status).toBe(405);
  });

  it('may have bytes in its headers that no web request takes', async () => {
    const ping = '{"jsonrpc":"2.0","id":1,"method":"ping"}';
    door.authorizer = jane;
    const result = await server.invoke({
      httpMethod: 'POST',
      multiValueHeaders: {
        'Content-Type': ['application/json'],
        Accept: ['application/json, text/event-stream'],
        'X-Strange': ['\u20ac'],
      },
      body: Buffer.from(ping).toString('base64'),
      isBase64Encoded: true,
      requestContext: { domainName: 'api.example.com', path: '/prod/mcp', authorizer: jane },
    });
    expect('payload' in result && result.payload.toString()).toMatch(/^\{"statusCode":200/);
  });

  it('cannot hold the function with a subscription', async () => {
    const meta = {
      'io.modelcontextprotocol/protocolVersion': '2026-07-28',
      'io.modelcontextprotocol/clientInfo': { name: 'test', version: '1' },
      'io.modelcontextprotocol/clientCapabilities': {},
    };
    const params = { notifications: { toolsListChanged: true }, _meta: meta };
    const response = await post(JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'subscriptions/listen', params }), {
      'mcp-protocol-version': '2026-07-28',
      'mcp-method': 'subscriptions/listen',
    });
    const messages = [...(await response.text()).matchAll(/^data: (.*)$/gm)].map(([, data = '']) => JSON.parse(data));
    expect(messages).toMatchObject([
      { method: 'notifications/subscriptions/acknowledged', params: { notifications: {} } },
      { id: 1, result: { resultType: 'complete' } },
    ]);
  });

  it('an acknowledged notification has no body', async () => {
    const response = await post('{"jsonrpc":"2.0","method":"notifications/initialized"}');
    expect(response.status).toBe(202);
    expect(await response.text()).toBe('');
  });
});

describe('without an authorizer', () => {
  it('the function refuses to work', async () => {
    door.authorizer = {};
    const response = await fetch(door.url, { method: 'POST', body: '{}' });
    expect(response.status).toBe(502);
    expect(await response.text()).toContain('has to stand behind the authorizer');
  });
});
