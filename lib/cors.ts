import { Duration } from 'aws-cdk-lib';
import type { CorsOptions } from 'aws-cdk-lib/aws-apigateway';

/** Headers of a response that a client in a browser must be able to read. */
export const EXPOSED_HEADERS = ['WWW-Authenticate', 'Mcp-Session-Id', 'Retry-After'];

/** What MCP clients in a browser (the Inspector, for one) ask before the request itself. No credentials: tokens travel in a header. */
export const CORS_PREFLIGHT: CorsOptions = {
  allowOrigins: ['*'],
  allowMethods: ['GET', 'HEAD', 'POST', 'DELETE', 'OPTIONS'],
  allowHeaders: [
    'Authorization',
    'Content-Type',
    'Accept',
    'MCP-Protocol-Version',
    'Mcp-Method',
    'Mcp-Name',
    'Mcp-Session-Id',
    'Last-Event-ID',
    'DPoP',
  ],
  exposeHeaders: EXPOSED_HEADERS,
  maxAge: Duration.hours(1),
};
