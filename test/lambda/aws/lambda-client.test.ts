import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { buffer } from 'node:stream/consumers';
import {
  ConditionalCheckFailedException,
  DynamoDBClient,
  PutItemCommand,
  ResourceNotFoundException,
} from '@aws-sdk/client-dynamodb';
import { GetSecretValueCommand, SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { endpointOf } from '../../../lambda/aws/lambda-client';
import { DYNAMODB, dynamoDb, SECRETS_MANAGER, secretsManager } from '../../../lambda/aws/services';
import { originOf } from '../store/dynamodb';

type Answer = (res: ServerResponse, attempt: number) => void;

let server: Server;
let attempts: { readonly headers: IncomingMessage['headers']; readonly body: string }[];
let answer: Answer;
beforeEach(async () => {
  attempts = [];
  server = createServer(async (req, res) => {
    attempts.push({ headers: req.headers, body: (await buffer(req)).toString() });
    answer(res, attempts.length);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
});
afterEach(() => {
  server.closeAllConnections();
  server.close();
});

const OPTIONS = { maxAttempts: 3, connectionTimeout: 500, requestTimeout: 1_000 };
const CREDENTIALS = { AWS_ACCESS_KEY_ID: 'key', AWS_SECRET_ACCESS_KEY: 'secret', AWS_SESSION_TOKEN: 'token' };
const environment = () => ({
  AWS_REGION: 'eu-west-1',
  ...CREDENTIALS,
  AWS_ENDPOINT_URL_DYNAMODB: originOf(server),
  AWS_ENDPOINT_URL_SECRETS_MANAGER: originOf(server),
});
const put = new PutItemCommand({ TableName: 'auth', Item: { pk: { S: 'ü' } } });

const sends = (status: number, body: string): Answer => {
  return (res) => res.writeHead(status, { 'content-type': 'application/x-amz-json-1.0' }).end(body);
};
const error = (name: string, status = 400) =>
  sends(status, JSON.stringify({ __type: `com.amazonaws.dynamodb.v20120810#${name}`, message: 'so it is' }));

/** What the SDK's client makes of the same answers. */
const sdk = () => {
  const { AWS_ACCESS_KEY_ID: accessKeyId, AWS_SECRET_ACCESS_KEY: secretAccessKey } = CREDENTIALS;
  const requestHandler = { requestTimeout: 1_000, throwOnRequestTimeout: true };
  const credentials = { accessKeyId, secretAccessKey, sessionToken: CREDENTIALS.AWS_SESSION_TOKEN };
  return { region: 'eu-west-1', credentials, maxAttempts: 3, endpoint: originOf(server), requestHandler };
};

describe('a request', () => {
  const SAME = ['content-type', 'x-amz-target', 'x-amz-security-token', 'content-length', 'host'];

  it('asks DynamoDB what the SDK asks', async () => {
    answer = sends(200, '{}');
    await dynamoDb(OPTIONS, environment()).send(put);
    await new DynamoDBClient(sdk()).send(put);
    const [own, sdks] = attempts;
    expect(JSON.parse(own!.body)).toEqual(JSON.parse(sdks!.body));
    for (const name of SAME) expect([name, own!.headers[name]]).toEqual([name, sdks!.headers[name]]);
    expect(own!.headers.authorization).toMatch(/^AWS4-HMAC-SHA256 Credential=key\/\d{8}\/eu-west-1\/dynamodb\//);
  });

  it('asks Secrets Manager what the SDK asks, and brings back what it says', async () => {
    answer = sends(200, '{"SecretString":"s","VersionId":"v"}');
    const get = new GetSecretValueCommand({ SecretId: 'id' });
    const found = await secretsManager(OPTIONS, environment()).send(get);
    expect(found).toEqual({ SecretString: 's', VersionId: 'v' });
    await new SecretsManagerClient(sdk()).send(get);
    const [own, sdks] = attempts;
    expect(own!.body).toEqual(sdks!.body);
    for (const name of SAME) expect([name, own!.headers[name]]).toEqual([name, sdks!.headers[name]]);
  });

  it.each([
    ['us-east-1', 'https://dynamodb.us-east-1.amazonaws.com/'],
    ['us-gov-west-1', 'https://dynamodb.us-gov-west-1.amazonaws.com/'],
    ['cn-north-1', 'https://dynamodb.cn-north-1.amazonaws.com.cn/'],
    ['eusc-de-east-1', 'https://dynamodb.eusc-de-east-1.amazonaws.eu/'],
  ])('of a function in %s goes to %s', (region, endpoint) => {
    expect(endpointOf(DYNAMODB, { AWS_REGION: region }).href).toBe(endpoint);
    expect(endpointOf(SECRETS_MANAGER, { AWS_REGION: region }).href).toBe(
      endpoint.replace('dynamodb', 'secretsmanager'),
    );
  });
});

describe('an error', () => {
  it('of a condition is an instance of its class', async () => {
    answer = error('ConditionalCheckFailedException');
    const outcome = dynamoDb(OPTIONS, environment()).send(put);
    await expect(outcome).rejects.toThrow(ConditionalCheckFailedException);
    await expect(outcome).rejects.toMatchObject({ $metadata: { httpStatusCode: 400 } });
    expect(attempts).toHaveLength(1);
  });

  it.each([
    [400, 'ResourceNotFoundException', 1],
    [400, 'ValidationException', 1],
    [400, 'AccessDeniedException', 1],
    [400, 'ThrottlingException', 3],
    [400, 'ProvisionedThroughputExceededException', 3],
    [500, 'InternalServerError', 3],
    [503, 'ServiceUnavailable', 3],
  ])('%i %s has the name that the SDK gives it, after as many attempts', async (status, name, expected) => {
    answer = error(name, status);
    const seen: object[] = [];
    for (const client of [dynamoDb(OPTIONS, environment()), new DynamoDBClient(sdk())]) {
      attempts = [];
      const outcome = await client.send(put).catch((thrown) => thrown);
      seen.push({ name: outcome.name, message: outcome.message, fault: outcome.$fault, attempts: attempts.length });
    }
    expect(seen[0]).toMatchObject({ name, message: 'so it is', attempts: expected });
    expect(seen[0]).toEqual({ fault: status < 500 ? 'client' : 'server', ...seen[1] });
    if (name === 'ResourceNotFoundException')
      expect(new ResourceNotFoundException({ message: '', $metadata: {} }).name).toBe(name);
  });
});

describe('what passes', () => {
  it.each<[string, Answer]>([
    ['an internal error', error('InternalServerError', 500)],
    ['a throttled request', error('ThrottlingException')],
    ['a connection that breaks', (res) => res.destroy()],
    [
      'an answer that breaks off',
      (res) => res.writeHead(200, { 'content-length': '100' }).write('{"Attributes":', () => res.destroy()),
    ],
    ['a page of something on the way', sends(502, '<html>')],
    ['a result that is none', sends(200, '<html>')],
    ['no answer at all', () => {}],
    ['an answer that does not end', (res) => void res.writeHead(200).write('{')],
  ])('is tried again: %s', async (_, trouble) => {
    answer = (res, attempt) => (attempt === 1 ? trouble : sends(200, '{"Attributes":{}}'))(res, attempt);
    expect(await dynamoDb(OPTIONS, environment()).send(put)).toEqual({ Attributes: {} });
    expect(attempts).toHaveLength(2);
  });

  it.each<[string, Answer]>([
    ['no answer at all', () => {}],
    ['an answer that does not end', (res) => void res.writeHead(200).write('{')],
    ['a result that is none', sends(200, 'null')],
  ])('is an error where it does not pass: %s', async (_, trouble) => {
    answer = trouble;
    await expect(dynamoDb(OPTIONS, environment()).send(put)).rejects.toThrow(Error);
    expect(attempts).toHaveLength(3);
  });
});
