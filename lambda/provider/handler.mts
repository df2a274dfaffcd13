import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import middy from '@middy/core';
import type { APIGatewayProxyEventV2, APIGatewayProxyStructuredResultV2 } from 'aws-lambda';
import { CONFIG, type ProviderConfig } from '../../lib/contract.js';
import { ClientSecret } from '../aws/client-secret.js';
import { secretReader } from '../aws/secret-reader.js';
import { DynamoStore } from '../store/dynamo-store.js';
import { readAppearance } from './appearance.js';
import { CachedSecret } from './cached-secret.js';
import type { HttpRequest, HttpResponse } from './http.js';
import { keySetSource } from './key-source.js';
import { currentRequest, logEvent, loggablePath } from './log.js';
import { AuthorizationServer } from './server.js';

/** In milliseconds: DynamoDB answers in some ten, so what takes a second is lost, and another try is sooner there than its answer. */
const aws = { maxAttempts: 3, requestHandler: { connectionTimeout: 1_000, requestTimeout: 2_000 } };

/** In milliseconds: API Gateway waits for 30 seconds, and for a cold start they have begun before the function has. */
const LONGEST = 25_000;
/** What Lambda leaves for the answer itself. */
const RESERVE = 1_000;

const server = createServer(JSON.parse(process.env[CONFIG] ?? '{}'));

function createServer(config: ProviderConfig): AuthorizationServer {
  const secrets = new SecretsManagerClient(aws);
  const keySetSecret = new CachedSecret(secretReader(secrets, config.keySetSecretArn), config.keySetRefresh);
  // Fetched while the instance starts, so that the first request does not wait for it; a failure shows at that request.
  keySetSecret.get().catch(() => {});
  return new AuthorizationServer({
    config,
    store: new DynamoStore({ client: new DynamoDBClient(aws), tableName: config.tableName }),
    keys: keySetSource(keySetSecret),
    clientSecret: new ClientSecret(secrets, config.upstream.clientSecretId),
    appearance: readAppearance(process.env.LAMBDA_TASK_ROOT ?? ''),
  });
}

/** The Lambda function behind the HTTP API, payload format 2.0. */
export const handler = middy<APIGatewayProxyEventV2, APIGatewayProxyStructuredResultV2>()
  .use(accessLog())
  .handler(async (event, context) =>
    currentRequest.run({ id: event.requestContext.requestId }, async () => {
      const timeLimit = Math.min(LONGEST, context.getRemainingTimeInMillis() - RESERVE);
      return toResult(await server.handle(toRequest(event), timeLimit));
    }),
  );

/** One line for each request, without its query string, which carries codes and states. */
function accessLog(): middy.MiddlewareObj<APIGatewayProxyEventV2, APIGatewayProxyStructuredResultV2> {
  return {
    after: ({ event, response }) => {
      const { requestId, http } = event.requestContext;
      currentRequest.run({ id: requestId }, () =>
        logEvent('request.answered', {
          method: http.method,
          path: loggablePath(http.path),
          status: response?.statusCode,
        }),
      );
    },
  };
}

function toRequest(event: APIGatewayProxyEventV2): HttpRequest {
  const headers: Record<string, string> = {};
  for (const [name, value] of Object.entries(event.headers))
    if (value !== undefined) headers[name.toLowerCase()] = value;
  if (event.cookies) headers.cookie = event.cookies.join('; ');
  return {
    method: event.requestContext.http.method,
    path: event.rawPath,
    query: event.rawQueryString,
    headers,
    body: Buffer.from(event.body ?? '', event.isBase64Encoded ? 'base64' : 'utf8'),
    sourceIp: event.requestContext.http.sourceIp,
  };
}

function toResult({ status, headers, cookies, body }: HttpResponse): APIGatewayProxyStructuredResultV2 {
  return { statusCode: status, headers: { ...headers }, cookies: [...cookies], body: body.toString() };
}
