import { errors, type KoaContextWithOIDC } from 'oidc-provider';
import { StoreUnavailable } from '../store/store';
import { AlreadyDecided } from './adapter';
import { FetchUnavailable } from './client-metadata/guarded-fetch';
import { ClientMetadataRefused } from './client-metadata/metadata-documents';
import { withCors } from './cors';
import { type HttpResponse, json } from './http';
import { loggablePath, logProblem } from './log';
import { badRequestPage, clientRefusedPage, errorPage } from './pages/error-page';
import type { Presentation } from './pages/presentation';
import { UnderWayError } from './race';
import { OutOfTime } from './time-limit';
import { UpstreamUnavailable } from './upstream-errors';

/** Whether a person or a program reads what the engine, or the consent page, answers there. */
export function isForPeople(path: string): boolean {
  return /^\/(authorize|interaction)(\/|$)/.test(path);
}

/**
 * An outage is 503 with Retry-After, so that no client takes it for a verdict on its credentials.
 *
 * @param forPeople whether a person reads what is answered at that path
 */
export function answerFailure(
  error: unknown,
  path: string,
  forPeople: boolean,
  presentation: Presentation,
): HttpResponse {
  if (error instanceof errors.OIDCProviderError && error.expose) {
    if (forPeople) return pageFor(error, presentation);
    return withCors(json(error.status, { error: error.error, error_description: error.error_description }));
  }
  if (error instanceof AlreadyDecided) return errorPage(presentation, 'used');
  const unavailable = isOutage(error);
  const fields = { path: loggablePath(path) };
  if (forPeople) {
    if (error instanceof FetchUnavailable) return errorPage(presentation, 'clientUnreadable', { error });
    return errorPage(presentation, unavailable ? 'outage' : 'failure', { error, fields });
  }
  logProblem(unavailable ? 'request.unavailable' : 'request.failed', error, fields);
  return withCors(
    unavailable
      ? json(503, { error: 'temporarily_unavailable' }, { 'retry-after': '5' })
      : json(500, { error: 'server_error' }),
  );
}

/** The engine's way of answering a person where it cannot redirect to the client. */
export function renderError(ctx: KoaContextWithOIDC, error: Error, presentation: Presentation): void {
  // What is not the request's fault is answered by answerFailure(): the engine reports it as its own failure.
  if (!(error instanceof errors.OIDCProviderError && error.expose)) return;
  const { status, headers, body } = pageFor(error, presentation);
  ctx.status = status;
  ctx.set({ ...headers });
  ctx.body = body;
}

function pageFor(error: errors.OIDCProviderError, presentation: Presentation): HttpResponse {
  const description = error.error_description ?? error.error;
  if (error instanceof ClientMetadataRefused) return clientRefusedPage(presentation, description);
  if (error instanceof errors.InvalidClient) return errorPage(presentation, 'unknownClient');
  if (error instanceof errors.InvalidRedirectUri) return errorPage(presentation, 'brokenRedirect');
  if (error instanceof errors.SessionNotFound) return errorPage(presentation, 'expired');
  return badRequestPage(presentation, description);
}

const OUTAGES = [FetchUnavailable, OutOfTime, UnderWayError, StoreUnavailable, UpstreamUnavailable];

/** What passes by itself: what AWS and the network do to us, as against what our own code does. */
function isOutage(error: unknown): boolean {
  if (!(error instanceof Error)) return false;
  if (OUTAGES.some((outage) => error instanceof outage)) return true;
  if ('$metadata' in error || '$fault' in error) return true;
  const isSystemError = 'code' in error && 'errno' in error;
  return isSystemError || error.name === 'TimeoutError' || error.name === 'CredentialsProviderError';
}
