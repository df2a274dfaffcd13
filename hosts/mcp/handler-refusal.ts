import { BearerError, type Needed, refusalOf } from '../../lambda/authorizer/bearer-error';
import { InvalidTokenError } from '../../lambda/authorizer/invalid-token-error';
import { UpstreamTokenError } from '../../lambda/resource-server/upstream-token-error';

/** What a handler has refused a request with by throwing it: undefined where it has failed. */
export function refusalOfHandler(error: unknown, needed: Needed): BearerError | undefined {
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
