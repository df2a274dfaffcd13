import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { GetSecretValueCommand, SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import middy from '@middy/core';
import type { APIGatewayProxyEventV2, APIGatewayProxyStructuredResultV2, Context } from 'aws-lambda';
import Keyv from 'keyv';
import type { JWK } from 'oidc-provider';
import serverless from 'serverless-http';
import { CONFIG, type KeySet, type ProviderConfig } from '../../lib/contract.js';
import { KeyvAdapter } from './adapter.js';
import { KeyvOnDynamoDb } from './keyv-on-dynamodb.js';
import { createStockProvider } from './server.js';

export { operations } from './adapter.js';

const config: ProviderConfig = JSON.parse(process.env[CONFIG] ?? '{}');
const secrets = new SecretsManagerClient({});
const keyv = new Keyv({ store: new KeyvOnDynamoDb(new DynamoDBClient({}), config.tableName) });

const secret = async (SecretId: string) =>
  (await secrets.send(new GetSecretValueCommand({ SecretId }))).SecretString ?? '';

const listening = secret(config.keySetSecretArn).then((text) => {
  const provider = createStockProvider({
    config,
    resource: JSON.parse(process.env.RESOURCE ?? '{}'),
    adapter: (model) => new KeyvAdapter(keyv, model),
    jwk: (JSON.parse(text) as KeySet).current.jwk as unknown as JWK,
    clientSecret: () => secret(config.upstream.clientSecretId),
  });
  return serverless(provider.callback());
});

export const handler = middy<APIGatewayProxyEventV2, APIGatewayProxyStructuredResultV2>().handler(
  async (event, context: Context) => (await listening)(event, context) as Promise<APIGatewayProxyStructuredResultV2>,
);
