import { errors, type KoaContextWithOIDC } from 'oidc-provider';
import { UnreadKeysError } from '../store/dynamo-store';
import { FetchUnavailable } from './client-metadata/guarded-fetch';
import { ClientMetadataRefused } from './client-metadata/metadata-documents';
import { withCors } from './cors';
import { type HttpResponse, json } from './http';
import { loggablePath, logProblem } from './log';
import {
  badRequest,
  clientRefused,
  clientUnreadable,
  errorPage,
  expired,
  failure,
  outage,
  type Problem,
  unknownClient,
} from './pages/error-page';
import { UnderWayError } from './race';
import { OutOfTime } from './time-limit';

/** Whether a person or a program reads what is answered there. */
export function isForPeople(path: string): boolean {
  return /^\/(authorize|interaction|callback)(\/|$)/.test(path);
}

/** An outage is 503 with Retry-After, so that no client takes it for a verdict on its credentials. */
export function answerFailure(error: unknown, path: string): HttpResponse {
  if (error instanceof errors.OIDCProviderError && error.expose) {
    if (isForPeople(path)) return errorPage(problemOf(error));
    return withCors(json(error.status, { error: error.error, error_description: error.error_description }));
  }
  const unavailable = isOutage(error);
  logProblem(unavailable ? 'request.unavailable' : 'request.failed', error, { path: loggablePath(path) });
  if (isForPeople(path)) return errorPage(problemOf(error));
  return withCors(
    unavailable
      ? json(503, { error: 'temporarily_unavailable' }, { 'retry-after': '5' })
      : json(500, { error: 'server_error' }),
  );
}

/** The engine's way of answering a person where it cannot redirect to the client. */
export function renderError(ctx: KoaContextWithOIDC, error: Error): void {
  const { status, headers, body } = errorPage(problemOf(error));
  ctx.status = status;
  ctx.set({ ...headers });
  ctx.body = body;
}

function problemOf(error: unknown): Problem {
  if (error instanceof ClientMetadataRefused) return clientRefused(error.error_description ?? error.error);
  if (error instanceof FetchUnavailable) return clientUnreadable;
  if (error instanceof errors.InvalidClient) return unknownClient;
  if (error instanceof errors.SessionNotFound) return expired;
  if (error instanceof errors.OIDCProviderError && error.expose) {
    return badRequest(error.error_description ?? error.error);
  }
  return isOutage(error) ? outage : failure;
}

const OUTAGES = [FetchUnavailable, OutOfTime, UnderWayError, UnreadKeysError];

/** What passes by itself: what AWS and the network do to us, as against what our own code does. */
function isOutage(error: unknown): boolean {
  if (!(error instanceof Error)) return false;
  if (OUTAGES.some((outage) => error instanceof outage)) return true;
  if ('$metadata' in error || '$fault' in error) return true;
  const isSystemError = 'code' in error && 'errno' in error;
  return isSystemError || error.name === 'TimeoutError' || error.name === 'CredentialsProviderError';
}
