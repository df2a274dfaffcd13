import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { clientKey } from '../../../../lambda/provider/keys';
import { currentRequest } from '../../../../lambda/provider/log';
import { ON_LAMBDA } from '../../../hosts/attacked-hosts';
import { atCallback, atClient, Harness, ISSUER, later, linkOf, REDIRECT_URI } from '../harness';
import { wordsOf } from './page';

const SUPPORT = 'https://help.example.com/?from=sign-in&about=mcp';
const REFERENCE = 'reference-of-this-request';

let harness: Harness;
let client: Record<string, string>;
let logged: Record<string, unknown>[];
beforeEach(async () => {
  harness = await Harness.start({
    instances: 1,
    internalHosts: ['localhost'],
    upstream: { allow: [{ claim: 'email', values: ['ada@example.com'] }] },
    appearance: { supportUrl: SUPPORT },
  });
  client = await harness.register();
  logged = [];
  vi.spyOn(console, 'log').mockImplementation((line) => logged.push(JSON.parse(line)));
  vi.spyOn(console, 'error').mockImplementation((line) => logged.push(JSON.parse(line)));
});
afterEach(async () => {
  vi.restoreAllMocks();
  vi.useRealTimers();
  await harness[Symbol.asyncDispose]();
});

async function consent() {
  const browser = harness.browser();
  return { browser, page: await browser.open(harness.authorizationRequest(client).url) };
}

/** The one way that leads a person to each page. */
const WAYS = [
  [
    'an unknown client',
    400,
    'authorize.unknown_client',
    'This app is not known here',
    () => harness.browser().open(harness.authorizationRequest({ client_id: 'unknown' }).url),
  ],
  [
    'a client that has gone while the person was asked',
    400,
    'authorize.unknown_client',
    'This app is not known here',
    async () => {
      const { browser, page } = await consent();
      await harness.store.delete(clientKey(client.client_id!));
      return browser.open(page.url);
    },
  ],
  [
    'an app whose description this server does not take',
    400,
    'authorize.client_refused',
    'The app’s description cannot be used',
    () => harness.browser().open(harness.authorizationRequest({ client_id: 'https://app.example/client?query' }).url),
  ],
  [
    'an app whose description cannot be read',
    503,
    'authorize.client_unreadable',
    'The app’s description cannot be read',
    // Nothing listens on port 1.
    () => harness.browser().open(harness.authorizationRequest({ client_id: 'https://localhost:1/client' }).url),
  ],
  [
    'a redirect URI that is not registered',
    400,
    'authorize.broken_redirect',
    'The app named an address that is not its own',
    () =>
      harness
        .browser()
        .open(harness.authorizationRequest(client, { redirect_uri: 'https://evil.example/<script>alert(1)' }).url),
  ],
  [
    'a request without a redirect URI',
    400,
    'authorize.bad_request',
    'The app asked for something impossible',
    () => harness.browser().open(harness.authorizationRequest(client, { redirect_uri: undefined }).url),
  ],
  [
    'a refused request of an app that would send people on',
    400,
    'authorize.held_back',
    'The app’s request was refused',
    () => harness.browser().open(harness.authorizationRequest(client, { response_type: 'token' }).url),
  ],
  [
    'a consent page that was left open too long',
    400,
    'sign_in.expired',
    'This sign-in has expired',
    async () => {
      const { browser, page } = await consent();
      later(harness.config.lifetimes.interaction + 1);
      return browser.open(page.url);
    },
  ],
  [
    'a resume that nobody waits for',
    400,
    'sign_in.expired',
    'This sign-in has expired',
    () => harness.browser().open(`${ISSUER}/authorize/unknown`),
  ],
  [
    'another browser',
    403,
    'sign_in.foreign',
    'This sign-in belongs to another browser',
    async () => harness.browser().open((await consent()).page.url),
  ],
  [
    'an answer of upstream in another browser',
    403,
    'sign_in.foreign',
    'This sign-in belongs to another browser',
    async () => {
      const { browser, page } = await consent();
      return harness.browser().open((await browser.submit(page, 'allow', {}, atCallback)).url);
    },
  ],
  [
    'an answered consent page',
    400,
    'sign_in.used',
    'This sign-in was already used',
    async () => {
      const { browser, page } = await consent();
      await browser.submit(page, 'deny', {}, ({ pathname }) => pathname.startsWith('/authorize/'));
      return browser.open(page.url);
    },
  ],
  [
    'a form from elsewhere',
    400,
    'sign_in.forged',
    'The form was not sent from our page',
    async () => {
      const { browser, page } = await consent();
      return browser.submit(page, 'allow', { token: 'guessed' });
    },
  ],
  [
    'an upstream that is down',
    503,
    'upstream.unavailable',
    'The identity provider does not answer',
    async () => {
      harness.upstream.failure = 503;
      const { browser, page } = await consent();
      return browser.submit(page, 'allow');
    },
  ],
  [
    'an account that no rule lets in',
    403,
    'person.not_allowed',
    'This account may not sign in here',
    async () => {
      const { browser, page } = await consent();
      return browser.submit(page, 'allow');
    },
  ],
  [
    'a store that cannot be reached',
    503,
    'request.unavailable',
    'This server is having a problem',
    async () => {
      vi.spyOn(harness.store, 'read').mockRejectedValue(new DOMException('too late', 'TimeoutError'));
      return harness.browser().open(harness.authorizationRequest(client).url);
    },
  ],
  [
    'an error that nobody foresaw',
    500,
    'request.failed',
    'Something went wrong here',
    async () => {
      vi.spyOn(harness.store, 'read').mockRejectedValue(new TypeError('a mistake of ours'));
      return harness.browser().open(harness.authorizationRequest(client).url);
    },
  ],
] as const;

