import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { type StartOptions, startStack } from '../../../local/start';
import { loadAssembly } from '../../../local/template/assembly';
import {
  type FixtureStack,
  lambda,
  permission,
  restApi,
  role,
  startFixture,
  writeAssembly,
} from '../fixtures/assembly';

const LOG_GROUP = { Type: 'AWS::Logs::LogGroup' };

/** The outputs of a stack that has these values as its outputs. */
async function outputs(
  values: Record<string, unknown>,
  stack: Partial<FixtureStack> = {},
  options: Partial<StartOptions> = {},
) {
  const assembly = writeAssembly({
    Only: {
      resources: { Logs: LOG_GROUP },
      ...stack,
      outputs: Object.fromEntries(Object.entries(values).map(([name, Value]) => [name, { Value }])),
    },
  });
  const running = await startStack({ assembly, stateDirectory: join(assembly, 'state'), ...options });
  await running.close();
  return running.outputs;
}

const start = (resources: Record<string, object>, functions: Record<string, string> = {}) =>
  startFixture(resources, functions).then((stack) => stack.close());

describe('intrinsic functions', () => {
  test('are resolved as CloudFormation does', async () => {
    const stack = {
      parameters: { Stage: { Type: 'String' }, Zones: { Type: 'CommaDelimitedList', Default: 'a, b' } },
      mappings: { Sizes: { small: { memory: '128' } } },
      conditions: {
        IsLive: { 'Fn::Equals': [{ Ref: 'Stage' }, 'live'] },
        Either: { 'Fn::Or': [{ Condition: 'IsLive' }, { 'Fn::Equals': ['a', 'b'] }] },
        Both: { 'Fn::And': [{ Condition: 'IsLive' }, { 'Fn::Not': [{ Condition: 'Either' }] }] },
      },
    };
    const values = {
      Ref: { Ref: 'Stage' },
      Pseudo: {
        'Fn::Join': [
          '/',
          [
            { Ref: 'AWS::AccountId' },
            { Ref: 'AWS::Region' },
            { Ref: 'AWS::Partition' },
            { Ref: 'AWS::URLSuffix' },
            { Ref: 'AWS::StackName' },
          ],
        ],
      },
      GetAtt: { 'Fn::GetAtt': ['Logs', 'Arn'] },
      Sub: {
        'Fn::Sub': [
          '$'.concat('{Stage} $'.concat('{Extra} $'.concat('{!Literal} $'.concat('{Logs.Arn}')))),
          { Extra: { Ref: 'AWS::Region' } },
        ],
      },
      Select: { 'Fn::Select': [1, { 'Fn::Split': [',', 'a,b'] }] },
      List: { 'Fn::Select': ['1', { Ref: 'Zones' }] },
      Map: { 'Fn::FindInMap': ['Sizes', 'small', 'memory'] },
      If: { 'Fn::If': ['Either', 'yes', 'no'] },
      IfNot: { 'Fn::If': ['Both', 'yes', 'no'] },
      Base64: { 'Fn::Base64': 'text' },
    };
    const result = await outputs(values, stack, { parameters: { Stage: 'live' } });
    expect(result).toEqual({
      Ref: 'live',
      Pseudo: '123456789012/us-east-1/aws/amazonaws.com/Only',
      GetAtt: expect.stringMatching(/^arn:aws:logs:us-east-1:123456789012:log-group:Only-Logs-\w+:\*$/),
      Sub: expect.stringMatching(/^live us-east-1 \$\{Literal\} arn:aws:logs:/),
      Select: 'b',
      List: 'b',
      Map: '128',
      If: 'yes',
      IfNot: 'no',
      Base64: 'dGV4dA==',
    });
  });

  test('that are not known are named', async () => {
    await expect(outputs({ A: { 'Fn::Cidr': [] } })).rejects.toThrow('The intrinsic function Fn::Cidr');
  });

  test('that refer to nothing are named', async () => {
    await expect(outputs({ A: { Ref: 'Nobody' } })).rejects.toThrow('refers to Nobody');
    await expect(outputs({ A: { 'Fn::GetAtt': ['Logs', 'Colour'] } })).rejects.toThrow('has no attribute Colour');
  });
});

describe('parameters', () => {
  const parameters = {
    Issuer: { Type: 'String', AllowedPattern: 'https?://.+', ConstraintDescription: 'An origin, please.' },
    Name: { Type: 'String' },
    Size: { Type: 'String', Default: 'small', AllowedValues: ['small', 'large'] },
  };

  test('that have no value are all named', async () => {
    await expect(outputs({}, { parameters })).rejects.toThrow(
      'Stack Only needs a value for its parameters Issuer, Name.',
    );
  });

  test('are held to their declaration', async () => {
    const given = (values: Record<string, string>) =>
      outputs({ A: { Ref: 'Size' } }, { parameters }, { parameters: { Issuer: 'https://a', Name: 'n', ...values } });
    await expect(given({ Issuer: 'ftp://a' })).rejects.toThrow(
      '"ftp://a" of parameter Issuer of stack Only does not match https?://.+. An origin, please.',
    );
    await expect(given({ Size: 'huge' })).rejects.toThrow('is none of small, large');
    await expect(given({})).resolves.toEqual({ A: 'small' });
    await expect(given({ Size: 'large' })).resolves.toEqual({ A: 'large' });
  });
});

