import { fork } from 'node:child_process';
import { once } from 'node:events';
import { createServer } from 'node:net';
import * as openid from 'openid-client';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type DemoIdentityProvider, startIdentityProvider } from '../../../local/identity-provider/start';
import { Browser, type Visit } from './browser';

const REDIRECT_URI = 'http://localhost:3000/callback';
let idp: DemoIdentityProvider;
let client: openid.Configuration;

beforeAll(async () => {
  idp = await startIdentityProvider({ port: 0, redirectUri: REDIRECT_URI });
  client = await openid.discovery(new URL(idp.issuer), idp.clientId, idp.clientSecret, undefined, {
    execute: [openid.allowInsecureRequests],
  });
});
afterAll(() => idp.close());

/** An authorization request with PKCE, state and nonce, and what redeems its answer. */
async function request(parameters: Record<string, string> = {}) {
  const verifier = openid.randomPKCECodeVerifier();
  const [state, nonce] = [openid.randomState(), openid.randomNonce()];
  const url = openid.buildAuthorizationUrl(client, {
    redirect_uri: REDIRECT_URI,
    scope: 'openid profile email groups',
    code_challenge: await openid.calculatePKCECodeChallenge(verifier),
    code_challenge_method: 'S256',
    state,
    nonce,
    ...parameters,
  });
  const redeem = (visit: Visit) =>
    openid.authorizationCodeGrant(client, visit.location!, {
      pkceCodeVerifier: verifier,
      expectedState: state,
      expectedNonce: nonce,
    });
  return { url, redeem };
}
const [ADA, GRACE] = [0, 1];
const go = (browser: Browser, url: URL) => browser.go(url, REDIRECT_URI);
const submit = (browser: Browser, page: Visit, fields: Record<string, string>) =>
  browser.submit(page, fields, REDIRECT_URI);

describe('signing in', () => {
  it('gives an ID token with the claims of the scopes', async () => {
    const browser = new Browser();
    const { url, redeem } = await request();
    const tokens = await redeem(await submit(browser, await go(browser, url), idp.users[ADA]!));
    const claims = {
      sub: 'demo-ada',
      email: 'ada@example.com',
      email_verified: true,
      name: 'Ada Lovelace',
      groups: ['engineering', 'administrators'],
    };
    expect(tokens.claims()).toMatchObject({ ...claims, iss: idp.issuer, aud: idp.clientId });
    expect(await openid.fetchUserInfo(client, tokens.access_token, 'demo-ada')).toEqual(claims);
  });

  it('takes an address with capitals and blanks around it', async () => {
    const browser = new Browser();
    const { url, redeem } = await request({ scope: 'openid' });
    const { password } = idp.users[GRACE]!;
    const visit = await submit(browser, await go(browser, url), { username: ' Grace@Example.com ', password });
    const claims = (await redeem(visit)).claims()!;
    expect(claims.sub).toBe('demo-grace');
    expect(claims.email).toBeUndefined();
  });

  it('shows the form again after a wrong password, with what was typed but the password', async () => {
    const browser = new Browser();
    const { url, redeem } = await request();
    const wrong = { username: idp.users[ADA]!.username, password: `wrong${idp.users[GRACE]!.password}` };
    const again = await submit(browser, await go(browser, url), wrong);
    expect(again).toMatchObject({ status: 200, location: undefined });
    expect(again.body).toContain('role="alert"');
    expect(again.body).toContain('value="ada@example.com"');
    expect(again.body).not.toContain(wrong.password);
    expect((await redeem(await submit(browser, again, idp.users[ADA]!))).claims()!.sub).toBe('demo-ada');
  });

  it("does not take another person's password", async () => {
    const browser = new Browser();
    const { url } = await request();
    const { password } = idp.users[GRACE]!;
    const visit = await submit(browser, await go(browser, url), { username: 'ada@example.com', password });
    expect(visit.body).toContain('role="alert"');
  });

  it('escapes what was typed', async () => {
    const browser = new Browser();
    const { url } = await request();
    const fields = { username: '"><script>alert(1)</script>', password: 'x' };
    expect((await submit(browser, await go(browser, url), fields)).body).not.toContain('<script>');
  });

  it('can be cancelled: access_denied, with state and iss', async () => {
    const browser = new Browser();
    const { url } = await request({ state: 'of the client' });
    const { location } = await submit(browser, await go(browser, url), { cancel: 'yes' });
    expect(Object.fromEntries(location!.searchParams)).toMatchObject({
      error: 'access_denied',
      state: 'of the client',
      iss: idp.issuer,
    });
  });

  it('from another browser is refused with a page', async () => {
    const { url } = await request();
    const page = await go(new Browser(), url);
    expect(await go(new Browser(), page.url)).toMatchObject({
      status: 400,
      body: expect.stringContaining('expired or belongs to another browser'),
    });
  });
});

