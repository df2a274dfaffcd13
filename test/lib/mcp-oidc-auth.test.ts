import { Duration, RemovalPolicy, type Stack } from 'aws-cdk-lib';
import { Annotations, Match } from 'aws-cdk-lib/assertions';
import { RetentionDays } from 'aws-cdk-lib/aws-logs';
import { McpOidcAuth, type McpOidcAuthProps } from 'mcp-oidc-auth';
import { beforeAll, describe, expect, test } from 'vitest';
import { ROUTES } from '../../lib/contract';
import { configOf, idOf, newAuth, newStack, ofType, permissionsOf, resources, text, upstream } from './synth';

const NOTES = {
  identifier: 'https://mcp.example.com/notes',
  scopes: [{ name: 'notes:read', description: 'Read your notes' }],
};

let stack: Stack;
beforeAll(() => {
  stack = newStack();
  newAuth(stack, { resources: [NOTES] });
});

const properties = (id: string) => resources(stack)[id]?.Properties;

describe('the table', () => {
  test('has pk and sk, forgets by expiresAt, can be restored to a point in time, and outlives the stack', () => {
    const [[, table]] = ofType(stack, 'AWS::DynamoDB::GlobalTable') as [[string, never]];
    expect(table).toMatchObject({
      DeletionPolicy: 'Retain',
      UpdateReplacePolicy: 'Retain',
      Properties: {
        BillingMode: 'PAY_PER_REQUEST',
        KeySchema: [
          { AttributeName: 'pk', KeyType: 'HASH' },
          { AttributeName: 'sk', KeyType: 'RANGE' },
        ],
        TimeToLiveSpecification: { AttributeName: 'expiresAt', Enabled: true },
        Replicas: [{ PointInTimeRecoverySpecification: { PointInTimeRecoveryEnabled: true } }],
      },
    });
  });
});

describe('the key set secret', () => {
  test('is created empty, says that nobody edits it, and outlives the stack', () => {
    const [[, secret]] = ofType(stack, 'AWS::SecretsManager::Secret') as [[string, never]];
    expect(secret).toMatchObject({ DeletionPolicy: 'Retain', UpdateReplacePolicy: 'Retain' });
    expect(properties(idOf(stack, 'AWS::SecretsManager::Secret'))).toEqual({
      Description: expect.stringMatching(/^Edited by nobody: /),
    });
  });

  test('gets its first value before the front door opens', () => {
    const firstKeySet = idOf(stack, 'Custom::McpOidcAuthKeySet');
    expect(properties(firstKeySet)).toEqual({
      ServiceToken: { 'Fn::GetAtt': [idOf(stack, 'AWS::Lambda::Function', 'AuthOnDeploy'), 'Arn'] },
      ServiceTimeout: '300',
      Secret: { Ref: idOf(stack, 'AWS::SecretsManager::Secret') },
    });
    expect(resources(stack)[idOf(stack, 'AWS::ApiGatewayV2::Stage')]?.DependsOn).toContain(firstKeySet);
  });

  test('is rotated every 30 days, but not before there is a first value and a permission', () => {
    const [[, schedule]] = ofType(stack, 'AWS::SecretsManager::RotationSchedule') as [[string, never]];
    const rotate = idOf(stack, 'AWS::Lambda::Function', 'AuthKeyRotation');
    expect(schedule).toMatchObject({
      DependsOn: expect.arrayContaining([
        idOf(stack, 'Custom::McpOidcAuthKeySet'),
        idOf(stack, 'AWS::Lambda::Permission', 'AuthKeyRotation'),
      ]),
      Properties: {
        SecretId: { Ref: idOf(stack, 'AWS::SecretsManager::Secret') },
        RotationLambdaARN: { 'Fn::GetAtt': [rotate, 'Arn'] },
        RotateImmediatelyOnUpdate: false,
        RotationRules: { ScheduleExpression: 'rate(30 days)' },
      },
    });
  });

  test('lets Secrets Manager call the rotation for this account and this secret only', () => {
    expect(properties(idOf(stack, 'AWS::Lambda::Permission', 'AuthKeyRotation'))).toEqual({
      Action: 'lambda:InvokeFunction',
      FunctionName: { 'Fn::GetAtt': [idOf(stack, 'AWS::Lambda::Function', 'AuthKeyRotation'), 'Arn'] },
      Principal: 'secretsmanager.amazonaws.com',
      SourceAccount: { Ref: 'AWS::AccountId' },
      SourceArn: { Ref: idOf(stack, 'AWS::SecretsManager::Secret') },
    });
  });

  test('publishes the next key for longer than any known cache, and a retired one for a token longer', () => {
    const rotation = configOf(stack, 'AuthKeyRotationFunction');
    expect(rotation.minimumPublication).toBe(2 * 3600 + 4 * 60);
    expect(rotation.retirement).toBe(3600 + rotation.minimumPublication);
  });
});

