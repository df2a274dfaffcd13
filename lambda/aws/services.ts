import { ConditionalCheckFailedException, type DynamoDBClient } from '@aws-sdk/client-dynamodb';
import type { SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import { type JsonService, LambdaClient, type LambdaClientOptions } from './lambda-client.js';

/** API version 2012-08-10. */
export const DYNAMODB: JsonService = {
  name: 'dynamodb',
  target: 'DynamoDB_20120810',
  version: '1.0',
  endpointVariable: 'AWS_ENDPOINT_URL_DYNAMODB',
  errors: { ConditionalCheckFailedException },
};

/** API version 2017-10-17. */
export const SECRETS_MANAGER: JsonService = {
  name: 'secretsmanager',
  target: 'secretsmanager',
  version: '1.1',
  endpointVariable: 'AWS_ENDPOINT_URL_SECRETS_MANAGER',
  errors: {},
};

export function dynamoDb(options: LambdaClientOptions, environment = process.env): LambdaClient<DynamoDBClient> {
  return new LambdaClient(DYNAMODB, options, environment);
}

export function secretsManager(
  options: LambdaClientOptions,
  environment = process.env,
): LambdaClient<SecretsManagerClient> {
  return new LambdaClient(SECRETS_MANAGER, options, environment);
}
