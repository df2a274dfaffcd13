import { Duration } from 'aws-cdk-lib';
import type { CorsOptions } from 'aws-cdk-lib/aws-apigateway';
import { MCP_REQUEST_HEADERS } from './mcp-headers';

/** Headers of a response that a client in a browser must be able to read. */
export const EXPOSED_HEADERS = ['WWW-Authenticate', 'Mcp-Session-Id', 'Retry-After'];

/** What MCP clients in a browser (the Inspector, for one) ask before the request itself. No credentials: tokens travel in a header. */
export const CORS_PREFLIGHT: CorsOptions = {
  allowOrigins: ['*'],
  allowMethods: ['GET', 'HEAD', 'POST', 'DELETE', 'OPTIONS'],
  allowHeaders: [...MCP_REQUEST_HEADERS],
  exposeHeaders: EXPOSED_HEADERS,
  maxAge: Duration.hours(1),
};