describe('the front door', () => {
  test('has exactly the routes of the contract, one for each method, all to the provider', () => {
    const routes = ofType(stack, 'AWS::ApiGatewayV2::Route').map(([, route]) => route.Properties);
    expect(routes.map((route) => route.RouteKey).sort()).toEqual(
      ROUTES.flatMap(({ path, methods }) => methods.map((method) => `${method} ${path}`)).sort(),
    );
    const integration = idOf(stack, 'AWS::ApiGatewayV2::Integration');
    expect(new Set(routes.map((route) => text(route.Target)))).toEqual(new Set([`integrations/<${integration}>`]));
    expect(properties(integration)).toMatchObject({
      IntegrationType: 'AWS_PROXY',
      PayloadFormatVersion: '2.0',
      IntegrationUri: { 'Fn::GetAtt': [idOf(stack, 'AWS::Lambda::Function', 'AuthProvider'), 'Arn'] },
    });
  });

  test('opens at the root, deploys by itself, and is throttled', () => {
    expect(properties(idOf(stack, 'AWS::ApiGatewayV2::Stage'))).toMatchObject({
      StageName: '$default',
      AutoDeploy: true,
      DefaultRouteSettings: { ThrottlingRateLimit: 50, ThrottlingBurstLimit: 100 },
    });
  });

  test('keeps access logs without paths and query strings, which carry codes and handles', () => {
    const { AccessLogSettings } = properties(idOf(stack, 'AWS::ApiGatewayV2::Stage'));
    const format = JSON.parse(AccessLogSettings.Format);
    expect(format).toMatchObject({ requestId: '$context.requestId', route: '$context.routeKey' });
    expect(Object.values(format).filter((field) => /path|query|cookie/i.test(String(field)))).toEqual([]);
    expect(text(AccessLogSettings.DestinationArn)).toBe(
      `<${idOf(stack, 'AWS::Logs::LogGroup', 'AuthFrontDoorAccessLogs')}.Arn>`,
    );
  });

  test('may call the provider through one permission', () => {
    const permissions = ofType(stack, 'AWS::Lambda::Permission').filter(
      ([, permission]) => permission.Properties.Principal === 'apigateway.amazonaws.com',
    );
    expect(permissions.map(([, permission]) => text(permission.Properties.SourceArn))).toEqual([
      `arn:<AWS::Partition>:execute-api:<AWS::Region>:<AWS::AccountId>:<${idOf(stack, 'AWS::ApiGatewayV2::Api')}>/*/*/*`,
    ]);
  });
});

