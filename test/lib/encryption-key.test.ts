import { Key } from 'aws-cdk-lib/aws-kms';
import { describe, expect, test } from 'vitest';
import { newAuth, newStack, ofType, permissionsOf, type Resource, restApi, SCOPES, text } from './synth';

describe('encryptionKey', () => {
  const stack = newStack();
  const key = new Key(stack, 'Key');
  const auth = newAuth(stack, { encryptionKey: key });
  const { api, integration } = restApi(stack);
  auth.protectRestApi(api, { integration, scopes: SCOPES });

  const [[keyId, { Properties: keyProperties }]] = ofType(stack, 'AWS::KMS::Key') as [[string, Resource]];
  const arn = `<${keyId}.Arn>`;

  test('is that of the table, of the key set secret and of every log group', () => {
    const [[, table]] = ofType(stack, 'AWS::DynamoDB::GlobalTable') as [[string, Resource]];
    const [[, secret]] = ofType(stack, 'AWS::SecretsManager::Secret') as [[string, Resource]];
    expect(JSON.stringify(table)).toContain(JSON.stringify({ KMSMasterKeyId: { 'Fn::GetAtt': [keyId, 'Arn'] } }));
    expect(text(secret.Properties.KmsKeyId)).toBe(arn);
    const groups = ofType(stack, 'AWS::Logs::LogGroup');
    expect(groups.length).toBeGreaterThan(3);
    for (const [id, { Properties }] of groups) expect(text(Properties.KmsKeyId), id).toBe(arn);
  });

  test('may be used by CloudWatch Logs for the log groups of this account and region', () => {
    const statements: Record<string, unknown>[] = keyProperties.KeyPolicy.Statement;
    const [ofLogs] = statements.filter(({ Principal }) => JSON.stringify(Principal).includes('logs.'));
    expect(ofLogs).toMatchObject({
      Effect: 'Allow',
      Principal: { Service: { 'Fn::Join': ['', ['logs.', { Ref: 'AWS::Region' }, '.amazonaws.com']] } },
    });
    const { ArnLike } = ofLogs!.Condition as { ArnLike: Record<string, unknown> };
    expect(text(ArnLike['kms:EncryptionContext:aws:logs:arn'])).toBe(
      'arn:<AWS::Partition>:logs:<AWS::Region>:<AWS::AccountId>:log-group:*',
    );
  });

  test.each([
    ['AuthProvider', ['kms:Decrypt through dynamodb', 'kms:Decrypt through secretsmanager']],
    ['AuthKeyRotation', ['kms:Decrypt through secretsmanager', 'kms:GenerateDataKey through secretsmanager']],
    [
      'AuthOnDeploy',
      [
        'kms:Decrypt through dynamodb',
        'kms:Decrypt through secretsmanager',
        'kms:GenerateDataKey through secretsmanager',
      ],
    ],
    ['ApiMcpOidcAuthAuthorizer', []],
  ])('may be used by %s through services only: %j', (role, expected) => {
    const uses = permissionsOf(stack, role).filter((permission) => permission.includes('kms:'));
    const short = uses.map((permission) => {
      const [, action, on, service] =
        /^Allow (\S+) on (\S+) if .*"kms:ViaService":.*?"(dynamodb|secretsmanager)\./.exec(permission) ?? [];
      expect(on).toBe(arn);
      return `${action} through ${service}`;
    });
    expect(short).toEqual(expected);
  });
});