describe('a person who meets', () => {
  it.each(WAYS)('%s gets %i, and the operator finds %s by the reference', async (_, status, event, title, way) => {
    const page = await currentRequest.run({ id: REFERENCE }, way);
    expect(page.status).toBe(status);
    expect(page.text).toContain(`<h1>${title}</h1>`);
    expect(page.text).toContain(`<title>${title}</title>`);
    const [, reference] = /Reference: (\S+)/.exec(wordsOf(page)) ?? [];
    if (ON_LAMBDA) expect(reference).toBe(REFERENCE);
    expect(reference).toMatch(/\S{20,}/);
    expect(logged.filter((line) => line.event === event)).toEqual([expect.objectContaining({ requestId: reference })]);
    expect(page.headers.get('retry-after')).toBe(status === 503 ? '5' : null);
  });

  it.each(WAYS)('%s is told where help is', async (_name, _status, _event, _title, way) => {
    const { text } = await way();
    expect(text).toContain(`<a href="${SUPPORT.replace('&', '&#38;')}" rel="noreferrer">Get help</a>`);
  });
});

describe('the page for a redirect URI that is not registered', () => {
  it('has beside it in the log which client named which address', async () => {
    const params = { redirect_uri: 'https://evil.example/cb' };
    await harness.browser().open(harness.authorizationRequest(client, params).url);
    expect(logged).toContainEqual(
      expect.objectContaining({
        event: 'authorization.refused',
        clientId: client.client_id,
        redirectUri: 'https://evil.example/cb',
      }),
    );
  });

  it('leads nowhere, and names neither that address nor the registered one', async () => {
    const { text, status, headers } = await harness
      .browser()
      .open(harness.authorizationRequest(client, { redirect_uri: 'https://evil.example/cb' }).url);
    expect([status, headers.get('location')]).toEqual([400, null]);
    expect(text).not.toContain('evil.example');
    expect(text).not.toContain(new URL(REDIRECT_URI).host);
  });
});

describe('the page for an impossible request', () => {
  it('shows what the request said as text, and says that it is English', async () => {
    const url = harness.authorizationRequest(client, { redirect_uri: undefined }).url;
    const page = await harness.browser({ 'accept-language': 'de' }).open(url);
    expect(page.text).toMatch(/<html lang="de" .*<bdi lang="en">[^<]*redirect_uri[^<]*<\/bdi>/s);
  });
});

describe('the page for a refused request', () => {
  async function refused(redirect_uri: string, language: string) {
    const own = await harness.register({ redirect_uris: [redirect_uri] });
    const { url } = harness.authorizationRequest(own, { redirect_uri, resource: 'https://other.example/mcp' });
    return harness.browser({ 'accept-language': language }).open(url);
  }

  it('says why, and names the host that its link leads to', async () => {
    const page = await refused('https://client.example.com:8443/callback', 'de');
    expect(wordsOf(page)).toContain('Die Anfrage lässt sich nicht beantworten: unknown protected resource.');
    expect(wordsOf(page)).toContain('Zurück zu client.example.com:8443');
    expect(page.text).toContain('<bdi lang="en">unknown protected resource</bdi>');
    expect(linkOf(page.text).host).toBe('client.example.com:8443');
    expect(logged).toContainEqual(
      expect.objectContaining({ event: 'authorize.held_back', host: 'client.example.com:8443' }),
    );
  });

  it('has no words of the redirect URI', async () => {
    const page = await refused('https://client.example.com/callback?error_description=Call+us&error=Now', 'en');
    expect(wordsOf(page)).toContain('The request cannot be answered: invalid_target.');
    expect(wordsOf(page)).not.toMatch(/Call|Now/);
  });
});