describe('the functions', () => {
  test('run on nodejs24.x and ARM64 with CONFIG as their whole environment', () => {
    const functions = ofType(stack, 'AWS::Lambda::Function');
    expect(functions.map(([id]) => id.slice(0, -8)).sort()).toEqual([
      'AuthKeyRotationFunction',
      'AuthOnDeploy',
      'AuthProvider',
    ]);
    for (const [, { Properties }] of functions) {
      expect(Properties).toMatchObject({ Runtime: 'nodejs24.x', Architectures: ['arm64'], Handler: 'index.handler' });
      expect(Object.keys(Properties.Environment.Variables)).toEqual(['CONFIG']);
    }
  });

  test('have log groups of their own that forget after a month', () => {
    const groups = ofType(stack, 'AWS::Logs::LogGroup');
    expect(groups.map(([, group]) => group.Properties.RetentionInDays)).toEqual(groups.map(() => 30));
    const used = ofType(stack, 'AWS::Lambda::Function').map(([, fn]) => text(fn.Properties.LoggingConfig.LogGroup));
    expect(new Set(used).size).toBe(3);
    for (const group of used) {
      expect(groups.map(([id]) => `<${id}>`)).toContain(group);
    }
  });

  test('learn what they need: the provider', () => {
    const api = idOf(stack, 'AWS::ApiGatewayV2::Api');
    expect(configOf(stack, 'AuthProvider')).toEqual({
      issuer: `<${api}.ApiEndpoint>`,
      clientMetadata: { internalHosts: [], deniedHosts: [] },
      registration: { perAddress: 20, inAll: 1000, sharedEgress: ['160.79.104.0/21'] },
      tableName: `<${idOf(stack, 'AWS::DynamoDB::GlobalTable')}>`,
      keySetSecretArn: `<${idOf(stack, 'AWS::SecretsManager::Secret')}>`,
      upstream: {
        issuer: 'https://idp.example.com',
        clientId: 'mcp',
        clientSecretId: 'upstream',
        scopes: ['openid', 'profile', 'email'],
        extraParameters: {},
        allow: [],
        claims: [],
        recheck: 3600,
      },
      lifetimes: {
        accessToken: 3600,
        authorizationCode: 60,
        interaction: 900,
        refreshTokenIdle: 30 * 86400,
        grant: 180 * 86400,
        refreshGrace: 60,
        refreshLateRetry: 86_400,
        client: 90 * 86400,
      },
      dpop: false,
      keySetRefresh: 60,
    });
  });
});

describe('the roles', () => {
  const own = (name: string) => [
    `Allow logs:CreateLogStream on <${idOf(stack, 'AWS::Logs::LogGroup', `${name}Logs`)}.Arn>`,
    `Allow logs:PutLogEvents on <${idOf(stack, 'AWS::Logs::LogGroup', `${name}Logs`)}.Arn>`,
  ];
  const table = () => `<${idOf(stack, 'AWS::DynamoDB::GlobalTable')}.Arn>`;
  const keySet = () => `<${idOf(stack, 'AWS::SecretsManager::Secret')}>`;

  test('let the provider use the table without Scan, and read two secrets', () => {
    expect(permissionsOf(stack, 'AuthProviderRole')).toEqual(
      [
        ...['BatchGetItem', 'DeleteItem', 'PutItem', 'Query', 'UpdateItem'].map(
          (action) => `Allow dynamodb:${action} on ${table()}`,
        ),
        ...own('AuthProvider'),
        `Allow secretsmanager:GetSecretValue on ${keySet()}`,
        'Allow secretsmanager:GetSecretValue on arn:<AWS::Partition>:secretsmanager:<AWS::Region>:<AWS::AccountId>:secret:upstream-??????',
      ].sort(),
    );
  });

  test('let the rotation turn the key set over and nothing else', () => {
    expect(permissionsOf(stack, 'AuthKeyRotation')).toEqual([
      ...own('AuthKeyRotationFunction'),
      ...['DescribeSecret', 'GetSecretValue', 'PutSecretValue', 'UpdateSecretVersionStage'].map(
        (action) => `Allow secretsmanager:${action} on ${keySet()}`,
      ),
    ]);
  });

  test('let the deployment write registered resources and clients, no other record, and the first key set', () => {
    const only = ' if {"ForAllValues:StringLike":{"dynamodb:LeadingKeys":["resources","client#*"]}}';
    expect(permissionsOf(stack, 'AuthOnDeployRole')).toEqual([
      `Allow dynamodb:DeleteItem on ${table()}${only}`,
      `Allow dynamodb:PutItem on ${table()}${only}`,
      ...own('AuthOnDeploy'),
      `Allow secretsmanager:GetSecretValue on ${keySet()}`,
      `Allow secretsmanager:PutSecretValue on ${keySet()}`,
    ]);
  });

  test('have no managed policies, and Lambda alone may take them', () => {
    for (const [, { Properties }] of ofType(stack, 'AWS::IAM::Role')) {
      expect(Properties).toEqual({
        AssumeRolePolicyDocument: {
          Version: '2012-10-17',
          Statement: [{ Effect: 'Allow', Action: 'sts:AssumeRole', Principal: { Service: 'lambda.amazonaws.com' } }],
        },
      });
    }
  });
});

