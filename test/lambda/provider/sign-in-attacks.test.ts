import { Provider } from 'oidc-provider';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { atCallback, atClient, Harness, ISSUER, later, REDIRECT_URI } from './harness';

let harness: Harness;
let client: Record<string, string>;
beforeAll(async () => {
  harness = await Harness.start();
  client = await harness.register();
});
afterAll(() => harness[Symbol.asyncDispose]());
beforeEach(() => {
  harness.upstream.claims = { sub: 'ada' };
  delete harness.upstream.error;
  delete harness.upstream.nonce;
  delete harness.upstream.failure;
});
afterEach(() => {
  vi.useRealTimers();
});

/** A consent page in a browser of its own. */
async function consent(params: Record<string, string> = {}) {
  const browser = harness.browser();
  const { url, codeVerifier } = harness.authorizationRequest(client, params);
  return { browser, page: await browser.open(url), codeVerifier };
}

describe('nothing goes upstream, and no code comes back,', () => {
  it('before the person consents', async () => {
    const before = harness.upstream.requests.length;
    const { page } = await consent();
    expect(page.url.pathname).toMatch(/^\/interaction\//);
    expect(harness.upstream.requests).toHaveLength(before);
  });

  it('when the person refuses: the client receives access_denied with state and iss', async () => {
    const { browser, page } = await consent();
    const before = harness.upstream.requests.length;
    const { url } = await browser.submit(page, 'deny', {}, atClient);
    expect(Object.fromEntries(url.searchParams)).toMatchObject({
      error: 'access_denied',
      state: 'client-state',
      iss: ISSUER,
    });
    expect(harness.upstream.requests).toHaveLength(before);
  });

  it('when the consent page is opened in another browser', async () => {
    const { page } = await consent();
    const stranger = await harness.browser().open(page.url);
    expect(stranger.status).toBe(403);
    expect(stranger.text).toContain('another browser');
  });

  it('when the form is sent from another browser', async () => {
    const { page } = await consent();
    const sent = await harness.browser().submit(page, 'allow', {}, atClient);
    expect(sent.status).toBe(403);
  });

  it.each([
    ['without its token', { token: '' }, {}],
    ['with the token of another sign-in', { token: 'other' }, {}],
  ])('when the form is sent %s', async (_, fields) => {
    const { browser, page } = await consent();
    const before = harness.upstream.requests.length;
    expect((await browser.submit(page, 'allow', fields, atClient)).status).toBe(400);
    expect(harness.upstream.requests).toHaveLength(before);
  });

  it.each(['cross-site', 'same-site', 'none'])('when the form is sent from elsewhere: %s', async (site) => {
    const { browser, page } = await consent();
    const token = /name="token" value="([^"]+)"/.exec(page.text)?.[1] ?? '';
    const sent = await harness.fetch(page.url, {
      method: 'POST',
      headers: {
        'content-type': 'application/x-www-form-urlencoded',
        cookie: browser.cookieHeader(page.url),
        'sec-fetch-site': site,
      },
      body: new URLSearchParams({ token, decision: 'allow' }).toString(),
    });
    expect(sent.status).toBe(400);
  });
});

