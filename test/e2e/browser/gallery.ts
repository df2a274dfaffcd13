import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { HttpResponse } from '../../../lambda/provider/http';
import { currentRequest } from '../../../lambda/provider/log';
import { type ConsentRequest, consentPage } from '../../../lambda/provider/pages/consent-page';
import {
  badRequestPage,
  clientRefusedPage,
  errorPage,
  heldBackPage,
  notAllowedPage,
  type Problem,
  upstreamDownPage,
} from '../../../lambda/provider/pages/error-page';
import { type Presentation, Presentations } from '../../../lambda/provider/pages/presentation';
import { rootPage } from '../../../lambda/provider/pages/root-page';
import { errorPage as identityProviderError, signInPage, signOutPage } from '../../../local/identity-provider/pages';
import { demoPeople } from '../../../local/identity-provider/people';

type Show = (presentation: Presentation) => HttpResponse;

/** As API Gateway makes them; always the same, so that the same page is the same picture. */
const REFERENCE = 'JKJaXhPLvHcESHA=';

const CONSENT: ConsentRequest = {
  action: '/interaction/gallery',
  formToken: 'token',
  otherAccount: false,
  clientName: 'Example editor',
  redirectUri: 'http://localhost:33418/callback',
  resource: { name: 'Notes', identifier: 'https://mcp.example.com/mcp' },
  scopes: [
    {
      name: 'notes:read',
      description: 'Read your notes',
      descriptions: { de: 'Ihre Notizen lesen', fr: 'Lire vos notes' },
      default: true,
      implies: [],
    },
    {
      name: 'notes:write',
      description: 'Add notes',
      descriptions: { de: 'Notizen hinzufügen', fr: 'Ajouter des notes' },
      default: false,
      implies: [],
    },
  ],
  identifies: false,
  staysConnected: true,
  actsUpstream: false,
  byOperators: false,
  upstream: { host: 'login.example.com', origin: 'https://login.example.com' },
};

const consent =
  (change: Partial<ConsentRequest>): Show =>
  (presentation) =>
    consentPage(presentation, { ...CONSENT, ...change });

const problem =
  (name: Problem): Show =>
  (presentation) =>
    errorPage(presentation, name);

const PROBLEMS: Record<Problem, Show> = {
  unknownClient: problem('unknownClient'),
  clientRefused: (presentation) => clientRefusedPage(presentation, 'redirect_uris must be a non-empty array'),
  clientUnreadable: problem('clientUnreadable'),
  brokenRedirect: problem('brokenRedirect'),
  badRequest: (presentation) => badRequestPage(presentation, 'response_type must be code'),
  heldBack: (presentation) =>
    heldBackPage(presentation, {
      clientId: 'client',
      description: 'unknown protected resource',
      host: 'client.example.com',
      location: 'https://client.example.com/callback?error=invalid_target',
    }),
  expired: problem('expired'),
  otherBrowser: problem('otherBrowser'),
  used: problem('used'),
  forged: problem('forged'),
  upstreamDown: (presentation) => upstreamDownPage(presentation, new Error('ECONNREFUSED'), CONSENT.action),
  notAllowed: (presentation) =>
    notAllowedPage(presentation, {
      account: 'ada.lovelace@subsidiary.example.com',
      clientId: 'client',
      claim: 'email',
      action: CONSENT.action,
      formToken: CONSENT.formToken,
      cspSource: 'https:',
    }),
  outage: problem('outage'),
  failure: problem('failure'),
};

const people = demoPeople(() => 'password');

const identityProviderPage =
  (html: string): Show =>
  () => ({ status: 200, headers: { 'content-type': 'text/html; charset=utf-8' }, cookies: [], body: html });

/** A server whose operator has said what it is called and where help is. */
const BRANDED = new Presentations({
  name: 'Example Corporation',
  logo: `data:image/svg+xml,${encodeURIComponent(
    '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 120 40"><rect width="120" height="40" rx="8" fill="#0b5d57"/></svg>',
  )}`,
  supportUrl: 'https://help.example.com/',
});

const branded =
  (show: Show): Show =>
  ({ language }) =>
    show(BRANDED.for(language.tag));

/** Every page that a person can meet, by the function that makes it. */
const PAGES: Readonly<Record<string, Show>> = {
  'consent/loopback': consent({}),
  'consent/web': consent({ redirectUri: 'https://client.example.com/callback' }),
  'consent/app': consent({ redirectUri: 'cursor://anysphere.cursor-mcp/oauth/callback' }),
  'consent/published': consent({
    redirectUri: 'https://client.example.com/callback',
    publisher: 'client.example.com',
    identifies: true,
  }),
  'consent/upstream': consent({ redirectUri: 'https://client.example.com/callback', actsUpstream: true }),
  'consent/unbreakable': consent({
    actsUpstream: true,
    clientName: 'N'.repeat(100),
    redirectUri: `https://${'client'.repeat(10)}.example.com/callback`,
    resource: { name: 'R'.repeat(60), identifier: `https://mcp.example.com/${'path'.repeat(30)}` },
  }),
  root: rootPage,
  'branded/consent': branded(consent({})),
  'branded/problem': branded(problem('expired')),
  'branded/root': branded(rootPage),
  ...Object.fromEntries(Object.entries(PROBLEMS).map(([name, show]) => [`problem/${name}`, show])),
  'identity-provider/sign-in': identityProviderPage(signInPage(people, { username: '' })),
  'identity-provider/sign-in-failed': identityProviderPage(
    signInPage(people, { username: people[0]!.username, failed: true }),
  ),
  'identity-provider/sign-out': identityProviderPage(signOutPage(people[0])),
  'identity-provider/error': identityProviderPage(identityProviderError('This sign-in has expired.')),
};

export const PAGE_NAMES = Object.keys(PAGES);

export interface Gallery extends AsyncDisposable {
  addressOf(name: string): string;
}

/** Shows every page at an address of its own, in the language that the browser asks for: also those that only an outage brings. */
export async function openGallery(): Promise<Gallery> {
  const presentations = new Presentations();
  const server = createServer((request, response) => {
    const show = PAGES[(request.url ?? '/').slice(1)];
    if (!show) return response.writeHead(404).end();
    const page = currentRequest.run({ id: REFERENCE }, () =>
      show(presentations.for(request.headers['accept-language'])),
    );
    return response.writeHead(page.status, page.headers).end(page.body);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  return {
    addressOf: (name) => `http://127.0.0.1:${port}/${name}`,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
