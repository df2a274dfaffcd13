import { ACCOUNT } from '../account';
import { type ApiRequest, forwardedHeaders, headerValues, queryPairs, requestTime } from './request';

export interface HttpApiCall {
  readonly request: ApiRequest;
  readonly apiId: string;
  readonly domainName: string;
  readonly stage: string;
  readonly routeKey: string;
  readonly pathParameters: Readonly<Record<string, string>>;
  readonly requestId: string;
  readonly time: number;
}

/** What the events of integrations and authorizers (payload format 2.0) have in common. */
export function baseEvent(call: HttpApiCall): Record<string, unknown> {
  const { request, apiId, domainName, stage, routeKey, pathParameters, requestId, time } = call;
  const headers: Record<string, string> = {};
  const cookies: string[] = [];
  for (const [name, value] of forwardedHeaders(request, `Root=1-${requestId}`)) {
    const lower = name.toLowerCase();
    if (lower === 'cookie') cookies.push(...value.split(';').map((cookie) => cookie.trim()));
    else headers[lower] = headers[lower] === undefined ? value : `${headers[lower]},${value}`;
  }
  const query: Record<string, string> = {};
  for (const [name, value] of queryPairs(request.query)) {
    query[name] = query[name] === undefined ? value : `${query[name]},${value}`;
  }
  return {
    version: '2.0',
    routeKey,
    rawPath: request.path,
    rawQueryString: request.query,
    ...(cookies.length > 0 ? { cookies } : {}),
    headers,
    ...(request.query ? { queryStringParameters: query } : {}),
    requestContext: {
      accountId: ACCOUNT,
      apiId,
      domainName,
      domainPrefix: domainName.split('.')[0],
      http: {
        method: request.method,
        path: request.path,
        protocol: request.protocol,
        sourceIp: request.sourceIp,
        userAgent: headerValues(request, 'user-agent').join(','),
      },
      requestId,
      routeKey,
      stage,
      time: requestTime(time),
      timeEpoch: time,
    },
    ...(Object.keys(pathParameters).length > 0 ? { pathParameters } : {}),
  };
}

/** The event of a Lambda integration, payload format 2.0. */
export function integrationEvent(call: HttpApiCall, authorizer: object | undefined): object {
  const event = baseEvent(call);
  if (authorizer) event.requestContext = { ...(event.requestContext as object), authorizer: { lambda: authorizer } };
  const { body } = call.request;
  if (body.length === 0) return { ...event, isBase64Encoded: false };
  const text = isText(headerValues(call.request, 'content-type')[0]);
  return { ...event, body: body.toString(text ? 'utf8' : 'base64'), isBase64Encoded: !text };
}

/** Forms are not text to an HTTP API, and neither is a body without a content type. */
function isText(contentType: string | undefined): boolean {
  const type = contentType?.split(';')[0]?.trim().toLowerCase() ?? '';
  return type.startsWith('text/') || /^application\/(json|xml|javascript)$/.test(type);
}
