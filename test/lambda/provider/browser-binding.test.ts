import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { clientKey } from '../../../lambda/provider/keys';
import { RESOURCES_PARTITION } from '../../../lib/contract';
import { Browser } from '../../support/browser';
import { atCallback, atClient, Harness, ISSUER, later, RESOURCE } from './harness';

let harness: Harness;
let client: Record<string, string>;
beforeAll(async () => {
  harness = await Harness.start();
  client = await harness.register();
});
afterAll(() => harness[Symbol.asyncDispose]());

const atResume = (url: URL) => /^\/authorize\/./.test(url.pathname);
const uidOf = ({ url }: { url: URL }) => url.pathname.split('/').at(-1) ?? '';

async function consent() {
  const browser = harness.browser();
  const page = await browser.open(harness.authorizationRequest(client).url);
  return { browser, page, uid: uidOf(page) };
}

/** A browser that writes down every cookie that it is given. */
function recordingBrowser() {
  const cookies: string[] = [];
  const browser = new Browser(async (url, init) => {
    const response = await harness.fetch(url, init);
    cookies.push(...response.headers.getSetCookie());
    return response;
  });
  return { browser, cookies };
}

describe('the cookie of a sign-in', () => {
  it('belongs to this host alone, to no script, and lives as long as the sign-in', async () => {
    const { browser, cookies } = recordingBrowser();
    const uid = uidOf(await browser.open(harness.authorizationRequest(client).url));
    const binding = cookies.filter((cookie) => cookie.startsWith('__Host-'));
    expect(binding).toEqual([
      expect.stringMatching(
        new RegExp(`^__Host-mcp-${uid}=[\\w-]{43}\\.[\\w-]{43}; Path=/; Max-Age=4500; Secure; HttpOnly; SameSite=Lax$`),
      ),
    ]);
  });

  it.each(['allow', 'deny'])('is cleared when the sign-in has ended: %s', async (decision) => {
    const { browser, cookies } = recordingBrowser();
    const page = await browser.open(harness.authorizationRequest(client).url);
    await browser.submit(page, decision, {}, atClient);
    expect(cookies).toContain(`__Host-mcp-${uidOf(page)}=; Path=/; Max-Age=0; Secure; HttpOnly; SameSite=Lax`);
    expect(browser.cookieHeader(new URL('/', ISSUER))).toBe('');
  });

  it('is cleared by name only where the browser holds it', async () => {
    for (const path of ['/authorize/a\nb', '/authorize/a; Domain=example.com', '/authorize/unknown']) {
      const { cookies } = await harness.request({ path, headers: { cookie: '__Host-mcp-other=x' } });
      expect(cookies).toEqual([]);
    }
  });
});

