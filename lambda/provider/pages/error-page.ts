import type { HttpResponse } from '../http';
import { requestId } from '../log';
import { html } from './html';
import { page } from './layout';

export interface Problem {
  readonly status: number;
  readonly title: string;
  readonly whatHappened: string;
  readonly whatToDo: string;
  /** Where trying again makes sense. */
  readonly retry?: { readonly href: string; readonly label: string };
}

/** What happened, what to do next, and a reference that the operator finds in the log. */
export function errorPage(problem: Problem): HttpResponse {
  const response = page(
    problem.status,
    problem.title,
    html`<h1>${problem.title}</h1>
<p>${problem.whatHappened}</p>
<p>${problem.whatToDo}</p>
${problem.retry && html`<p><a class="button primary" href="${problem.retry.href}">${problem.retry.label}</a></p>`}
<p class="quiet">Reference: ${requestId()}</p>`,
  );
  return problem.status === 503 ? { ...response, headers: { ...response.headers, 'retry-after': '5' } } : response;
}

const START_AGAIN = 'Go back to your app and connect again.';

export const expired: Problem = {
  status: 400,
  title: 'This sign-in has expired',
  whatHappened: 'It took too long, or it has been finished already.',
  whatToDo: START_AGAIN,
};

export const otherBrowser: Problem = {
  status: 403,
  title: 'This sign-in belongs to another browser',
  whatHappened:
    'A sign-in must end in the browser in which it began. This browser did not begin it, or it does not keep cookies.',
  whatToDo: `If someone sent you this link, close the page: they may be after your access. Otherwise, allow cookies for this site. ${START_AGAIN}`,
};

export const used: Problem = {
  status: 400,
  title: 'This sign-in was already used',
  whatHappened: 'Each sign-in works once, and this one has been answered before.',
  whatToDo: START_AGAIN,
};

export const forged: Problem = {
  status: 400,
  title: 'The form was not sent from this page',
  whatHappened: 'What arrived does not match the page that was shown, so nothing was allowed.',
  whatToDo: START_AGAIN,
};

export const upstreamDown = (uid: string): Problem => ({
  status: 503,
  title: 'The identity provider does not answer',
  whatHappened: 'Your sign-in page cannot be reached at the moment. Nothing was allowed and nothing is lost.',
  whatToDo: 'Wait a moment and try again.',
  retry: { href: `/interaction/${encodeURIComponent(uid)}`, label: 'Try again' },
});

export const unknownClient: Problem = {
  status: 400,
  title: 'The app is not known here',
  whatHappened: 'The app that sent you here is not registered, or its registration has expired.',
  whatToDo:
    'In the app, remove this server (or clear its sign-in) and connect again: it then registers anew. Most apps do that by themselves.',
};

export const clientUnreadable: Problem = {
  status: 503,
  title: 'The app’s description cannot be read',
  whatHappened:
    'The app is described by a document on the site of its makers, which does not answer at the moment. Nothing was allowed and nothing is lost.',
  whatToDo: 'Wait a moment and try again from the app.',
};

export const clientRefused = (reason: string): Problem => ({
  status: 400,
  title: 'The app’s description cannot be used',
  whatHappened: `The app is described by a document on the site of its makers, and this server does not take it: ${reason}.`,
  whatToDo: 'Tell the makers of the app what this page says.',
});

export const badRequest = (description: string): Problem => ({
  status: 400,
  title: 'The app asked for something impossible',
  whatHappened: `The request that the app made cannot be answered: ${description}.`,
  whatToDo: 'Try again from the app. If it happens again, tell the makers of the app what this page says.',
});

export const outage: Problem = {
  status: 503,
  title: 'This server is having a problem',
  whatHappened: 'Your request could not be answered at the moment. Nothing was allowed and nothing is lost.',
  whatToDo: 'Wait a moment and try again.',
};

export const failure: Problem = {
  status: 500,
  title: 'Something went wrong here',
  whatHappened: 'Your request met an error that nobody foresaw. Nothing was allowed.',
  whatToDo: `${START_AGAIN} If it happens again, tell the people who run this server the reference below.`,
};
