import { API_GATEWAY } from './api-gateway';
import { API_GATEWAY_V2 } from './api-gateway-v2';
import { CLOUDWATCH } from './cloudwatch';
import { CUSTOM_RESOURCE } from './custom-resource';
import { DYNAMODB } from './dynamodb';
import { EC2 } from './ec2';
import { IAM } from './iam';
import { KMS } from './kms';
import { LAMBDA } from './lambda';
import { LOGS } from './logs';
import type { ResourceType } from './resource-type';
import { SECRETS_MANAGER } from './secrets-manager';
import { SNS } from './sns';

const TYPES: Readonly<Record<string, ResourceType>> = {
  ...API_GATEWAY,
  ...API_GATEWAY_V2,
  ...CLOUDWATCH,
  ...DYNAMODB,
  ...EC2,
  ...IAM,
  ...KMS,
  ...LAMBDA,
  ...LOGS,
  ...SECRETS_MANAGER,
  ...SNS,
  'AWS::CDK::Metadata': { properties: [], create: ({ logicalId }) => ({ ref: logicalId, attributes: {} }) },
  'AWS::CloudFormation::CustomResource': CUSTOM_RESOURCE,
};

/** How a resource of this CloudFormation type is created here. */
export function resourceType(name: string): ResourceType | undefined {
  return name.startsWith('Custom::') ? CUSTOM_RESOURCE : TYPES[name];
}