describe('a sign-in', () => {
  it('sets no cookie that is not Secure, HttpOnly and SameSite=Lax, and none for a session', async () => {
    const { browser, cookies } = recordingBrowser();
    await harness.signIn(client, { scope: 'openid notes:use' }, browser);
    expect(cookies.length).toBeGreaterThan(3);
    for (const cookie of cookies) {
      expect(cookie).not.toMatch(/session/i);
      expect(cookie).toMatch(/^__(Host|Secure)-mcp-[^;]*;.*\bsecure\b/i);
      expect(cookie).toMatch(/; httponly/i);
      expect(cookie).toMatch(/; samesite=lax/i);
    }
  });

  it('sets Secure cookies where the issuer is on loopback, too', async () => {
    await using local = await Harness.start({ issuer: 'http://localhost:3000' });
    const { search } = local.authorizationRequest(await local.register()).url;
    const { status, cookies } = await local.request({ path: '/authorize', query: search.slice(1) });
    expect([status, cookies.length]).toEqual([303, 3]);
    for (const cookie of cookies) expect(cookie).toMatch(/; secure/i);
  });

  it('finds its secret in the first of two cookies with one name, which is this path’s own', async () => {
    const { browser, page, uid } = await consent();
    const cookie = browser.cookieHeader(page.url);
    const name = `__Host-mcp-${uid}`;
    const own = await harness.fetch(page.url, { headers: { cookie: `${cookie}; ${name}=planted` } });
    const planted = await harness.fetch(page.url, { headers: { cookie: `${name}=planted; ${cookie}` } });
    expect([own.status, planted.status]).toEqual([200, 403]);
  });

  it('is closed to a browser that holds another secret for it, at every step', async () => {
    const { browser, page, uid } = await consent();
    const cookie = `__Host-mcp-${uid}=another; __Secure-mcp-resume=${uid}`;
    expect((await harness.fetch(page.url, { headers: { cookie } })).status).toBe(403);
    const form = await harness.post(page.url.pathname, { decision: 'allow', token: 'x' }, { cookie });
    expect(form.status).toBe(403);
    const { url: answer } = await browser.submit(page, 'allow', {}, atCallback);
    expect((await harness.fetch(answer, { headers: { cookie } })).status).toBe(403);
    const { url } = await browser.open(answer, atClient);
    expect(url.searchParams.get('code')).toBeTruthy();
    for (const address of [answer, `/authorize/${uid}`]) {
      const late = await harness.fetch(address, { headers: { cookie } });
      expect(late.headers.get('location') ?? '').not.toContain('code=');
    }
  });

  it('asks upstream with another state, nonce and challenge at each attempt, none of which names it', async () => {
    const { browser, page, uid } = await consent();
    const before = harness.upstream.requests.length;
    for (let attempt = 0; attempt < 2; attempt++) await browser.submit(page, 'allow', {}, atCallback);
    const [one, other] = harness.upstream.requests.slice(before);
    for (const name of ['state', 'nonce', 'code_challenge']) {
      expect(one?.get(name)).toBeTruthy();
      expect(other?.get(name)).not.toBe(one?.get(name));
      expect(one?.get(name)).not.toContain(uid);
    }
  });

  it('shows upstream and the page nothing that tells its verifier, its nonce or another sign-in’s', async () => {
    const seen: (string | null | undefined)[] = [];
    for (let i = 0; i < 2; i++) {
      const { consent: page } = await harness.signIn(client);
      const request = harness.upstream.requests.at(-1);
      seen.push(request?.get('state')?.split('.')[1], request?.get('nonce'));
      seen.push(harness.upstream.tokenRequests.at(-1)?.form.get('code_verifier'));
      seen.push(/name="token" value="([^"]+)"/.exec(page.text)?.[1]);
    }
    for (const value of seen) expect(value).toMatch(/^[\w-]{43}$/);
    expect(new Set(seen).size).toBe(8);
  });

  it('takes no answer whose state it did not send, and goes on', async () => {
    const { browser, page } = await consent();
    const { url: answer } = await browser.submit(page, 'allow', {}, atCallback);
    const forged = new URL(answer);
    forged.searchParams.set('state', `${answer.searchParams.get('state')?.split('.')[0]}.forged`);
    const refused = await browser.open(forged, atClient);
    expect([refused.status, refused.headers.get('location')]).toEqual([400, null]);
    const { url } = await browser.open(answer, atClient);
    expect(url.searchParams.get('code')).toBeTruthy();
  });

  it('is over when it has been decided: the form cannot be sent again', async () => {
    const { browser, page } = await consent();
    await browser.submit(page, 'deny', {}, atResume);
    const again = await browser.submit(page, 'allow', {}, atClient);
    expect([again.status, again.url.pathname]).toEqual([400, page.url.pathname]);
  });

  it.each(['client', 'resource'])('whose %s is gone by now has expired', async (gone) => {
    await using own = await Harness.start({ instances: 1 });
    const registered = await own.register();
    const browser = own.browser();
    const page = await browser.open(own.authorizationRequest(registered).url);
    await own.store.delete(gone === 'client' ? clientKey(registered.client_id!) : `${RESOURCES_PARTITION}/${RESOURCE}`);
    later(61);
    const shown = await browser.open(page.url);
    vi.useRealTimers();
    expect([shown.status, shown.text]).toEqual([400, expect.stringContaining('has expired')]);
  });

  it('takes a decision only as a form', async () => {
    const { browser, page } = await consent();
    const token = /name="token" value="([^"]+)"/.exec(page.text)?.[1];
    const headers = { cookie: browser.cookieHeader(page.url), 'content-type': 'text/plain' };
    const sent = await harness.post(page.url.pathname, { decision: 'allow', token }, headers);
    expect(sent.status).toBe(400);
  });

  it('asks no other decision than the person’s to allow it', async () => {
    const { browser, page } = await consent();
    const before = harness.upstream.requests.length;
    const { url } = await browser.submit(page, 'allow', { decision: 'maybe' }, atClient);
    expect(url.searchParams.get('error')).toBe('access_denied');
    expect(harness.upstream.requests).toHaveLength(before);
  });

  it('keeps its addresses out of caches and Referer headers', async () => {
    const { browser, page } = await consent();
    const cookie = () => browser.cookieHeader(page.url);
    const token = /name="token" value="([^"]+)"/.exec(page.text)?.[1];
    const sent = await harness.post(page.url.pathname, { decision: 'allow', token }, { cookie: cookie() });
    const back = await fetch(sent.headers.get('location') ?? '', { redirect: 'manual' });
    const answered = await harness.fetch(back.headers.get('location') ?? '', { headers: { cookie: cookie() } });
    for (const { status, headers } of [sent, answered]) {
      expect(status).toBe(303);
      expect(headers.get('cache-control')).toBe('no-store');
      expect(headers.get('referrer-policy')).toBe('no-referrer');
    }
  });
});
