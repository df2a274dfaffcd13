import { DynamoDBClient, GetItemCommand, PutItemCommand } from '@aws-sdk/client-dynamodb';
import { GetSecretValueCommand, PutSecretValueCommand, SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type LocalDynamoDb, startDynamoDb } from '../../../local/aws/dynamodb';
import { Keys } from '../../../local/aws/keys';
import { type LocalSecretsManager, startSecretsManager } from '../../../local/aws/secrets-manager';
import { addCaller, allow, clientConfig, newAccessControl } from './credentials';

const KEY = 'arn:aws:kms:us-east-1:123456789012:key/own';
const ROOT = { AWS: 'arn:aws:iam::123456789012:root' };
const policy = (Principal: object, extra: object = {}) => ({
  Version: '2012-10-17',
  Statement: [{ Effect: 'Allow', Principal, Action: 'kms:*', Resource: '*', ...extra }],
});

const accessControl = newAccessControl();
const keys = new Keys();
let database: LocalDynamoDb;
let service: LocalSecretsManager;
beforeAll(async () => {
  database = await startDynamoDb({ accessControl });
  service = await startSecretsManager({ accessControl, invoke: async () => undefined });
});
afterAll(() => Promise.all([database.close(), service.close()]));

let names = 0;
const ALL = allow(['secretsmanager:*', 'dynamodb:*'], '*');
const via = (name: string) => ({ StringEquals: { 'kms:ViaService': `${name}.us-east-1.amazonaws.com` } });

function reader(...policies: object[]) {
  const caller = addCaller(accessControl, `reader${names++}`, ALL, ...policies);
  return {
    secrets: new SecretsManagerClient(clientConfig(caller, service.endpoint)),
    table: new DynamoDBClient(clientConfig(caller, database.endpoint)),
  };
}

describe('a secret under a key of one’s own', () => {
  function secret(keyPolicy: Record<string, unknown> | undefined): string {
    const id = `${KEY}${names++}`;
    keys.add(id, keyPolicy as never);
    return service.createSecret({ name: `s${names++}`, value: 'x', key: keys.useOf(id, 'secretsmanager') }).arn;
  }
  const read = ({ secrets }: ReturnType<typeof reader>, SecretId: string) =>
    secrets.send(new GetSecretValueCommand({ SecretId }));

  it('is read with the permission to decrypt, through Secrets Manager', async () => {
    const decrypting = reader(allow(['kms:Decrypt'], '*', via('secretsmanager')));
    await expect(read(decrypting, secret(undefined))).resolves.toMatchObject({ SecretString: 'x' });
    await expect(read(decrypting, secret(policy(ROOT)))).resolves.toMatchObject({ SecretString: 'x' });
  });

  it.each<[string, object[], Record<string, unknown> | undefined]>([
    ['no permission to decrypt', [], undefined],
    ['a permission through another service', [allow(['kms:Decrypt'], '*', via('dynamodb'))], undefined],
    ['a permission for another key', [allow(['kms:Decrypt'], `${KEY}-other`)], undefined],
    [
      'a key policy that leaves nothing to roles',
      [allow(['kms:Decrypt'], '*')],
      policy({ Service: 'logs.amazonaws.com' }),
    ],
  ])('is not read with %s', async (_, policies, keyPolicy) => {
    await expect(read(reader(...policies), secret(keyPolicy))).rejects.toMatchObject({
      name: 'AccessDeniedException',
      message: expect.stringContaining('is not authorized to perform: kms:Decrypt on resource: arn:aws:kms:'),
    });
  });

  it('is written with the permission to make a data key', async () => {
    const SecretId = secret(undefined);
    const put = new PutSecretValueCommand({ SecretId, SecretString: 'y' });
    await expect(reader().secrets.send(put)).rejects.toMatchObject({ name: 'AccessDeniedException' });
    await reader(allow(['kms:GenerateDataKey'], '*')).secrets.send(put);
  });
});

it('a table under a key of one’s own is read and written with the permission to decrypt', async () => {
  keys.addAlias('alias/table', 'own');
  await database.createTable(
    {
      TableName: 'encrypted',
      AttributeDefinitions: [{ AttributeName: 'pk', AttributeType: 'S' }],
      KeySchema: [{ AttributeName: 'pk', KeyType: 'HASH' }],
    },
    { key: keys.useOf('alias/table', 'dynamodb') },
  );
  const get = new GetItemCommand({ TableName: 'encrypted', Key: { pk: { S: 'a' } } });
  const put = new PutItemCommand({ TableName: 'encrypted', Item: { pk: { S: 'a' } } });
  for (const command of [get, put]) {
    await expect(reader().table.send(command as typeof get)).rejects.toMatchObject({
      message: expect.stringContaining(`kms:Decrypt on resource: ${KEY}`),
    });
    await reader(allow(['kms:Decrypt'], KEY, via('dynamodb'))).table.send(command as typeof get);
  }
});

it('the keys of AWS ask for no permission', () => {
  expect(keys.useOf('alias/aws/secretsmanager', 'secretsmanager')).toBeUndefined();
  expect(keys.useOf(undefined, 'dynamodb')).toBeUndefined();
});

it('what a key policy says to a service is not judged, as no service uses a key in its own name here', () => {
  const condition = { Condition: { ArnLike: { 'kms:EncryptionContext:aws:logs:arn': '*' } } };
  expect(() => keys.add(KEY, policy({ Service: 'logs.amazonaws.com' }, condition) as never)).not.toThrow();
});

it('a key policy with a condition that cannot be judged is refused', () => {
  const condition = { Condition: { StringEquals: { 'kms:EncryptionContext:SecretARN': 'x' } } };
  expect(() => keys.add(KEY, policy(ROOT, condition) as never)).toThrow('kms:EncryptionContext:SecretARN');
});

it('a table’s own policy decides beside the role', async () => {
  await database.createTable(
    {
      TableName: 'guarded',
      AttributeDefinitions: [{ AttributeName: 'pk', AttributeType: 'S' }],
      KeySchema: [{ AttributeName: 'pk', KeyType: 'HASH' }],
    },
    {
      resourcePolicy: {
        Version: '2012-10-17',
        Statement: [{ Effect: 'Deny', Principal: '*', Action: 'dynamodb:PutItem', Resource: '*' }],
      },
    },
  );
  const { table } = reader();
  await table.send(new GetItemCommand({ TableName: 'guarded', Key: { pk: { S: 'a' } } }));
  await expect(
    table.send(new PutItemCommand({ TableName: 'guarded', Item: { pk: { S: 'a' } } })),
  ).rejects.toMatchObject({ message: expect.stringContaining('with an explicit deny in a resource-based policy') });
});

it('a secret gets a policy of its own later', async () => {
  const { arn } = service.createSecret({ name: 'guarded', value: 'x' });
  const { secrets } = reader();
  await secrets.send(new GetSecretValueCommand({ SecretId: arn }));
  const Statement = [{ Effect: 'Deny', Principal: '*', Action: 'secretsmanager:GetSecretValue', Resource: '*' }];
  service.setResourcePolicy(arn, { Version: '2012-10-17', Statement });
  await expect(secrets.send(new GetSecretValueCommand({ SecretId: arn }))).rejects.toMatchObject({
    name: 'AccessDeniedException',
  });
});
