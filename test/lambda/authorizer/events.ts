import type { APIGatewayRequestAuthorizerEvent, APIGatewayRequestAuthorizerEventV2 } from 'aws-lambda';

/** What a REST API sends to a REQUEST authorizer: the client's spelling of the header names, and every value of each. */
export function restEvent(
  headers: Readonly<Record<string, string | readonly string[]>>,
): APIGatewayRequestAuthorizerEvent {
  const values = Object.entries(headers).map(([name, value]): [string, string[]] => [name, [value].flat() as string[]]);
  return {
    type: 'REQUEST',
    methodArn: 'arn:aws:execute-api:eu-central-1:123456789012:a1b2c3/prod/POST/mcp',
    resource: '/mcp',
    path: '/mcp',
    httpMethod: 'POST',
    headers: Object.fromEntries(values.map(([name, list]) => [name, list.at(-1)])),
    multiValueHeaders: Object.fromEntries(values),
    pathParameters: null,
    queryStringParameters: null,
    multiValueQueryStringParameters: null,
    stageVariables: null,
    requestContext: { requestId: 'request-1' } as APIGatewayRequestAuthorizerEvent['requestContext'],
  };
}

/** What an HTTP API sends with payload format 2.0: names in lower case, repeated values joined by commas. */
export function httpEvent(
  headers: Readonly<Record<string, string | readonly string[]>>,
): APIGatewayRequestAuthorizerEventV2 {
  return {
    version: '2.0',
    type: 'REQUEST',
    routeArn: 'arn:aws:execute-api:eu-central-1:123456789012:a1b2c3/$default/POST/mcp',
    identitySource: [],
    routeKey: 'POST /mcp',
    rawPath: '/mcp',
    rawQueryString: '',
    cookies: [],
    headers: joined(headers),
    requestContext: { requestId: 'request-1' } as APIGatewayRequestAuthorizerEventV2['requestContext'],
  };
}

function joined(headers: Readonly<Record<string, string | readonly string[]>>): Record<string, string> {
  const result = new Headers();
  for (const [name, value] of Object.entries(headers)) {
    for (const single of [value].flat() as string[]) {
      result.append(name, single.replace('\n', ' '));
    }
  }
  return Object.fromEntries(result);
}