describe('an account that no rule lets in', () => {
  async function refused(claims: Record<string, unknown>) {
    harness.upstream.claims = { sub: 'eve', ...claims };
    const { browser, page } = await consent();
    return { browser, page: await browser.submit(page, 'allow') };
  }

  it.each([
    [{ email: 'eve@example.com', name: 'Eve' }, 'You signed in as eve@example.com. '],
    [{ name: 'Eve' }, 'You signed in as Eve. '],
    [{ name: '<b>Eve</b>\u202E' }, 'You signed in as <b>Eve</b>. '],
    [{ email: ['eve@example.com'] }, 'The account that you signed in with has no access'],
    [{ name: '\u3164' }, 'The account that you signed in with has no access'],
    [{}, 'The account that you signed in with has no access'],
  ])('%j is told which account that is', async (claims, words) => {
    const { page } = await refused(claims);
    expect(wordsOf(page)).toContain(words);
    expect(page.text).not.toContain('<b>');
  });

  it('is in the log as the rule and the client, not as the person', async () => {
    await refused({ email: 'eve@example.com', name: 'Eve' });
    expect(logged.filter(({ event }) => event === 'person.not_allowed')).toEqual([
      {
        level: 'INFO',
        timestamp: expect.any(String),
        event: 'person.not_allowed',
        requestId: expect.any(String),
        clientId: client.client_id,
        claim: 'email',
      },
    ]);
    expect(JSON.stringify(logged)).not.toMatch(/eve@|Eve/);
  });

  it('goes back to the app, which hears access_denied', async () => {
    const { browser, page } = await refused({ email: 'eve@example.com' });
    const { url } = await browser.submit(page, 'leave', {}, atClient);
    expect(Object.fromEntries(url.searchParams)).toMatchObject({
      error: 'access_denied',
      error_description: 'This account may not sign in here',
      state: 'client-state',
      iss: ISSUER,
    });
    expect(logged).toContainEqual(expect.objectContaining({ event: 'sign_in.left', clientId: client.client_id }));
  });

  it('goes back to the app by its own form only', async () => {
    const { browser, page } = await refused({ email: 'eve@example.com' });
    expect((await browser.submit(page, 'leave', { token: 'guessed' }, atClient)).status).toBe(400);
  });

  it('gets in with another one, for which upstream is told to ask', async () => {
    const { browser, page } = await refused({ email: 'eve@example.com' });
    expect(harness.upstream.requests.at(-1)?.has('prompt')).toBe(false);
    const [, href] = /<a class="button primary" href="([^"]+)">Use another account<\/a>/.exec(page.text) ?? [];
    const again = await browser.open(new URL(href!, page.url));
    expect(wordsOf(again)).toContain('Connect Test client to');
    harness.upstream.claims = { sub: 'ada', email: 'ada@example.com' };
    const { url } = await browser.submit(again, 'allow', {}, atClient);
    expect(url.searchParams.get('code')).toBeTruthy();
    const [first, second] = harness.upstream.requests.slice(-2);
    expect(second?.get('prompt')).toBe('login');
    expect(second?.get('state')).not.toBe(first?.get('state'));
  });

  it('is not let in by the first answer, sent again', async () => {
    harness.upstream.claims = { sub: 'eve', email: 'eve@example.com' };
    const { browser, page } = await consent();
    const answer = await browser.submit(page, 'allow', {}, atCallback);
    expect((await browser.open(answer.url)).status).toBe(403);
    harness.upstream.claims = { sub: 'ada', email: 'ada@example.com' };
    const replayed = await browser.open(answer.url);
    expect([replayed.status, wordsOf(replayed)]).toEqual([400, expect.stringContaining('already used')]);
  });

  it.each([
    [['login', 'none', 'select_account'], 'select_account'],
    [['login', 'none'], 'login'],
  ])('at an upstream that knows the prompts %j is sent there with %s', async (prompts, prompt) => {
    harness.upstream.promptValues = prompts;
    const { browser, page } = await consent();
    const again = await browser.open(new URL('?account=other', page.url));
    await browser.submit(again, 'allow');
    expect(harness.upstream.requests.at(-1)?.get('prompt')).toBe(prompt);
  });
});
