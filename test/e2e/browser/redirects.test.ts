import type { Page, Route } from 'playwright-core';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { startLoopbackListener } from '../../support/loopback-listener';
import { answerAt, FrontDoor, onConsent, sees } from './front-door';
import type { KeyboardUser } from './keyboard-user';

let door: FrontDoor;
beforeAll(async () => {
  door = await FrontDoor.open();
});
afterEach(() => door.sendUsersHome());
afterAll(() => door?.[Symbol.asyncDispose]());

/** Someone whom upstream lets through at once: then every redirect, up to the client's, hangs on the consent page's form. */
async function signedInUpstream(): Promise<KeyboardUser> {
  const user = await door.user();
  const client = await door.client();
  const page = await user.open(client.authorizationUrl());
  await user.press(onConsent.proceed(page));
  await door.signIn(user, page);
  await answerAt(page, client.redirectUri);
  return user;
}

/** Consents, and waits until the browser sets out for an address that begins like this. */
async function consentLeadsTo(user: KeyboardUser, page: Page, beginning: string): Promise<URL> {
  const request = user.context.waitForEvent('request', (each) => each.url().startsWith(beginning));
  await user.press(onConsent.proceed(page));
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
    const ada = await signedInUpstream();
    const client = await door.client(redirectUri());
    const page = await ada.open(client.authorizationUrl());
    const answer = await consentLeadsTo(ada, page, redirectUri());
    expect(await client.redeem(answer)).toMatchObject({ status: 200 });
  });

  it('nowhere that the consent page’s policy does not name', async () => {
    const ada = await signedInUpstream();
    const client = await door.client('cursor://anysphere.cursor-mcp/oauth/callback');
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
    expect(ada.requests.filter((request) => request.url().startsWith('cursor:'))).toEqual([]);
  });
});

describe('an authorization', () => {
  it('tells neither upstream nor the client the address of a page', async () => {
    const { issuer } = door.local.identityProvider;
    const before = door.listener.requests.length;
    const ada = await signedInUpstream();
    const client = await door.client();
    const page = await ada.open(client.authorizationUrl());
    await ada.press(onConsent.proceed(page));
    await answerAt(page, client.redirectUri);

    const answers = door.listener.requests.slice(before);
    expect(answers.map(({ headers }) => headers.referer)).toEqual([undefined, undefined]);
    const upstream = ada.requests.filter((request) => request.url().startsWith(issuer));
    expect(upstream.length).toBeGreaterThan(3);
    const headers = await Promise.all(upstream.map((request) => request.allHeaders()));
    // Upstream's own pages may tell upstream.
    expect(headers.filter(({ referer }) => referer && !referer.startsWith(issuer))).toEqual([]);
  });

  it('is not shown in the frame of another page, not even one of the same site that knows its address', async () => {
    const ada = await door.user();
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
