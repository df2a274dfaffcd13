import { arn } from '../account';
import type { JsonObject } from '../json';
import { shortId } from './physical-id';
import type { ResourceType } from './resource-type';

export const KMS: Record<string, ResourceType> = {
  'AWS::KMS::Key': {
    properties: ['KeyPolicy'],
    create({ stack, logicalId, properties }, deployment) {
      const id = shortId(stack.name, logicalId, 36);
      const keyArn = arn('kms', `key/${id}`);
      deployment.keys.add(keyArn, properties.KeyPolicy as JsonObject | undefined);
      return { ref: id, attributes: { Arn: keyArn, KeyId: id } };
    },
  },
  'AWS::KMS::Alias': {
    properties: ['AliasName', 'TargetKeyId'],
    create({ properties }, deployment) {
      const name = String(properties.AliasName);
      deployment.keys.addAlias(name, String(properties.TargetKeyId));
      return { ref: name, attributes: { AliasName: name } };
    },
  },
};
