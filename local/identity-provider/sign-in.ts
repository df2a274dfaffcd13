import type { IncomingMessage, ServerResponse } from 'node:http';
import type Provider from 'oidc-provider';
import { errors } from 'oidc-provider';
import { errorPage, signedOutPage, signInPage, signOutPage } from './pages';
import type { Person } from './people';

type Interaction = Awaited<ReturnType<Provider['interactionDetails']>>;

export type Page = (
  provider: Provider,
  people: readonly Person[],
  request: IncomingMessage,
  response: ServerResponse,
) => Promise<void>;

/** GET /interaction/{uid} */
export const showSignIn: Page = async (provider, people, request, response) => {
  const interaction = await findInteraction(provider, request, response);
  if (!interaction) return;
  // Nobody is asked for consent, not even with prompt=consent.
  if (interaction.prompt.name === 'consent') {
    return provider.interactionFinished(request, response, { consent: {} }, { mergeWithLastSubmission: true });
  }
  respond(response, signInPage(people, { username: String(interaction.params.login_hint ?? '') }));
};

/** POST /interaction/{uid} */
export const signIn: Page = async (provider, people, request, response) => {
  const interaction = await findInteraction(provider, request, response);
  if (!interaction) return;
  const form = new URLSearchParams(Buffer.concat(await request.toArray()).toString());
  if (form.has('cancel')) {
    const result = { error: 'access_denied', error_description: 'The person has cancelled the sign-in.' };
    return provider.interactionFinished(request, response, result, { mergeWithLastSubmission: false });
  }
  const username = (form.get('username') ?? '').trim().toLowerCase();
  const person = people.find((one) => one.username === username && one.password === form.get('password')?.trim());
  if (!person) return respond(response, signInPage(people, { username, failed: true }));
  const accountId = person.claims.sub;
  const result = { login: { accountId } };
  const returnTo = await provider.interactionResult(request, response, result, { mergeWithLastSubmission: false });
  await takeOverSession(provider, request, response, accountId);
  response.writeHead(303, { location: returnTo }).end();
};

/** GET /sign-out */
export const showSignOut: Page = async (provider, people, request, response) => {
  const { accountId } = await provider.Session.get(provider.createContext(request, response));
  respond(response, signOutPage(people.find(({ claims }) => claims.sub === accountId)));
};

/** POST /sign-out. The session cookie is SameSite=Lax, so no other site can send this. */
export const signOut: Page = async (provider, _people, request, response) => {
  const session = await provider.Session.get(provider.createContext(request, response));
  if (session.accountId) await session.destroy();
  respond(response, signedOutPage());
};

async function findInteraction(
  provider: Provider,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<Interaction | undefined> {
  try {
    return await provider.interactionDetails(request, response);
  } catch (error) {
    if (!(error instanceof errors.SessionNotFound)) throw error;
    respond(response, errorPage('This sign-in has expired or belongs to another browser.'), 400);
    return undefined;
  }
}

/**
 * With prompt=login another person may sign in than the one whose session it is. The engine would then show a page that
 * ends the old session by JavaScript; here the session changes hands first, with nothing of the old person's in it.
 */
async function takeOverSession(
  provider: Provider,
  request: IncomingMessage,
  response: ServerResponse,
  accountId: string,
): Promise<void> {
  const session = await provider.Session.get(provider.createContext(request, response));
  if (!session.accountId || session.accountId === accountId) return;
  session.authorizations = undefined;
  session.loginAccount({ accountId });
  await session.persist();
}

function respond(response: ServerResponse, html: string, status = 200): void {
  response
    .writeHead(status, {
      'content-type': 'text/html; charset=utf-8',
      'cache-control': 'no-store',
      'content-security-policy': "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'",
    })
    .end(html);
}
