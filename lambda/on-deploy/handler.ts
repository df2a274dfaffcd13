import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import type { CloudFormationCustomResourceEvent, Context } from 'aws-lambda';
import { CONFIG } from '../../lib/contract';
import { lambdaLog } from '../lambda-log';
import { currentRequest, logTo } from '../provider/log';
import { CustomResources } from './custom-resources';

logTo(lambdaLog());
const resources = new CustomResources(
  new SecretsManagerClient({}),
  new DynamoDBClient({}),
  JSON.parse(process.env[CONFIG]!),
);

/** The function behind the custom resources. */
export function handler(event: CloudFormationCustomResourceEvent, context: Context): Promise<void> {
  return currentRequest.run({ id: event.RequestId }, () => resources.handle(event, context));
}
