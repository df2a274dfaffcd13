import { UnderWayError } from '../../lambda/provider/race';
import { NoUpstreamToken } from '../../lambda/provider/upstream-access';
import { UpstreamUnavailable } from '../../lambda/provider/upstream-errors';
import { type UpstreamToken, UpstreamTokenError } from '../../lambda/resource-server/upstream-token-error';
import { StoreUnavailable } from '../../lambda/store/store';
import type { AuthInfo, Person } from './caller';
import { upstreamSources } from './upstream-sources';

export { type UpstreamToken, UpstreamTokenError };

/**
 * The identity provider's access token for the person who calls, at an MCP endpoint with `upstreamTokens`. It is renewed where it is about to
 * expire, and kept in the store: ask each time.
 *
 * @param caller `req.user` or `req.auth` of `setupMcpExpress`, or the `authInfo` of a tool: the object itself, no copy
 * @throws UpstreamTokenError; a handler of `handleMcpRequest` may let it pass, and the client is told
 */
export async function getIdpTokens(caller: Person | AuthInfo): Promise<UpstreamToken> {
  const source = upstreamSources.get(caller);
  if (source === undefined) {
    throw new UpstreamTokenError(
      'getIdpTokens needs the req.user or req.auth that setupMcpExpress has given to a request, not a copy. ' +
        'An MCP server beside the authorization server uses upstreamToken of mcp-oidc-auth/upstream.',
      500,
    );
  }
  const asked = Date.now();
  const { expiresIn, ...token } = await source().catch((error) => {
    throw upstreamTokenError(error);
  });
  return { ...token, ...(expiresIn === undefined ? {} : { expiresAt: asked + expiresIn * 1000 }) };
}

/** Of what may change by itself. */
const PASSING = [StoreUnavailable, UnderWayError, UpstreamUnavailable];

function upstreamTokenError(cause: unknown): unknown {
  if (PASSING.some((passing) => cause instanceof passing)) {
    return new UpstreamTokenError('The token cannot be had at the moment.', 503, 'temporarily_unavailable', { cause });
  }
  if (!(cause instanceof NoUpstreamToken)) return cause;
  const { error, message } = cause;
  if (error === 'invalid_grant') return new UpstreamTokenError(`No upstream token: ${message}.`, 401, error, { cause });
  return new UpstreamTokenError('getIdpTokens needs upstreamTokens: true in setupMcpExpress.', 500, error, { cause });
}