describe('several stacks', () => {
  test('are created in the order of their dependencies and can use what others export', async () => {
    const assembly = writeAssembly({
      Second: {
        after: ['First'],
        resources: { Logs: LOG_GROUP },
        outputs: {
          Imported: { Value: { 'Fn::ImportValue': 'FirstLogs' } },
          Taken: { Value: { 'Fn::GetStackOutput': { StackName: 'First', OutputName: 'Name' } } },
        },
      },
      First: {
        resources: { Logs: { ...LOG_GROUP, Properties: { LogGroupName: 'of-the-first' } } },
        outputs: { Name: { Value: { Ref: 'Logs' }, Export: { Name: 'FirstLogs' } } },
      },
    });
    expect(loadAssembly(assembly).map(({ name }) => name)).toEqual(['First', 'Second']);
    const running = await startStack({ assembly, stateDirectory: join(assembly, 'state') });
    await running.close();
    expect(running.outputs).toMatchObject({ Imported: 'of-the-first', Taken: 'of-the-first' });
  });
});

describe('a start is refused', () => {
  test('where there is no assembly', async () => {
    const directory = mkdtempSync(join(tmpdir(), 'empty-'));
    await expect(startStack({ assembly: directory })).rejects.toThrow('holds no cloud assembly');
  });

  test('with every type and property that is not known, and where it is', async () => {
    const failure = await start({
      Queue: { Type: 'AWS::SQS::Queue' },
      ...lambda('Fn', { FileSystemConfigs: {}, Environment: { Secrets: {} } }),
      Api: { Type: 'AWS::ApiGatewayV2::Api', Properties: { ProtocolType: 'HTTP', CorsConfiguration: {} } },
    }).catch((error: Error) => error.message);
    expect(failure).toContain('AWS::SQS::Queue (Queue in stack Fixture)');
    expect(failure).toContain('AWS::Lambda::Function FileSystemConfigs (Fn in stack Fixture)');
    expect(failure).toContain('AWS::Lambda::Function Environment.Secrets (Fn in stack Fixture)');
    expect(failure).toContain('AWS::ApiGatewayV2::Api CorsConfiguration (Api in stack Fixture)');
  });

  test('where resources depend on each other', async () => {
    await expect(
      start({
        A: { ...LOG_GROUP, DependsOn: 'B' },
        B: { ...LOG_GROUP, DependsOn: ['C'] },
        C: { ...LOG_GROUP, Properties: { LogGroupName: { Ref: 'A' } } },
      }),
    ).rejects.toThrow('A -> B -> C -> A');
  });

  test('for a function that Lambda would not take', async () => {
    const functions = { Fn: 'exports.handler = async () => null;' };
    await expect(start(lambda('Fn', { Runtime: 'nodejs20.x' }), functions)).rejects.toThrow(
      'The function is for nodejs20.x',
    );
    await expect(start(lambda('Fn'), {})).rejects.toThrow('The code Fn.zip is no directory among the assets');
    const environment = (Variables: object) => start(lambda('Fn', { Environment: { Variables } }), functions);
    await expect(environment({ A: 'x'.repeat(4096) })).rejects.toThrow('have 4097 bytes');
    await expect(environment({ AWS_REGION: 'eu-west-1' })).rejects.toThrow('AWS_REGION is reserved');
    const unassumable = role() as { Properties: { AssumeRolePolicyDocument: object } };
    unassumable.Properties.AssumeRolePolicyDocument = { Statement: [] };
    await expect(start({ ...lambda('Fn'), FnRole: unassumable }, functions)).rejects.toThrow(
      'cannot be assumed by Lambda',
    );
  });

  test('for a managed policy whose content is not known', async () => {
    const Properties = {
      ...(role() as { Properties: object }).Properties,
      ManagedPolicyArns: ['arn:aws:iam::aws:policy/AdministratorAccess'],
    };
    await expect(start({ Role: { Type: 'AWS::IAM::Role', Properties } })).rejects.toThrow('AdministratorAccess');
  });

  test('for a mock integration that would need more than static text', async () => {
    const mock = (integration: object, responses = [{ StatusCode: '200' }]) =>
      start(restApi([{ path: '/', method: 'GET', integration: { Type: 'MOCK', ...integration }, responses }]));
    await expect(
      mock({ IntegrationResponses: [{ StatusCode: '200', ResponseTemplates: { 'application/json': '$input.body' } }] }),
    ).rejects.toThrow('"$input"');
    await expect(
      mock({
        IntegrationResponses: [{ StatusCode: '200', ResponseParameters: { 'method.response.header.X': "'1'" } }],
      }),
    ).rejects.toThrow('which the method response 200 does not declare');
    await expect(mock({ IntegrationResponses: [{ StatusCode: '404' }] })).rejects.toThrow(
      'no method response declares',
    );
  });

  test('for a permission on a function that is not there', async () => {
    const lost = permission('Fn', { FunctionName: 'nobody' });
    await expect(start({ Permission: lost })).rejects.toThrow('There is no function nobody');
  });
});

test('a resource whose condition does not hold is left out, and so is a property without a value', async () => {
  const assembly = writeAssembly(
    {
      Only: {
        conditions: { Never: { 'Fn::Equals': ['a', 'b'] } },
        resources: {
          Absent: { ...LOG_GROUP, Condition: 'Never' },
          ...lambda('Fn', {
            Environment: {
              Variables: {
                A: { 'Fn::If': ['Never', 'x', { Ref: 'AWS::NoValue' }] },
                B: { 'Fn::If': ['Never', 'x', 'y'] },
              },
            },
          }),
        },
      },
    },
    { Fn: 'exports.handler = async () => ({ a: process.env.A, b: process.env.B });' },
  );
  const running = await startStack({ assembly, stateDirectory: join(assembly, 'state') });
  try {
    expect(await running.invoke('Fn', {})).toEqual({ b: 'y' });
  } finally {
    await running.close();
  }
});
