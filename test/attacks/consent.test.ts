import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { atCallback, atClient, Harness, ISSUER, linkOf } from '../lambda/provider/harness';

let harness: Harness;
let client: Record<string, string>;
beforeAll(async () => {
  harness = await Harness.start();
  client = await harness.register();
});
afterAll(() => harness[Symbol.asyncDispose]());
afterEach(() => {
  delete harness.upstream.held;
});

const STRANGER = 'https://stranger.example/callback';
const atStranger = (url: URL) => url.href.startsWith(STRANGER);

/** One consent page, sent as often as there are attempts, each of which has come back from upstream. */
async function answers(attempts: number) {
  const browser = harness.browser();
  const { url, codeVerifier } = harness.authorizationRequest(client);
  const page = await browser.open(url);
  const cookie = browser.cookieHeader(page.url);
  const urls: URL[] = [];
  for (let i = 0; i < attempts; i++) urls.push((await browser.submit(page, 'allow', {}, atCallback)).url);
  return { browser, page, codeVerifier, cookie, urls };
}

describe('a second client that rides on a live sign-in (confused deputy)', () => {
  it('gets nothing without a consent of its own, in the browser that has just signed in for another', async () => {
    const browser = harness.browser();
    await harness.signIn(client, {}, browser);
    const stranger = await harness.register({ client_name: 'Stranger', redirect_uris: [STRANGER] });
    const before = harness.upstream.requests.length;
    const page = await browser.open(harness.authorizationRequest(stranger, { redirect_uri: STRANGER }).url, atStranger);
    expect([page.url.origin, page.status]).toEqual([ISSUER, 200]);
    expect(page.text).toContain('Stranger');
    expect(page.text).toContain('stranger.example');
    expect(harness.upstream.requests).toHaveLength(before);
  });

  it('gets nothing silently', async () => {
    const browser = harness.browser();
    await harness.signIn(client, { scope: 'openid notes:use' }, browser);
    const stranger = await harness.register({ client_name: 'Stranger', redirect_uris: [STRANGER] });
    const silent = { redirect_uri: STRANGER, prompt: 'none', scope: 'openid notes:use' };
    const page = await browser.open(harness.authorizationRequest(stranger, silent).url, atStranger);
    expect(Object.fromEntries(linkOf(page.text).searchParams)).toEqual({
      error: 'login_required',
      error_description: expect.any(String),
      state: 'client-state',
      iss: ISSUER,
    });
  });

  it('gets nothing that the same client was granted before: each authorization is asked for', async () => {
    const browser = harness.browser();
    await harness.signIn(client, {}, browser);
    const page = await browser.open(harness.authorizationRequest(client).url, atClient);
    expect([page.url.origin, page.status]).toEqual([ISSUER, 200]);
  });

  it('cannot send the consent that was given to another one to its own page', async () => {
    const browser = harness.browser();
    const own = await browser.open(harness.authorizationRequest(client).url);
    const stranger = await harness.register({ client_name: 'Stranger', redirect_uris: [STRANGER] });
    const other = await browser.open(harness.authorizationRequest(stranger, { redirect_uri: STRANGER }).url);
    const token = /name="token" value="([^"]+)"/.exec(own.text)?.[1] ?? '';
    expect((await browser.submit(other, 'allow', { token }, atStranger)).status).toBe(400);
  });
});

describe('two answers to one consent', () => {
  it('give one code, where the first has ended before the second is looked at', async () => {
    const { browser, page, cookie, urls } = await answers(2);
    let release = () => {};
    harness.upstream.held = new Promise((resolve) => {
      release = resolve;
    });
    const before = harness.upstream.tokenRequests.length;
    const late = harness.fetch(urls[0]!, { headers: { cookie } });
    await expect.poll(() => harness.upstream.tokenRequests.length).toBe(before + 1);
    delete harness.upstream.held;
    const { url } = await browser.open(urls[1]!, atClient);
    expect(url.searchParams.get('code')).toBeTruthy();

    release();
    const refused = await late;
    expect([refused.status, refused.headers.get('location')]).toEqual([400, null]);
    const uid = page.url.pathname.split('/').at(-1);
    const again = await harness.fetch(`/authorize/${uid}`, {
      headers: { cookie: `${cookie}; __Secure-mcp-resume=${uid}` },
    });
    expect(again.headers.get('location') ?? '').not.toContain('code=');
  });

  it('are taken once where they come at once, and leave one grant of the person', async () => {
    const grants = async () => (await harness.items()).filter(({ pk }) => pk?.S?.startsWith('person#')).length;
    const before = await grants();
    const { cookie, urls } = await answers(5);
    const statuses = await Promise.all(
      urls.map(async (url) => (await harness.fetch(url, { headers: { cookie } })).status),
    );
    expect(statuses.sort()).toEqual([303, 400, 400, 400, 400]);
    expect(await grants()).toBe(before + 1);
  });

  it('cannot turn a refusal into an approval', async () => {
    const { browser, page, cookie, urls } = await answers(1);
    const { url: refused } = await browser.submit(page, 'deny', {}, atClient);
    expect(refused.searchParams.get('error')).toBe('access_denied');
    expect((await harness.fetch(urls[0]!, { headers: { cookie } })).status).toBe(400);
  });
});

describe('upstream’s state', () => {
  it('that an attacker has fixed signs nobody in: the victim’s browser holds no secret for it (login CSRF)', async () => {
    const attacker = await answers(1);
    const victim = harness.browser();
    await victim.open(harness.authorizationRequest(client).url);
    const page = await victim.open(attacker.urls[0]!, atClient);
    expect([page.status, page.url.pathname]).toEqual([403, '/callback']);
  });

  it('is replayed in vain by the very browser that it belongs to', async () => {
    const { browser, cookie, urls } = await answers(1);
    await browser.open(urls[0]!, atClient);
    const replayed = await harness.fetch(urls[0]!, { headers: { cookie } });
    expect([replayed.status, replayed.headers.get('location')]).toEqual([400, null]);
  });

  it('of another sign-in in the same browser does not fit this one', async () => {
    const [one, other] = [await answers(1), await answers(1)];
    const mixed = new URL(one.urls[0]!);
    mixed.searchParams.set('state', other.urls[0]!.searchParams.get('state') ?? '');
    const both = { cookie: `${one.cookie}; ${other.cookie}` };
    const answered = await harness.fetch(mixed, { headers: both });
    const back = new URL(answered.headers.get('location') ?? '', ISSUER);
    const { headers } = await harness.fetch(back, {
      headers: { cookie: `${both.cookie}; __Secure-mcp-resume=${back.pathname.split('/').at(-1)}` },
    });
    const { searchParams } = new URL(headers.get('location') ?? '');
    expect([searchParams.get('code'), searchParams.get('error')]).toEqual([null, 'access_denied']);
  });
});
