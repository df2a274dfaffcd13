import type { RequestHandler } from 'express';
import { MCP_REQUEST_HEADERS } from '../../lib/mcp-headers';

const RESPONSE_HEADERS = ['WWW-Authenticate', 'MCP-Protocol-Version', 'Mcp-Session-Id', 'Retry-After'];

/**
 * Lets pages of every origin ask, without credentials: the token travels in a header that no browser adds by itself. Preflights end
 * here, before anything asks for a token, which they do not have.
 *
 * @param methods that there are
 */
export function openToBrowsers(methods: readonly string[]): RequestHandler {
  return (req, res, next) => {
    res.setHeader('Access-Control-Allow-Origin', '*');
    res.setHeader('Access-Control-Expose-Headers', RESPONSE_HEADERS.join(', '));
    if (req.method !== 'OPTIONS' || req.headers['access-control-request-method'] === undefined) return next();
    res.setHeader('Access-Control-Allow-Methods', methods.join(', '));
    res.setHeader('Access-Control-Allow-Headers', MCP_REQUEST_HEADERS.join(', '));
    res.setHeader('Access-Control-Max-Age', '3600');
    res.status(204).end();
  };
}
