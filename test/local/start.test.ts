import { createRequire } from 'node:module';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { RunningStack } from '../../local/start';
import { httpApi, lambda, permission, prefixed, restApi, role, startFixture } from './fixtures/assembly';

const sdk = (name: string) => JSON.stringify(createRequire(__filename).resolve(`@aws-sdk/${name}`));
const FUNCTIONS = {
  Data: `
    const { DynamoDBClient, GetItemCommand, PutItemCommand, DeleteItemCommand } = require(${sdk('client-dynamodb')});
    const { SecretsManagerClient, GetSecretValueCommand } = require(${sdk('client-secrets-manager')});
    const table = new DynamoDBClient(), secrets = new SecretsManagerClient();
    const TableName = process.env.TABLE_NAME;
    exports.handler = async (event) => {
      switch (event.do) {
        case 'put': return void await table.send(new PutItemCommand({ TableName, Item: { pk: { S: event.key } } }));
        case 'get': return (await table.send(new GetItemCommand({ TableName, Key: { pk: { S: event.key } } }))).Item ?? null;
        case 'delete': return table.send(new DeleteItemCommand({ TableName, Key: { pk: { S: event.key } } }));
        case 'secret': return (await secrets.send(new GetSecretValueCommand({ SecretId: event.id }))).SecretString;
      }
    };`,
  Rotator: `const steps = [];
    exports.handler = async (event) => {
      if (!event.Step) return steps;
      steps.push(event.Step);
      if (process.env.FAIL) throw new Error('cannot be tested');
    };`,
  Urls: 'exports.handler = async () => process.env;',
};

/** A table, a secret of the template, and a function that may read and write the one and read the other. */
function dataResources(): Record<string, object> {
  return {
    Table: {
      Type: 'AWS::DynamoDB::GlobalTable',
      Properties: {
        AttributeDefinitions: [{ AttributeName: 'pk', AttributeType: 'S' }],
        KeySchema: [{ AttributeName: 'pk', KeyType: 'HASH' }],
        BillingMode: 'PAY_PER_REQUEST',
        Replicas: [
          { Region: { Ref: 'AWS::Region' }, PointInTimeRecoverySpecification: { PointInTimeRecoveryEnabled: true } },
        ],
        TimeToLiveSpecification: { AttributeName: 'expiresAt', Enabled: true },
      },
    },
    Secret: {
      Type: 'AWS::SecretsManager::Secret',
      Properties: {
        GenerateSecretString: {
          SecretStringTemplate: '{"user":"me"}',
          GenerateStringKey: 'password',
          PasswordLength: 20,
        },
      },
    },
    ...lambda('Data', { Environment: { Variables: { TABLE_NAME: { Ref: 'Table' } } }, Timeout: 10 }),
    DataRole: role([
      { Effect: 'Allow', Action: 'dynamodb:PutItem', Resource: { 'Fn::GetAtt': ['Table', 'Arn'] } },
      {
        Effect: 'Allow',
        Action: 'secretsmanager:GetSecretValue',
        Resource: [{ Ref: 'Secret' }, 'arn:aws:secretsmanager:us-east-1:123456789012:secret:operators-??????'],
      },
    ]),
    DataPolicy: {
      Type: 'AWS::IAM::Policy',
      Properties: {
        PolicyName: 'Read',
        PolicyDocument: {
          Version: '2012-10-17',
          Statement: [{ Effect: 'Allow', Action: 'dynamodb:GetItem', Resource: { 'Fn::GetAtt': ['Table', 'Arn'] } }],
        },
        Roles: [{ Ref: 'DataRole' }],
      },
    },
  };
}

describe('a running stack', () => {
  let stack: RunningStack;
  beforeAll(async () => {
    stack = await startFixture({ ...dataResources(), Output: { Type: 'AWS::Logs::LogGroup' } }, FUNCTIONS, {
      secrets: { operators: 'made by hand' },
    });
  });
  afterAll(() => stack.close());

  test('lets a function do what its role allows', async () => {
    await stack.invoke('Data', { do: 'put', key: 'a' });
    expect(await stack.invoke('Data', { do: 'get', key: 'a' })).toEqual({ pk: { S: 'a' } });
    expect(await stack.invoke('Data', { do: 'get', key: 'b' })).toBeNull();
  });

  test('refuses what its role does not allow, and keeps a record of both', async () => {
    await expect(stack.invoke('Data', { do: 'delete', key: 'a' })).rejects.toThrow(
      /not authorized to perform: dynamodb:DeleteItem/,
    );
    const actions = stack.calls.map(({ action, allowed }) => `${action} ${allowed}`);
    expect(actions).toContain('dynamodb:PutItem true');
    expect(actions).toContain('dynamodb:DeleteItem false');
  });

  test('has the secrets of the template and those that an operator made before', async () => {
    expect(await stack.invoke('Data', { do: 'secret', id: 'operators' })).toBe('made by hand');
  });
});

describe('a generated secret', () => {
  test('is put into its template', async () => {
    const { Data, ...resources } = dataResources() as Record<string, { Properties: Record<string, unknown> }>;
    Data!.Properties.Environment = { Variables: { TABLE_NAME: 'none', SECRET: { Ref: 'Secret' } } };
    const functions = { ...FUNCTIONS, Data: FUNCTIONS.Data.replace('event.id', 'process.env.SECRET') };
    const stack = await startFixture({ ...resources, Data: Data! }, functions);
    try {
      const value = JSON.parse((await stack.invoke('Data', { do: 'secret' })) as string);
      expect(value).toEqual({ user: 'me', password: expect.stringMatching(/^.{20}$/) });
    } finally {
      await stack.close();
    }
  });
});

