import { decodeJwt } from 'jose';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { McpApp } from '../mcp-app';
import { answerAt, FrontDoor, onConsent, sees } from './front-door';

let door: FrontDoor;
beforeAll(async () => {
  door = await FrontDoor.open();
});
afterEach(async () => {
  await door.local.stack.setClockOffset(0);
  await door.sendUsersHome();
});
afterAll(() => door?.[Symbol.asyncDispose]());

/** The codes that came to the client. */
const codes = () =>
  door.listener.requests.map(({ url }) => new URL(url, door.redirectUri).searchParams.get('code')).filter(Boolean);

describe.each([
  ['without JavaScript', false],
  ['with JavaScript', true],
])('the official MCP client and a browser %s', (_, javaScriptEnabled) => {
  it('come to a tool call with the keyboard alone', async () => {
    const ada = await door.user({ javaScriptEnabled });
    const authorize = async (url: URL, redirectUri: string) => {
      const page = await ada.open(url.href);
      await ada.press(onConsent.proceed(page));
      await door.signIn(ada, page);
      return (await answerAt(page, redirectUri)).searchParams;
    };
    const app = new McpApp(door.local.mcpUrl, { authorize }, { redirectUrl: door.redirectUri });
    await app.connect();
    expect(await app.call('whoami')).toContain('ada@example.com');
    await app.close();
  });
});

describe('with the keyboard alone', () => {
  it('a person who is signed in upstream is asked for consent all the same', async () => {
    const ada = await door.user();
    const client = await door.client();
    const page = await ada.open(client.authorizationUrl());
    await ada.press(onConsent.proceed(page));
    await door.signIn(ada, page);
    await answerAt(page, client.redirectUri);

    const again = await ada.open(client.authorizationUrl());
    await sees(again, /^Connect Example editor to/);
    // Upstream asks nothing more, so all the redirects hang on the consent page's form.
    await ada.press(onConsent.proceed(again), 'Space');
    const answer = await answerAt(again, client.redirectUri);
    expect(await client.redeem(answer)).toMatchObject({ status: 200 });
  });

  it('a second person in the same browser gets in as that person, and the first stays who they were', async () => {
    const both = await door.user();
    const client = await door.client();
    const page = await both.open(client.authorizationUrl());
    await both.press(onConsent.proceed(page));
    await door.signIn(both, page, 0);
    const first = await client.redeem(await answerAt(page, client.redirectUri));

    const upstream = await both.open(`${door.local.identityProvider.issuer}/sign-out`);
    await both.press(upstream.getByRole('button', { name: 'Sign out' }));
    await sees(upstream, 'Signed out');
    const later = await both.open(client.authorizationUrl());
    await both.press(onConsent.proceed(later));
    await door.signIn(both, later, 1);
    const second = await client.redeem(await answerAt(later, client.redirectUri));

    expect([first.status, second.status]).toEqual([200, 200]);
    expect(decodeJwt(second.access_token).sub).not.toBe(decodeJwt(first.access_token).sub);
  });

  it('a person refuses, and the client learns it', async () => {
    const ada = await door.user();
    const client = await door.client();
    const page = await ada.open(client.authorizationUrl());
    await ada.press(onConsent.refuse(page));
    const answer = await answerAt(page, client.redirectUri);
    expect(answer.searchParams.get('error')).toBe('access_denied');
    expect(answer.searchParams.has('code')).toBe(false);
    expect(ada.requests.map((request) => new URL(request.url()).origin)).not.toContain(
      door.local.identityProvider.issuer,
    );
  });

  it('a person changes their mind upstream, and the client learns it', async () => {
    const ada = await door.user();
    const client = await door.client();
    const page = await ada.open(client.authorizationUrl());
    await ada.press(onConsent.proceed(page));
    // Both pages have such a button.
    await sees(page, 'Sign in');
    await ada.press(page.getByRole('button', { name: 'Cancel' }));
    const answer = await answerAt(page, client.redirectUri);
    expect(answer.searchParams.get('error')).toBe('access_denied');
  });

  it('two tabs at once both end in a code', async () => {
    const ada = await door.user();
    const [one, two] = [await door.client(), await door.client()];
    const first = await ada.open(one.authorizationUrl());
    const second = await ada.open(two.authorizationUrl());
    await ada.press(onConsent.proceed(first));
    await sees(first, 'Sign in');
    await ada.press(onConsent.proceed(second));
    await door.signIn(ada, second);
    const later = await answerAt(second, two.redirectUri);
    await door.signIn(ada, first);
    const earlier = await answerAt(first, one.redirectUri);
    expect(await one.redeem(earlier)).toMatchObject({ status: 200 });
    expect(await two.redeem(later)).toMatchObject({ status: 200 });
  });

  it('the consent page can be loaded again', async () => {
    const ada = await door.user();
    const client = await door.client();
    const page = await ada.open(client.authorizationUrl());
    await page.reload();
    await ada.press(onConsent.proceed(page));
    await door.signIn(ada, page);
    expect(await client.redeem(await answerAt(page, client.redirectUri))).toMatchObject({ status: 200 });
  });
});

describe('the back button', () => {
  it('leads from upstream to the consent page, which can be answered again', async () => {
    const ada = await door.user();
    const client = await door.client();
    const before = codes().length;
    const page = await ada.open(client.authorizationUrl());
    await ada.press(onConsent.proceed(page));
    await sees(page, 'Sign in');
    await page.goBack();
    await ada.press(onConsent.proceed(page));
    await door.signIn(ada, page);
    expect(await client.redeem(await answerAt(page, client.redirectUri))).toMatchObject({ status: 200 });
    expect(codes()).toHaveLength(before + 1);
  });

  it('leads from the client to a page that says that the sign-in is over, and nothing is issued twice', async () => {
    const ada = await door.user();
    const client = await door.client();
    const before = codes().length;
    const page = await ada.open(client.authorizationUrl());
    const consent = page.url();
    await ada.press(onConsent.proceed(page));
    await door.signIn(ada, page);
    await answerAt(page, client.redirectUri);
    while (page.url() !== consent) await page.goBack();
    await sees(page, 'This sign-in has expired');
    await expect(page.getByText('connect again').isVisible()).resolves.toBe(true);
    expect(codes()).toHaveLength(before + 1);
  });
});

describe('after the time is up', () => {
  it('the consent page can neither be sent nor loaded again, and says so', async () => {
    const ada = await door.user();
    const client = await door.client();
    const page = await ada.open(client.authorizationUrl());
    await door.later(16 * 60, ada);
    await ada.press(onConsent.proceed(page));
    await sees(page, 'This sign-in has expired');
    await page.goBack();
    await sees(page, 'This sign-in has expired');
  });

  it('an answer from upstream brings no code, and the page says so', async () => {
    const ada = await door.user();
    const client = await door.client();
    const before = codes().length;
    const page = await ada.open(client.authorizationUrl());
    await ada.press(onConsent.proceed(page));
    await sees(page, 'Sign in');
    await door.later(16 * 60, ada);
    await door.signIn(ada, page);
    await sees(page, 'This sign-in has expired');
    expect(codes()).toHaveLength(before);
  });
});
