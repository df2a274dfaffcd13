import type { Page, Route } from 'playwright-core';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { startLoopbackListener } from '../../support/loopback-listener';
import { answerAt, FrontDoor, onConsent, sees } from './front-door';
import type { KeyboardUser } from './keyboard-user';

let door: FrontDoor;
/** Upstream lets her through at once: so every redirect, up to the client's, hangs on the consent page's form. */
let ada: KeyboardUser;
beforeAll(async () => {
  door = await FrontDoor.open();
  ada = await door.user();
  const client = await door.client();
  const page = await ada.open(client.authorizationUrl());
  await ada.press(onConsent.proceed(page));
  await door.signIn(ada, page);
  await answerAt(page, client.redirectUri);
});
afterEach(() => {
  expect(ada.complaints.splice(0)).toEqual([]);
});
afterAll(() => door?.[Symbol.asyncDispose]());

/** Consents, and waits until the browser sets out for an address that begins like this. */
async function consentLeadsTo(page: Page, beginning: string): Promise<URL> {
  const request = ada.context.waitForEvent('request', (each) => each.url().startsWith(beginning));
  await ada.press(onConsent.proceed(page));
  return new URL((await request).url());
}

describe('after consent the browser goes to', () => {
  it.each([
    ['a client at 127.0.0.1', () => `http://127.0.0.1:${door.listener.port}/callback`],
    ['a client at localhost', () => `http://localhost:${door.listener.port}/callback`],
    ['a client at [::1]', () => `http://[::1]:${door.listener.port}/callback`],
    ['a client on the web', () => 'https://client.example.com/callback'],
    ['an editor', () => 'cursor://anysphere.cursor-mcp/oauth/callback'],
    ['an app with a reverse domain name', () => 'com.example.app:/callback'],
  ])('%s', async (_, redirectUri) => {
    const client = await door.client(redirectUri());
    const page = await ada.open(client.authorizationUrl());
    const answer = await consentLeadsTo(page, redirectUri());
    expect(await client.redeem(answer)).toMatchObject({ status: 200 });
  });

  it('nowhere that the consent page’s policy does not name', async () => {
    const client = await door.client('cursor://anysphere.cursor-mcp/oauth/callback');
    const before = [...ada.requests];
    const page = await ada.open(client.authorizationUrl());
    const withoutItsScheme = async (route: Route) => {
      const response = await route.fetch();
      const policy = response.headers()['content-security-policy'] ?? '';
      const headers = { ...response.headers(), 'content-security-policy': policy.replace(' cursor:', '') };
      await route.fulfill({ response, headers });
    };
    await page.route(page.url(), withoutItsScheme, { times: 1 });
    await page.reload();
    const refused = page.waitForEvent('console', (message) => message.text().includes('form-action'));
    await ada.press(onConsent.proceed(page));
    await refused;
    expect(ada.complaints.splice(0)).toEqual([expect.stringContaining('form-action')]);
    const codes = ada.requests.filter((request) => request.url().startsWith('cursor:') && !before.includes(request));
    expect(codes).toEqual([]);
  });
});

describe('an authorization', () => {
  it('tells neither upstream nor the client the address of a page', async () => {
    const { issuer } = door.local.identityProvider;
    const client = await door.client();
    const page = await ada.open(client.authorizationUrl());
    await ada.press(onConsent.proceed(page));
    await answerAt(page, client.redirectUri);

    // By upstream's own page for her first sign-in, past it for this one.
    const answers = door.listener.requests.filter(({ url }) => url.includes('code='));
    expect(answers.length).toBeGreaterThan(1);
    expect(answers.filter(({ headers }) => headers.referer)).toEqual([]);
    const upstream = ada.requests.filter((request) => request.url().startsWith(issuer));
    expect(upstream.length).toBeGreaterThan(3);
    const headers = await Promise.all(upstream.map((request) => request.allHeaders()));
    // Upstream's own pages may tell upstream.
    expect(headers.filter(({ referer }) => referer && !referer.startsWith(issuer))).toEqual([]);
  });

  it('is not shown in the frame of another page, not even one of the same site that knows its address', async () => {
    const client = await door.client();
    const consent = await ada.open(client.authorizationUrl());
    await using stranger = await startLoopbackListener(`<iframe src="${consent.url()}"></iframe>`);
    const framing = await ada.open(`http://localhost:${stranger.port}/`);
    const [, frame] = framing.frames();
    await expect.poll(() => frame?.url()).toMatch(/^chrome-error:/);
    await expect.poll(() => ada.complaints).toEqual([expect.stringContaining("frame-ancestors 'none'")]);
    ada.complaints.splice(0);
    await consent.reload();
    await sees(consent, /^Connect/);
  });
});
