import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import type { CloudFormationCustomResourceEvent, Context } from 'aws-lambda';
import { CONFIG } from '../../lib/contract';
import { CustomResources } from './custom-resources';

const resources = new CustomResources(
  new SecretsManagerClient({}),
  new DynamoDBClient({}),
  JSON.parse(process.env[CONFIG]!),
);

/** The function behind the custom resources. */
export function handler(event: CloudFormationCustomResourceEvent, context: Context): Promise<void> {
  return resources.handle(event, context);
}
