import { StartError } from '../start-error';
import { headerValues } from './request';
import type { ApiResponse } from './response';
import { type RestCall, requestContext } from './rest-api-call';

/** The gateway responses that are imitated: the status, and the error type in the `x-amzn-ErrorType` header. */
const TYPES = {
  ACCESS_DENIED: [403, 'AccessDeniedException'],
  API_CONFIGURATION_ERROR: [500, 'InternalServerErrorException'],
  AUTHORIZER_CONFIGURATION_ERROR: [500, 'AuthorizerConfigurationException'],
  AUTHORIZER_FAILURE: [500, 'AuthorizerFailureException'],
  INTEGRATION_FAILURE: [504, 'InternalServerErrorException'],
  INTEGRATION_TIMEOUT: [504, 'GatewayTimeoutException'],
  MISSING_AUTHENTICATION_TOKEN: [403, 'MissingAuthenticationTokenException'],
  REQUEST_TOO_LARGE: [413, 'RequestTooLongException'],
  THROTTLED: [429, 'TooManyRequestsException'],
  UNAUTHORIZED: [401, 'UnauthorizedException'],
  UNSUPPORTED_MEDIA_TYPE: [415, 'UnsupportedMediaTypeException'],
} as const;
/** Types that may be declared, though nothing here brings them about. */
const NEVER_GIVEN = [
  'BAD_REQUEST_BODY',
  'BAD_REQUEST_PARAMETERS',
  'EXPIRED_TOKEN',
  'INVALID_API_KEY',
  'INVALID_SIGNATURE',
  'QUOTA_EXCEEDED',
  'RESOURCE_NOT_FOUND',
  'WAF_FILTERED',
] as const;

export type GivenType = keyof typeof TYPES;
export type GatewayResponseType = GivenType | (typeof NEVER_GIVEN)[number] | 'DEFAULT_4XX' | 'DEFAULT_5XX';

const DEFAULT_TEMPLATE = '{"message":$context.error.messageString}';

/** What `AWS::ApiGateway::GatewayResponse` declares. */
export interface GatewayResponse {
  readonly statusCode?: number;
  /** Header name to mapping expression. */
  readonly headers: Readonly<Record<string, string>>;
  /** Content type to template. */
  readonly templates: Readonly<Record<string, string>>;
}

/** Why a gateway response is given. */
export interface GatewayError {
  readonly type: GivenType;
  /** As the body shows it; `null` where API Gateway shows none. */
  readonly message: string | null;
  /** Where it is not the type's own, as for a function's error (502). */
  readonly statusCode?: number;
  /** The context that the authorizer returned. */
  readonly authorizer?: Readonly<Record<string, unknown>>;
}

/** @throws StartError where the type or a header's mapping is none that is known here */
export function declareGatewayResponse(
  type: string,
  statusCode: string | undefined,
  parameters: Readonly<Record<string, string>>,
  templates: Readonly<Record<string, string>>,
): [GatewayResponseType, GatewayResponse] {
  const known = [...Object.keys(TYPES), ...NEVER_GIVEN, 'DEFAULT_4XX', 'DEFAULT_5XX'];
  if (!known.includes(type)) throw new StartError(`There is no gateway response type ${type}.`);
  const headers: Record<string, string> = {};
  for (const [target, expression] of Object.entries(parameters)) {
    const [, name] = /^gatewayresponse\.header\.(.+)$/.exec(target) ?? [];
    const isKnown = /^'[\s\S]*'$|^context\.|^method\.request\.(header|querystring|path)\./.test(expression);
    if (!name || !isKnown) throw new StartError(`The mapping ${target}: ${expression} is not known here.`);
    headers[name] = expression;
  }
  for (const template of Object.values(templates)) {
    const unknown = template.match(/\$(?!context\.)[\w.{!]+|#(set|if|foreach)\b/);
    if (unknown) throw new StartError(`"${unknown[0]}" in a gateway response's template is not known here.`);
  }
  return [
    type as GatewayResponseType,
    { headers, templates, ...(statusCode === undefined ? {} : { statusCode: Number(statusCode) }) },
  ];
}

/** The response to an error: as declared for its type, else as declared for its class, else API Gateway's own. */
export function gatewayResponse(
  error: GatewayError,
  call: RestCall,
  declared: ReadonlyMap<GatewayResponseType, GatewayResponse>,
): ApiResponse {
  const [typeStatus, errorType] = TYPES[error.type];
  const status = error.statusCode ?? typeStatus;
  const response = declared.get(error.type) ?? declared.get(status < 500 ? 'DEFAULT_4XX' : 'DEFAULT_5XX');
  const context = errorContext(error, call);
  const [contentType, template] = chooseTemplate(response?.templates ?? {}, call);
  const headers: [string, string][] = [];
  for (const [name, expression] of Object.entries(response?.headers ?? {})) {
    const value = mapped(expression, call, context);
    if (value !== undefined) headers.push([name, value]);
  }
  if (!headers.some(([name]) => name.toLowerCase() === 'content-type')) headers.unshift(['Content-Type', contentType]);
  if (!response) headers.push(['x-amzn-ErrorType', errorType]);
  return {
    statusCode: response?.statusCode ?? status,
    headers,
    body: Buffer.from(template.replace(/\$context\.([\w.]+\w)/g, (_, path) => lookUp(context, path) ?? '')),
  };
}

function errorContext(error: GatewayError, call: RestCall): Record<string, unknown> {
  return {
    ...requestContext(call),
    authorizer: error.authorizer ?? {},
    error: { message: error.message, messageString: JSON.stringify(error.message), responseType: error.type },
  };
}

/** The template for what the client accepts, else the one for JSON, else the first. */
function chooseTemplate(templates: Readonly<Record<string, string>>, call: RestCall): [string, string] {
  const accepted = headerValues(call.request, 'accept').join(',').split(',');
  const wanted = accepted.map((type) => type.split(';')[0]!.trim()).find((type) => type in templates);
  const contentType = wanted ?? ('application/json' in templates ? 'application/json' : Object.keys(templates)[0]);
  return contentType === undefined
    ? ['application/json', DEFAULT_TEMPLATE]
    : [contentType, templates[contentType] as string];
}

function mapped(expression: string, call: RestCall, context: Record<string, unknown>): string | undefined {
  if (expression.startsWith("'")) return expression.slice(1, -1);
  const [, place, name] = /^(context|method\.request\.(?:header|querystring|path))\.(.+)$/.exec(expression)!;
  switch (place) {
    case 'context':
      return lookUp(context, name!);
    case 'method.request.header':
      return headerValues(call.request, name!)[0];
    case 'method.request.querystring':
      return new URLSearchParams(call.request.query).get(name!) ?? undefined;
    default:
      return call.pathParameters[name!];
  }
}

function lookUp(context: Record<string, unknown>, path: string): string | undefined {
  let value: unknown = context;
  for (const name of path.split('.')) value = (value as Record<string, unknown> | null | undefined)?.[name];
  return value === undefined || value === null ? undefined : String(value);
}
