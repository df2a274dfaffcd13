import type { HttpResponse } from '../http';
import { logEvent, logProblem, requestId } from '../log';
import { type Html, html } from './html';
import { page } from './layout';
import type { Presentation } from './presentation';

/** Everything that can keep a person from signing in, with the event that an operator finds in the log. */
const PROBLEMS = {
  unknownClient: { status: 400, event: 'authorize.unknown_client' },
  clientRefused: { status: 400, event: 'authorize.client_refused' },
  clientUnreadable: { status: 503, event: 'authorize.client_unreadable' },
  brokenRedirect: { status: 400, event: 'authorize.broken_redirect' },
  badRequest: { status: 400, event: 'authorize.bad_request' },
  heldBack: { status: 400, event: 'authorize.held_back' },
  expired: { status: 400, event: 'sign_in.expired' },
  otherBrowser: { status: 403, event: 'sign_in.foreign' },
  used: { status: 400, event: 'sign_in.used' },
  forged: { status: 400, event: 'sign_in.forged' },
  upstreamDown: { status: 503, event: 'upstream.unavailable' },
  notAllowed: { status: 403, event: 'person.not_allowed' },
  outage: { status: 503, event: 'request.unavailable' },
  failure: { status: 500, event: 'request.failed' },
} as const;

export type Problem = keyof typeof PROBLEMS;

export interface ProblemDetails {
  /** For the log: nothing secret and nothing about a person. */
  readonly fields?: Readonly<Record<string, unknown>>;
  /** For the log, of what an operator should look at. */
  readonly error?: unknown;
  /** What happened in words of its own, where the usual ones do not do. */
  readonly happened?: Html;
  /** What the person can do right here. */
  readonly actions?: Html;
  /** Where a form among the actions may lead, redirects included, as CSP sources. */
  readonly formAction?: readonly string[];
}

/** What happened, what to do next, and a reference by which the operator finds the event that is logged here. */
export function errorPage(presentation: Presentation, problem: Problem, details: ProblemDetails = {}): HttpResponse {
  const { status, event } = PROBLEMS[problem];
  const { fields, error, happened, actions, formAction } = details;
  if (error === undefined) logEvent(event, fields);
  else logProblem(event, error, fields);

  const { language, supportUrl } = presentation;
  const response = page(presentation, {
    status,
    title: language.sayPlainly(`${problem}Title`),
    formAction,
    main: html`<h1>${language.say(`${problem}Title`)}</h1>
<p>${happened ?? language.say(`${problem}Happened`)}</p>
<p>${language.say(`${problem}ToDo`)}</p>
${actions && html`<div class="actions">${actions}</div>`}
<footer>
<p>${language.say('reference', { reference: requestId() })}</p>
${supportUrl === undefined ? undefined : html`<p><a href="${supportUrl}" rel="noreferrer">${language.say('support')}</a></p>`}
</footer>`,
  });
  return status === 503 ? { ...response, headers: { ...response.headers, 'retry-after': '5' } } : response;
}

/** @param description what the engine says, in English, some of it the request's own words */
export function badRequestPage(presentation: Presentation, description: string): HttpResponse {
  return errorPage(presentation, 'badRequest', {
    fields: { description },
    happened: presentation.language.say('badRequestHappened', {
      description: html`<bdi lang="en">${description}</bdi>`,
    }),
  });
}

export interface HeldBack {
  readonly clientId: string;
  /** What the engine says to the client, in English. */
  readonly description: string;
  /** Of the client's redirect URI. */
  readonly host: string;
  /** The redirect URI, with the error for the client. */
  readonly location: string;
}

/** An error for a client that nobody vouches for: whether to take it there is the person's decision. */
export function heldBackPage(presentation: Presentation, heldBack: HeldBack): HttpResponse {
  const { language } = presentation;
  const { clientId, description, host, location } = heldBack;
  return errorPage(presentation, 'heldBack', {
    fields: { clientId, host },
    happened: language.say('heldBackHappened', { description: html`<bdi lang="en">${description}</bdi>`, host }),
    actions: html`<a class="button" href="${location}" rel="noreferrer">${language.say('heldBackReturn', { host })}</a>`,
  });
}

/** @param reason why a Client ID Metadata Document is not taken, in English, some of it the document's own words */
export function clientRefusedPage(presentation: Presentation, reason: string): HttpResponse {
  return errorPage(presentation, 'clientRefused', {
    fields: { reason },
    happened: presentation.language.say('clientRefusedHappened', { reason: html`<bdi lang="en">${reason}</bdi>` }),
  });
}

/** @param retry the consent page */
export function upstreamDownPage(presentation: Presentation, error: unknown, retry: string): HttpResponse {
  return errorPage(presentation, 'upstreamDown', {
    error,
    actions: html`<a class="button primary" href="${retry}">${presentation.language.say('upstreamDownRetry')}</a>`,
  });
}

export interface RefusedPerson {
  /** What the person may know the account by. */
  readonly account: string | undefined;
  readonly clientId: string;
  /** The claim of the rule that does not hold. */
  readonly claim: string;
  /** The consent page, which also takes the form. */
  readonly action: string;
  readonly formToken: string;
  /** The source of the client's redirect URI. */
  readonly cspSource: string;
}

/** Upstream has signed the person in, and no rule lets the account in: back to the app, or once more with another one. */
export function notAllowedPage(presentation: Presentation, person: RefusedPerson): HttpResponse {
  const { language } = presentation;
  const { account, clientId, claim, action, formToken, cspSource } = person;
  return errorPage(presentation, 'notAllowed', {
    fields: { clientId, claim },
    happened:
      account === undefined
        ? language.say('notAllowedHappenedUnnamed')
        : language.say('notAllowedHappened', { account }),
    formAction: ["'self'", 'https:', cspSource],
    actions: html`<a class="button primary" href="${action}?account=other">${language.say('notAllowedOtherAccount')}</a>
<form method="post" action="${action}">
<input type="hidden" name="token" value="${formToken}">
<button type="submit" name="decision" value="leave">${language.say('notAllowedBack')}</button>
</form>`,
  });
}
