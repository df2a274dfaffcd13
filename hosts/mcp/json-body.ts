import type express from 'express';
import type { RequestHandler } from 'express';

/** Bytes, as many as the official SDK takes. */
const LARGEST_BODY = 4 * 1024 * 1024;

/** Reads a body of JSON for the MCP endpoint. What cannot be read is refused as JSON-RPC has it (section 5.1), and without a stack trace. */
export function jsonBody({ json }: Pick<typeof express, 'json'>): RequestHandler {
  const parse = json({ limit: LARGEST_BODY });
  return (req, res, next) => {
    parse(req, res, (error?: unknown) => {
      if (error === undefined) return next();
      const { status = 500, message } = error as { readonly status?: number; readonly message: string };
      if (status >= 500) return next(error);
      const code = status === 400 ? -32700 : -32600;
      res.status(status).json({ jsonrpc: '2.0', error: { code, message }, id: null });
    });
  };
}