describe('a rotation schedule', () => {
  const resources = (functionProperties: object = {}, source: object = {}) => ({
    Secret: { Type: 'AWS::SecretsManager::Secret', Properties: { SecretString: 'first' } },
    ...lambda('Rotator', functionProperties),
    RotatorPermission: permission('Rotator', {
      Principal: 'secretsmanager.amazonaws.com',
      SourceArn: { Ref: 'Secret' },
      SourceAccount: { Ref: 'AWS::AccountId' },
      ...source,
    }),
    Schedule: {
      Type: 'AWS::SecretsManager::RotationSchedule',
      DependsOn: 'RotatorPermission',
      Properties: {
        SecretId: { Ref: 'Secret' },
        RotationLambdaARN: { 'Fn::GetAtt': ['Rotator', 'Arn'] },
        RotationRules: { ScheduleExpression: 'rate(30 days)' },
        RotateImmediatelyOnUpdate: false,
      },
    },
  });

  test('is tested alone when it is created', async () => {
    const stack = await startFixture(resources(), FUNCTIONS);
    try {
      expect(await stack.invoke('Rotator', {})).toEqual(['testSecret']);
    } finally {
      await stack.close();
    }
  });

  test('cannot be created where the test fails', async () => {
    const failing = resources({ Environment: { Variables: { FAIL: 'yes' } } });
    await expect(startFixture(failing, FUNCTIONS)).rejects.toThrow(
      'Schedule (AWS::SecretsManager::RotationSchedule) in stack Fixture: Error: cannot be tested',
    );
  });

  test('cannot be created where Secrets Manager may not invoke the function', async () => {
    const forbidden = resources({}, { SourceAccount: '999999999999' });
    await expect(startFixture(forbidden, FUNCTIONS)).rejects.toThrow(
      'secretsmanager.amazonaws.com is not authorized to invoke',
    );
  });
});

describe('local origins', () => {
  const urls = {
    ISSUER: { 'Fn::GetAtt': ['Api', 'ApiEndpoint'] },
    JSON: {
      'Fn::Join': [
        '',
        [
          '{"url":"https://',
          { Ref: 'Api' },
          '.execute-api.',
          { Ref: 'AWS::Region' },
          '.',
          { Ref: 'AWS::URLSuffix' },
          '/path"}',
        ],
      ],
    },
    ARN: { 'Fn::Join': ['', ['arn:aws:execute-api:us-east-1:123456789012:', { Ref: 'Api' }]] },
  };

  test('take the place of the execute-api origins, and of nothing else', async () => {
    const stack = await startFixture(
      { ...lambda('Urls', { Environment: { Variables: urls } }), ...httpApi({ 'GET /': 'Urls' }) },
      FUNCTIONS,
    );
    try {
      expect(await stack.invoke('Urls', {})).toMatchObject({
        ISSUER: stack.issuerOrigin,
        JSON: `{"url":"${stack.issuerOrigin}/path"}`,
        ARN: expect.stringMatching(/^arn:aws:execute-api:us-east-1:123456789012:[a-z0-9]{10}$/),
      });
      expect(stack.origins).toEqual({ Api: stack.issuerOrigin });
      expect(stack.issuerOrigin).toMatch(/^http:\/\/localhost:\d+$/);
    } finally {
      await stack.close();
    }
  });

  test('are those of the ports that are asked for', async () => {
    const rest = prefixed('Rest', restApi([{ path: '/', method: 'GET', integration: 'Urls' }]));
    const first = await startFixture({ ...lambda('Urls'), ...httpApi({ 'GET /': 'Urls' }), ...rest }, FUNCTIONS);
    const ports = { issuer: Number(new URL(first.issuerOrigin!).port), mcp: Number(new URL(first.mcpOrigin!).port) };
    await expect(
      startFixture({ ...lambda('Urls'), ...httpApi({ 'GET /': 'Urls' }) }, FUNCTIONS, { ports }),
    ).rejects.toThrow(`Port ${ports.issuer} is in use.`);
    await first.close();
    const second = await startFixture({ ...lambda('Urls'), ...httpApi({ 'GET /': 'Urls' }), ...rest }, FUNCTIONS, {
      ports,
    });
    try {
      expect([second.issuerOrigin, second.mcpOrigin]).toEqual([
        `http://localhost:${ports.issuer}`,
        `http://localhost:${ports.mcp}`,
      ]);
      expect((await fetch(second.issuerOrigin!)).status).toBe(200);
    } finally {
      await second.close();
    }
  });
});

test('stacks run beside each other in one process', async () => {
  const resources = { ...lambda('Urls'), ...httpApi({ 'GET /': 'Urls' }) };
  const stacks = await Promise.all([1, 2, 3].map(() => startFixture(resources, FUNCTIONS)));
  try {
    expect(new Set(stacks.map(({ issuerOrigin }) => issuerOrigin)).size).toBe(3);
    for (const { issuerOrigin } of stacks) expect((await fetch(issuerOrigin!)).status).toBe(200);
  } finally {
    await Promise.all(stacks.map((stack) => stack.close()));
  }
});

test('a start that fails leaves nothing behind', async () => {
  const resources = {
    ...lambda('Urls'),
    ...httpApi({ 'GET /': 'Urls' }),
    Schedule: { Type: 'Custom::Lost', Properties: { ServiceToken: 'none' } },
  };
  const probe = await startFixture({ ...lambda('Urls'), ...httpApi({ 'GET /': 'Urls' }) }, FUNCTIONS);
  const port = Number(new URL(probe.issuerOrigin!).port);
  await probe.close();
  await expect(startFixture(resources, FUNCTIONS, { ports: { issuer: port } })).rejects.toThrow(
    'There is no Lambda function none',
  );
  await expect(fetch(`http://localhost:${port}/`)).rejects.toThrow('fetch failed');
});
