import type { ErrorRequestHandler } from 'express';
import { BearerError, type Needed, refusalOf } from '../../lambda/authorizer/bearer-error';
import { InvalidTokenError } from '../../lambda/authorizer/invalid-token-error';
import { logProblem } from '../../lambda/provider/log';
import { UpstreamTokenError } from '../../lambda/resource-server/upstream-token-error';
import { answerBearerError } from './authentication';

/** JSON-RPC 2.0 section 5.1. The id of the request may not have been read. */
const INTERNAL_ERROR = { jsonrpc: '2.0', error: { code: -32603, message: 'Internal error' }, id: null };

/**
 * Answers where the handler of the MCP endpoint, or what stands before it, has thrown: with the refusal that it has thrown, else without a word
 * of the error, which Express would show with its stack. That is in the log.
 */
export function handlerFailure(needed: Needed): ErrorRequestHandler {
  return (error, req, res, _next) => {
    const refusal = refusalOfHandler(error, needed);
    if (refusal !== undefined && !res.headersSent) return answerBearerError(res, refusal);
    logProblem('request.failed', error, { path: req.path, stack: framesOf(error) });
    if (!res.headersSent) res.status(500).json(INTERNAL_ERROR);
    // Without its end, a client knows that what it has is not the whole answer.
    else if (!res.writableEnded) res.destroy();
  };
}

/** Where an error comes from. Its message goes into the log by itself, without what is personal in it. */
function framesOf(error: unknown): readonly string[] | undefined {
  return error instanceof Error ? (error.stack?.match(/(?<=^ *at ).+/gm) ?? []) : undefined;
}

/** What a handler has refused a request with by throwing it: undefined where it has failed. */
function refusalOfHandler(error: unknown, needed: Needed): BearerError | undefined {
  if (isBearerError(error)) return error;
  if (!(error instanceof UpstreamTokenError)) return undefined;
  if (error.status === 401) return refusalOf(new InvalidTokenError('grant'), needed) as BearerError;
  if (error.status === 503) return new BearerError(error.message, 503, undefined, undefined, { cause: error });
  return undefined;
}

/** By its shape: `requireScope` of `mcp-oidc-auth/bearer` has a copy of the class that is its own. */
function isBearerError(error: unknown): error is BearerError {
  const { name, status, headers, body } = Object(error) as Partial<BearerError>;
  const isNamed = name === 'BearerError' || name === 'InsufficientScopeError';
  return isNamed && typeof status === 'number' && typeof headers === 'object' && typeof body === 'object';
}
