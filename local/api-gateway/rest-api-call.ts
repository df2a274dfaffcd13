import { ACCOUNT, arn } from '../account';
import { type ApiRequest, forwardedHeaders, headerValues, queryPairs, requestTime } from './request';

/** A request to a method of a REST API. */
export interface RestCall {
  readonly request: ApiRequest;
  readonly apiId: string;
  readonly domainName: string;
  readonly stage: string;
  /** Below the stage. */
  readonly path: string;
  readonly requestId: string;
  readonly time: number;
  /** What the request is for; absent where no method fits it. */
  readonly resource?: { readonly id: string; readonly path: string };
  readonly pathParameters: Readonly<Record<string, string>>;
}

/** The ARN that authorizers' policies and permissions are about. */
export function methodArn(call: RestCall): string {
  return arn('execute-api', `${call.apiId}/${call.stage}/${call.request.method}${call.path}`);
}

/** What the events of Lambda proxy integrations and REQUEST authorizers have in common (payload format 1.0). */
export function baseEvent(call: RestCall): Record<string, unknown> {
  const { request, path, resource } = call;
  const headers: Record<string, string> = {};
  const multiValueHeaders: Record<string, string[]> = {};
  for (const [given, value] of forwardedHeaders(request, `Root=1-${call.requestId}`)) {
    const name = capitalized(given);
    headers[name] = value;
    multiValueHeaders[name] = [...(multiValueHeaders[name] ?? []), value];
  }
  const query: Record<string, string> = {};
  const multiValueQuery: Record<string, string[]> = {};
  for (const [name, value] of queryPairs(request.query)) {
    query[name] = value;
    multiValueQuery[name] = [...(multiValueQuery[name] ?? []), value];
  }
  return {
    resource: resource?.path,
    path,
    httpMethod: request.method,
    headers,
    multiValueHeaders,
    queryStringParameters: orNull(query),
    multiValueQueryStringParameters: orNull(multiValueQuery),
    pathParameters: orNull(call.pathParameters),
    stageVariables: null,
    requestContext: requestContext(call),
  };
}

/** The event of a Lambda proxy integration. An API without binary media types takes every body for UTF-8 text. */
export function integrationEvent(call: RestCall, authorizer: object | undefined): object {
  const event = baseEvent(call);
  if (authorizer) event.requestContext = { ...(event.requestContext as object), authorizer };
  const { body } = call.request;
  return { ...event, body: body.length > 0 ? body.toString('utf8') : null, isBase64Encoded: false };
}

export function requestContext(call: RestCall): Record<string, unknown> {
  const { request, apiId, domainName, stage, path, requestId, time, resource } = call;
  return {
    accountId: ACCOUNT,
    apiId,
    domainName,
    domainPrefix: domainName.split('.')[0],
    extendedRequestId: requestId,
    httpMethod: request.method,
    identity: {
      accessKey: null,
      accountId: null,
      caller: null,
      cognitoAuthenticationProvider: null,
      cognitoAuthenticationType: null,
      cognitoIdentityId: null,
      cognitoIdentityPoolId: null,
      principalOrgId: null,
      sourceIp: request.sourceIp,
      user: null,
      userAgent: headerValues(request, 'user-agent')[0] ?? null,
      userArn: null,
    },
    path: `/${stage}${path}`,
    protocol: request.protocol,
    requestId,
    requestTime: requestTime(time),
    requestTimeEpoch: time,
    resourceId: resource?.id,
    resourcePath: resource?.path,
    stage,
  };
}

/** API Gateway spells these headers its own way and leaves the others as the client spelt them. */
function capitalized(name: string): string {
  return ['authorization', 'host', 'user-agent'].includes(name.toLowerCase())
    ? name.toLowerCase().replace(/(^|-)[a-z]/g, (letters) => letters.toUpperCase())
    : name;
}

function orNull<T extends object>(values: T): T | null {
  return Object.keys(values).length > 0 ? values : null;
}
