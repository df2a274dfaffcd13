import express, { type RequestHandler } from 'express';

/** Bytes, as much as the official SDK takes. */
const parse = express.json({ limit: 4 * 1024 * 1024 });

/** Reads a body of JSON for the MCP endpoint. What cannot be read is refused as JSON-RPC has it (section 5.1), and without a stack trace. */
export const jsonBody: RequestHandler = (req, res, next) => {
  parse(req, res, (error?: unknown) => {
    if (error === undefined) return next();
    const { status, message } = error as { readonly status?: number; readonly message: string };
    if (status === undefined || status >= 500) return next(error);
    const code = status === 400 ? -32700 : -32600;
    res.status(status).json({ jsonrpc: '2.0', error: { code, message }, id: null });
  });
};