describe("upstream's answer", () => {
  it('is worth nothing in another browser', async () => {
    const { browser, page } = await consent();
    const answer = await browser.submit(page, 'allow', {}, atCallback);
    const stranger = await harness.browser().open(answer.url, atClient);
    expect(stranger.status).toBe(403);
    const stillOpen = await browser.open(answer.url, atClient);
    expect(stillOpen.url.searchParams.get('code')).toBeTruthy();
  });

  it('is worth nothing in a browser that has a sign-in of its own', async () => {
    const [victim, attacker] = [await consent(), await consent()];
    const answer = await attacker.browser.submit(attacker.page, 'allow', {}, atCallback);
    await victim.browser.submit(victim.page, 'allow', {}, atCallback);
    expect((await victim.browser.open(answer.url, atClient)).status).toBe(403);
  });

  it('with the wrong nonce is refused, and the client receives the error', async () => {
    harness.upstream.nonce = 'stolen';
    const { answer } = await harness.signIn(client);
    expect(Object.fromEntries(answer.searchParams)).toMatchObject({
      error: 'access_denied',
      state: 'client-state',
      iss: ISSUER,
    });
  });

  it('that the person refused there reaches the client as access_denied', async () => {
    harness.upstream.error = 'access_denied';
    const { answer } = await harness.signIn(client);
    expect(Object.fromEntries(answer.searchParams)).toMatchObject({
      error: 'access_denied',
      state: 'client-state',
      iss: ISSUER,
    });
  });

  it('that never comes is a page that says what to do, and the sign-in can be tried again', async () => {
    const { browser, page } = await consent();
    const answer = await browser.submit(page, 'allow', {}, atCallback);
    harness.upstream.failure = 500;
    const down = await browser.open(answer.url, atClient);
    expect([down.status, down.headers.get('retry-after')]).toEqual([503, '5']);
    expect(down.text).toContain(`href="${page.url.pathname}"`);
    delete harness.upstream.failure;
    const again = await browser.submit(await browser.open(page.url), 'allow', {}, atClient);
    expect(again.url.searchParams.get('code')).toBeTruthy();
  });

  it.each([601, 901])('that comes too late, after %i seconds, is a page that says so', async (seconds) => {
    const { browser, page } = await consent();
    const answer = await browser.submit(page, 'allow', {}, atCallback);
    later(seconds);
    const late = await browser.open(answer.url, atClient);
    expect(late.status).toBe(400);
    expect(late.text).toContain('expired');
  });
});

