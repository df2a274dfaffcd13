import * as client from './openid-client';
import { UpstreamRefused, UpstreamUnavailable } from './upstream-errors';

/** Whether it is this server that upstream does not take (RFC 6749 section 5.2); some providers say so by the status alone. */
export function isClientRefused(error: unknown): boolean {
  if (error instanceof client.WWWAuthenticateChallengeError) return true;
  return error instanceof client.ResponseBodyError && (error.status === 401 || error.error === 'invalid_client');
}

/** Sorts what openid-client throws into an outage and a refusal. */
export function refusalOf(error: unknown): Error {
  if (error instanceof client.AuthorizationResponseError) {
    const code =
      error.error === 'temporarily_unavailable' || error.error === 'server_error' ? error.error : 'access_denied';
    return new UpstreamRefused(code, 'The identity provider did not sign the person in', { cause: error });
  }
  // How a server refuses HTTP Basic authentication (RFC 6749 section 5.2): the client secret is wrong.
  if (error instanceof client.WWWAuthenticateChallengeError) {
    return new UpstreamRefused('server_error', 'The identity provider refused this server', { cause: error });
  }
  if (isUnreachable(error)) return new UpstreamUnavailable('The identity provider cannot be reached', { cause: error });
  if (error instanceof client.ResponseBodyError) {
    if (error.error === 'invalid_grant') {
      return new UpstreamRefused('access_denied', 'The sign-in at the identity provider has expired', { cause: error });
    }
    return new UpstreamRefused('server_error', 'The identity provider refused this server', { cause: error });
  }
  return new UpstreamRefused('access_denied', "The identity provider's answer could not be verified", { cause: error });
}

/** fetch failed (TypeError), timed out, or got 5xx where a document was expected. */
export function isUnreachable(error: unknown): boolean {
  if (error instanceof TypeError) return true;
  // Too many requests of everybody's, or one that took too long, says nothing about this one.
  if (error instanceof client.ResponseBodyError) return error.status === 408 || error.status === 429;
  if (!(error instanceof client.ClientError)) return false;
  return error.code === 'OAUTH_TIMEOUT' || (error.cause instanceof Response && error.cause.status >= 500);
}