describe('resources', () => {
  test('are registered by a custom resource with their record as JSON', () => {
    const { ServiceToken, Resource } = properties(idOf(stack, 'Custom::McpOidcAuthProtectedResource'));
    expect(text(ServiceToken)).toBe(`<${idOf(stack, 'AWS::Lambda::Function', 'AuthOnDeploy')}.Arn>`);
    expect(JSON.parse(Resource)).toEqual({
      identifier: NOTES.identifier,
      scopes: [{ name: 'notes:read', description: 'Read your notes', default: true, implies: [] }],
      default: false,
    });
  });

  test('keep their logical ids when their order changes', () => {
    const ids = (identifiers: string[]) => {
      const other = newStack();
      newAuth(other, { resources: identifiers.map((identifier) => ({ ...NOTES, identifier })) });
      return Object.fromEntries(
        ofType(other, 'Custom::McpOidcAuthProtectedResource').map(([id, { Properties }]) => [
          JSON.parse(Properties.Resource).identifier,
          id,
        ]),
      );
    };
    expect(ids(['https://b.example.com', 'https://a.example.com'])).toEqual(
      ids(['https://a.example.com', 'https://b.example.com']),
    );
  });

  test('must differ, and one at most is the default', () => {
    expect(() => newAuth(newStack(), { resources: [NOTES, NOTES] })).toThrow(
      "McpOidcAuth: resources must have different identifiers, got 'https://mcp.example.com/notes' twice.",
    );
    const slash = { ...NOTES, identifier: 'https://mcp.example.com/notes/' };
    expect(() => newAuth(newStack(), { resources: [NOTES, slash] })).toThrow(
      "McpOidcAuth: resources must have identifiers that differ in more than slashes at their end, got 'https://mcp.example.com/notes' and 'https://mcp.example.com/notes/'.",
    );
    const twoDefaults = [
      { ...NOTES, default: true },
      { ...NOTES, identifier: 'https://other.example.com', default: true },
    ];
    expect(() => newAuth(newStack(), { resources: twoDefaults })).toThrow(
      "McpOidcAuth: at most one resource must be the default, got 'https://mcp.example.com/notes' and 'https://other.example.com'.",
    );
  });
});