describe('the end of a sign-in', () => {
  it('gives no code to another browser that knows the addresses and the engine’s cookie', async () => {
    const { browser, page } = await consent();
    const uid = page.url.pathname.split('/').at(-1);
    const { url } = await browser.submit(page, 'allow', {}, atCallback);
    const stranger = { headers: { cookie: `__Secure-mcp-resume=${uid}` } };
    const refused = await harness.fetch(url, stranger);
    expect([refused.status, refused.headers.get('location')]).toEqual([403, null]);
    expect((await browser.open(url, atClient)).url.searchParams.get('code')).toBeTruthy();
    for (const address of [url, `/authorize/${uid}`]) {
      expect((await harness.fetch(address, stranger)).headers.get('location') ?? '').not.toContain('code=');
    }
  });

  it('is the end of this sign-in, whatever a sibling domain has set the engine’s cookie to', async () => {
    const theirs = await consent();
    await theirs.browser.submit(theirs.page, 'deny', {}, (url) => url.pathname.startsWith('/authorize/'));
    const planted = `__Secure-mcp-resume=${theirs.page.url.pathname.split('/').at(-1)}`;
    const { browser, page } = await consent();
    const withPlanted = (url: URL) => ({
      headers: { cookie: `${planted}; ${browser.cookieHeader(url)}` },
    });

    // To the client, of the sign-in that was refused, it would be an error.
    const { url } = await browser.submit(page, 'allow', {}, atCallback);
    const answer = await harness.fetch(url, withPlanted(url));
    const location = new URL(answer.headers.get('location') ?? '');
    expect([...location.searchParams.keys()]).toEqual(['code', 'state', 'iss']);

    const other = await consent();
    const uid = other.page.url.pathname.split('/').at(-1);
    const resumed = await harness.fetch(`/authorize/${uid}`, withPlanted(other.page.url));
    expect(resumed.headers.get('location')).toBeNull();
  });

  it('leaves nothing behind where the engine has an error for the client', async () => {
    const { browser, page } = await consent();
    const { url } = await browser.submit(page, 'allow', {}, atCallback);
    const headers = { cookie: browser.cookieHeader(url) };
    const granted = async () => (await harness.items()).filter(({ pk }) => /^(grant|person)#/.test(pk?.S ?? ''));
    const before = await granted();
    const location = `${REDIRECT_URI}?error=server_error`;
    const engine = vi.spyOn(Provider.prototype, 'callback');
    engine.mockReturnValue(async (_req, res) => {
      res.statusCode = 303;
      res.setHeader('location', location);
      res.end();
    });
    const answer = await harness.fetch(url, { headers });
    engine.mockRestore();
    expect(answer.headers.get('location')).toBe(location);
    expect(await granted()).toEqual(before);
  });

  it('gives no code at the engine’s address for it, to the very browser, before upstream has answered', async () => {
    const { browser, page } = await consent();
    const uid = page.url.pathname.split('/').at(-1);
    await browser.submit(page, 'allow', {}, atCallback);
    const cookie = `${browser.cookieHeader(page.url)}; __Secure-mcp-resume=${uid}`;
    const answer = await harness.fetch(`/authorize/${uid}`, { headers: { cookie } });
    expect(answer.headers.get('location') ?? '').not.toContain('code=');
  });

  it('lets two tabs of one browser both finish', async () => {
    const browser = harness.browser();
    const tabs = [harness.authorizationRequest(client), harness.authorizationRequest(client)];
    const pages = [await browser.open(tabs[0]!.url), await browser.open(tabs[1]!.url)];
    for (const page of pages) {
      const { url } = await browser.submit(page, 'allow', {}, atClient);
      expect(url.searchParams.get('code')).toBeTruthy();
    }
  });

  it('leaves room for many abandoned sign-ins in one browser', async () => {
    const browser = harness.browser();
    for (let i = 0; i < 30; i++) await browser.open(harness.authorizationRequest(client).url);
    expect(browser.cookieHeader(new URL(ISSUER)).length).toBeLessThan(2000);
    const { answer } = await harness.signIn(client, {}, browser);
    expect(answer.searchParams.get('code')).toBeTruthy();
  });

  it('asks a second person in the same browser for consent and signs that person in', async () => {
    const browser = harness.browser();
    const first = await harness.redeem(client, await harness.signIn(client, { scope: 'openid notes:use' }, browser));
    harness.upstream.claims = { sub: 'grace' };
    const second = await harness.redeem(client, await harness.signIn(client, { scope: 'openid notes:use' }, browser));
    expect(subOf(first.body.id_token)).toBeTruthy();
    expect(subOf(second.body.id_token)).not.toBe(subOf(first.body.id_token));
    harness.upstream.claims = { sub: 'ada' };
    const again = await harness.redeem(client, await harness.signIn(client, { scope: 'openid notes:use' }, browser));
    expect(subOf(again.body.id_token)).toBe(subOf(first.body.id_token));
    expect((await harness.refresh(client, first.body.refresh_token)).status).toBe(200);
  });
});

describe('who may sign in', () => {
  it.each([
    [{ email: 'ada@example.com', email_verified: true, groups: ['mcp', 'other'] }, true],
    [{ email: 'ada@EXAMPLE.com', email_verified: true, groups: ['mcp'] }, true],
    [{ email: 'ada@example.com', email_verified: false, groups: ['mcp'] }, false],
    [{ email: 'ada@notexample.com', email_verified: true, groups: ['mcp'] }, false],
    [{ email: 'ada@example.com.evil.net', email_verified: true, groups: ['mcp'] }, false],
    [{ email: 'ada@example.com', email_verified: true, groups: ['other'] }, false],
    [{ email: 'ada@example.com', email_verified: true }, false],
  ])('%j: %s', async (claims, allowed) => {
    await using guarded = await Harness.start({
      upstream: {
        allow: [
          { claim: 'email', values: ['@example.com'] },
          { claim: 'groups', values: ['mcp'] },
        ],
      },
    });
    guarded.upstream.claims = { sub: 'ada', ...claims };
    const { answer } = await guarded.signIn(await guarded.register());
    expect(atClient(answer) && answer.searchParams.has('code')).toBe(allowed);
  });
});

function subOf(idToken: string | undefined): unknown {
  return JSON.parse(Buffer.from(idToken?.split('.')[1] ?? '', 'base64url').toString()).sub;
}
