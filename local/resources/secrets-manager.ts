import { type RandomPasswordOptions, randomPassword } from '../aws/random-password';
import type { JsonObject } from '../json';
import { StartError } from '../start-error';
import { physicalName } from './physical-id';
import type { ResourceType } from './resource-type';

export const SECRETS_MANAGER: Record<string, ResourceType> = {
  'AWS::SecretsManager::Secret': {
    properties: ['Description', 'GenerateSecretString', 'KmsKeyId', 'Name', 'SecretString'],
    create({ stack, logicalId, properties }, deployment) {
      const { Description, GenerateSecretString, KmsKeyId, Name, SecretString } = properties;
      const value = GenerateSecretString ? generated(GenerateSecretString as JsonObject) : SecretString;
      const { arn } = deployment.secretsManager.createSecret({
        name: String(Name ?? physicalName(stack.name, logicalId, 255)),
        key: deployment.keys.useOf(KmsKeyId === undefined ? undefined : String(KmsKeyId), 'secretsmanager'),
        ...(value === undefined ? {} : { value: String(value) }),
        ...(Description === undefined ? {} : { description: String(Description) }),
      });
      return { ref: arn, attributes: { Id: arn } };
    },
  },
  'AWS::SecretsManager::ResourcePolicy': {
    properties: ['ResourcePolicy', 'SecretId'],
    create({ properties }, deployment) {
      const secretArn = String(properties.SecretId);
      deployment.secretsManager.setResourcePolicy(secretArn, properties.ResourcePolicy as JsonObject);
      return { ref: secretArn, attributes: { Id: secretArn } };
    },
  },
  'AWS::SecretsManager::RotationSchedule': {
    properties: [
      'RotateImmediatelyOnUpdate',
      'RotationLambdaARN',
      'RotationRules.AutomaticallyAfterDays',
      'RotationRules.ScheduleExpression',
      'SecretId',
    ],
    async create({ properties }, deployment) {
      const secretArn = String(properties.SecretId);
      const { AutomaticallyAfterDays, ScheduleExpression } = (properties.RotationRules ?? {}) as JsonObject;
      if (ScheduleExpression === undefined && AutomaticallyAfterDays === undefined) {
        throw new StartError('RotationRules needs ScheduleExpression or AutomaticallyAfterDays.');
      }
      await deployment.secretsManager.setRotation({
        secretArn,
        functionArn: String(properties.RotationLambdaARN),
        scheduleExpression: String(ScheduleExpression ?? `rate(${AutomaticallyAfterDays} days)`),
        rotateImmediately: properties.RotateImmediatelyOnUpdate !== false,
      });
      return { ref: secretArn, attributes: { Id: secretArn } };
    },
  },
};

function generated({ SecretStringTemplate, GenerateStringKey, ...options }: JsonObject): string {
  const password = randomPassword(options as RandomPasswordOptions);
  if (SecretStringTemplate === undefined) return password;
  return JSON.stringify({ ...JSON.parse(String(SecretStringTemplate)), [String(GenerateStringKey)]: password });
}