describe('props', () => {
  test('removalPolicy, keyRotation, logRetention, throttle and functionOptions arrive', () => {
    const other = newStack();
    newAuth(other, {
      removalPolicy: RemovalPolicy.DESTROY,
      keyRotation: Duration.hours(12),
      logRetention: RetentionDays.ONE_WEEK,
      throttle: { rateLimit: 5, burstLimit: 7 },
      functionOptions: {
        memorySize: 512,
        timeout: Duration.seconds(10),
        environment: { NODE_EXTRA_CA_CERTS: '/var/task/ca.pem' },
        reservedConcurrentExecutions: 3,
      },
    });
    const find = (type: string, prefix?: string) => resources(other)[idOf(other, type, prefix)];
    expect(find('AWS::DynamoDB::GlobalTable')?.DeletionPolicy).toBe('Delete');
    expect(find('AWS::SecretsManager::Secret')?.DeletionPolicy).toBe('Delete');
    expect(find('AWS::SecretsManager::RotationSchedule')?.Properties.RotationRules).toEqual({
      ScheduleExpression: 'rate(12 hours)',
    });
    expect(ofType(other, 'AWS::Logs::LogGroup').map(([, group]) => group.Properties.RetentionInDays)).toEqual([
      7, 7, 7, 7,
    ]);
    expect(find('AWS::ApiGatewayV2::Stage')?.Properties.DefaultRouteSettings).toEqual({
      ThrottlingRateLimit: 5,
      ThrottlingBurstLimit: 7,
    });
    expect(find('AWS::Lambda::Function', 'AuthProvider')?.Properties).toMatchObject({
      MemorySize: 512,
      Timeout: 10,
      ReservedConcurrentExecutions: 3,
      Environment: { Variables: { NODE_EXTRA_CA_CERTS: '/var/task/ca.pem' } },
    });
  });

  test.each([
    [{ keyRotation: Duration.hours(3) }, 'keyRotation must be at least 4 hours, got 3 hours.'],
    [{ keyRotation: Duration.days(1001) }, 'keyRotation must be at most 1000 days, got 1001 days.'],
    [{ keyRotation: Duration.minutes(270) }, 'keyRotation must be a whole number of hours, got 4 hours 30 minutes.'],
    [
      { functionOptions: { timeout: Duration.minutes(1) } },
      'functionOptions.timeout must be at most 30 seconds, got 1 minute.',
    ],
    [
      { functionOptions: { timeout: Duration.seconds(1) } },
      'functionOptions.timeout must be at least 5 seconds, got 1 second.',
    ],
    [
      { functionOptions: { memorySize: 64 } },
      'functionOptions.memorySize must be a whole number, from 256 to 10240, got 64.',
    ],
    [
      { functionOptions: { reservedConcurrentExecutions: 0 } },
      'functionOptions.reservedConcurrentExecutions must be a whole number, at least 1, got 0.',
    ],
    [{ throttle: {} }, 'throttle.rateLimit must be a whole number, at least 1, got nothing.'],
    [{ throttle: { rateLimit: -1, burstLimit: 1 } }, 'throttle.rateLimit must be a whole number, at least 1, got -1.'],
    [{ throttle: { rateLimit: 50 } }, 'throttle.burstLimit must be a whole number, at least 1, got nothing.'],
    [
      { functionOptions: { environment: { CONFIG: 'x' } } },
      "functionOptions.environment must not have 'CONFIG': the function's own configuration is there.",
    ],
  ])('%o are refused', (props, message) => {
    expect(() => newAuth(newStack(), props)).toThrow(`McpOidcAuth: ${message}`);
  });

  test.each([
    [undefined, 'nothing'],
    [{}, 'nothing'],
    [{ upstream: { issuer: 'https://idp.example.com' } }, 'an object'],
  ])('%o are refused for their upstream', (props, got) => {
    expect(() => new McpOidcAuth(newStack(), 'Auth', props as McpOidcAuthProps)).toThrow(
      `McpOidcAuth: upstream must be an UpstreamIdp, for example UpstreamIdp.oidc(...), got ${got}.`,
    );
  });

  test('a configuration that does not fit into the environment of a function is refused', () => {
    const values = Array.from({ length: 300 }, (_, index) => `person${index}@example.com`);
    const other = newStack();
    expect(() => newAuth(other, { upstream: upstream(other, { allow: [{ claim: 'email', values }] }) })).toThrow(
      /^McpOidcAuth: the configuration of Stack\/Auth\/Provider must fit into 4096 bytes of environment, got \d+: use fewer/,
    );
  });
});

describe('a warning', () => {
  test('says that everyone may sign in where nobody is kept out', () => {
    Annotations.fromStack(stack).hasWarning(
      '/Stack/Auth',
      Match.stringLikeRegexp('Everyone that the upstream .*mcp-oidc-auth:everyoneMaySignIn'),
    );
  });

  test('stays away where somebody is', () => {
    const other = newStack();
    newAuth(other, { upstream: upstream(other, { allow: [{ claim: 'email', values: ['@example.com'] }] }) });
    Annotations.fromStack(other).hasNoWarning('*', Match.anyValue());
  });
});

test('URLs hang below the issuer', () => {
  const other = newStack();
  const auth = newAuth(other);
  expect(auth.discoveryUrl).toBe(`${auth.issuer}/.well-known/openid-configuration`);
  expect(auth.jwksUrl).toBe(`${auth.issuer}/jwks`);
  expect(auth.callbackUrl).toBe(`${auth.issuer}/callback`);
});