describe('the session', () => {
  async function signedIn(user: number) {
    const browser = new Browser();
    const { url } = await request();
    await submit(browser, await go(browser, url), idp.users[user]!);
    return browser;
  }

  it('spares a second sign-in', async () => {
    const browser = await signedIn(ADA);
    const { url, redeem } = await request();
    expect((await redeem(await go(browser, url))).claims()!.sub).toBe('demo-ada');
  });

  it('does not spare it with prompt=login, and another person may then sign in', async () => {
    const browser = await signedIn(ADA);
    const { url, redeem } = await request({ prompt: 'login' });
    const page = await go(browser, url);
    expect(page.body).toContain('name="password"');
    expect((await redeem(await submit(browser, page, idp.users[GRACE]!))).claims()!.sub).toBe('demo-grace');
    const next = await request();
    expect((await next.redeem(await go(browser, next.url))).claims()!.sub).toBe('demo-grace');
  });

  it('answers prompt=none: login_required without one, a code with one', async () => {
    const without = await request({ prompt: 'none' });
    const { location } = await go(new Browser(), without.url);
    expect(location!.searchParams.get('error')).toBe('login_required');
    const { url, redeem } = await request({ prompt: 'none' });
    expect((await redeem(await go(await signedIn(ADA), url))).claims()!.sub).toBe('demo-ada');
  });

  it('asks for no consent, not even with prompt=consent', async () => {
    const { url, redeem } = await request({ prompt: 'consent' });
    expect((await redeem(await go(await signedIn(ADA), url))).claims()!.sub).toBe('demo-ada');
  });

  it('ends with signing out', async () => {
    const browser = await signedIn(ADA);
    const page = await browser.go(`${idp.issuer}/sign-out`);
    expect(page.body).toContain('Ada Lovelace');
    expect((await browser.submit(page, {})).body).toContain('Signed out');
    expect((await browser.go(`${idp.issuer}/sign-out`)).body).toContain('Nobody is signed in');
    const { url } = await request();
    expect((await go(browser, url)).body).toContain('name="password"');
  });
});

describe('the page', () => {
  it('is a labelled form without scripts and names the people', async () => {
    const { url } = await request();
    const { body } = await go(new Browser(), url);
    expect(body).toContain('Demo identity provider');
    for (const { username, password } of idp.users) {
      expect(body).toContain(username);
      expect(body).not.toContain(password);
    }
    for (const field of ['username', 'password']) expect(body).toContain(`<label for="${field}">`);
    expect(body).toContain('<html lang="en">');
    expect(body).toContain('name="viewport"');
    expect(body).toContain('prefers-color-scheme: dark');
    expect(body).not.toMatch(/<script|javascript:|https?:/);
  });

  it('tells of a wrong redirect URI instead of going there', async () => {
    const { url } = await request({ redirect_uri: 'http://localhost:3000/else' });
    const page = await go(new Browser(), url);
    expect(page).toMatchObject({ status: 400, location: undefined });
    expect(page.body).toContain('This did not work');
  });
});

describe('the process', () => {
  it('ends with close, and frees its port', async () => {
    const other = await startIdentityProvider({ port: 0, redirectUri: REDIRECT_URI });
    expect(other.clientSecret).not.toBe(idp.clientSecret);
    await other.close();
    await expect(fetch(other.issuer)).rejects.toThrow();
    const again = await startIdentityProvider({ port: Number(new URL(other.issuer).port), redirectUri: REDIRECT_URI });
    expect(again.issuer).toBe(other.issuer);
    await again.close();
  });

  it('says which port is in use', async () => {
    const occupant = createServer().listen(0, '127.0.0.1');
    await once(occupant, 'listening');
    const { port } = occupant.address() as { port: number };
    await expect(startIdentityProvider({ port, redirectUri: REDIRECT_URI })).rejects.toThrow(
      `Port ${port} on 127.0.0.1 is in use`,
    );
    occupant.close();
  });

  it('ends when its parent has ended', async () => {
    const child = fork(`${__dirname}/../../../dist/local/identity-provider/server.js`, {
      execArgv: [],
      stdio: ['ignore', 'ignore', 'ignore', 'ipc'],
    });
    child.send({ port: 0, redirectUri: REDIRECT_URI, clientId: 'id', clientSecret: 'secret', people: [] });
    const [{ issuer }] = await once(child, 'message');
    expect((await fetch(`${issuer}/jwks`)).status).toBe(200);
    const ended = once(child, 'exit');
    child.disconnect();
    expect(await ended).toEqual([0, null]);
  });
});
