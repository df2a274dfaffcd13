import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { consentPage } from '../../../../lambda/provider/pages/consent-page';
import { Presentations } from '../../../../lambda/provider/pages/presentation';
import { describeRedirect } from '../../../../lambda/provider/redirect-uri';
import { SOON } from '../../../support/soon';
import { Harness, NOTES, REDIRECT_URI } from '../harness';
import { policyOf, wordsOf } from './page';

let harness: Harness;
beforeAll(async () => {
  const [use, ...others] = NOTES.scopes;
  const scopes = [{ ...use!, description: 'Use <b>all</b> notes', descriptions: { de: 'Alle Notizen' } }, ...others];
  harness = await Harness.start({ resources: [{ ...NOTES, name: 'Notes & "more"', scopes }] });
});
afterAll(() => harness[Symbol.asyncDispose]());

interface Asked {
  readonly metadata?: Record<string, unknown>;
  readonly redirectUri?: string;
  readonly scope?: string;
  readonly language?: string;
}

async function open({ metadata, redirectUri = REDIRECT_URI, scope, language }: Asked = {}) {
  const client = await harness.register({ redirect_uris: [redirectUri], ...metadata });
  const browser = harness.browser(language === undefined ? {} : { 'accept-language': language });
  return browser.open(harness.authorizationRequest(client, { redirect_uri: redirectUri, scope }).url);
}

describe('the consent page', () => {
  it.each([
    ['an https client', REDIRECT_URI, 'https:'],
    ['a client on loopback', 'http://127.0.0.1:33418/cb', 'http://127.0.0.1:33418'],
    ['a client on loopback, IPv6', 'http://[::1]:33418/cb', 'http:'],
    ['a client with a scheme of its own', 'cursor://anysphere.cursor-mcp/oauth/callback', 'cursor:'],
  ])('lets its form lead to itself, upstream and %s, and nowhere else', async (_, redirectUri, source) => {
    const { 'form-action': sources } = policyOf(await open({ redirectUri }));
    expect(new Set(sources)).toEqual(new Set(["'self'", 'https:', source, harness.upstream.issuer]));
  });

  it('says who asks, for what, where the code goes and where the sign-in is', async () => {
    const words = wordsOf(await open({ metadata: { client_name: 'Editor' } }));
    for (const expected of [
      'Connect Editor to Notes & "more"?',
      '“Editor” is the name that this app gives itself. Nobody has verified it.',
      'Access goes toclient.example.com',
      'It is given access tohttps://mcp.example.com/mcp',
      `You sign in at${new URL(harness.upstream.issuer).host}`,
    ]) {
      expect(words).toContain(expected);
    }
  });

  it('names the host that people sign in at where it is not the issuer’s, as with Cognito', async () => {
    await using cognito = await Harness.start();
    cognito.upstream.authorizationEndpoint = 'https://acme.auth.eu-central-1.amazoncognito.com/oauth2/authorize';
    const client = await cognito.register();
    // The page waits a moment for discovery, and does without it then.
    await vi.waitFor(async () => {
      const page = await cognito.browser().open(cognito.authorizationRequest(client).url);
      expect(wordsOf(page)).toContain('You sign in atacme.auth.eu-central-1.amazoncognito.com');
    }, SOON);
  });

  it('stands while the identity provider is down, and names its issuer’s host', async () => {
    await using down = await Harness.start();
    down.upstream.failure = 503;
    const client = await down.register();
    const page = await down.browser().open(down.authorizationRequest(client).url);
    expect([page.status, wordsOf(page)]).toEqual([
      200,
      expect.stringContaining(`You sign in at${new URL(down.upstream.issuer).host}`),
    ]);
  });

  it('says every scope in words, that of OpenID Connect too', async () => {
    const words = wordsOf(await open({ scope: 'openid notes:write' }));
    for (const expected of [
      'Read your notesnotes:read',
      'Add notesnotes:write',
      'Recognize you when you come backopenid',
    ]) {
      expect(words).toContain(expected);
    }
    expect(words).not.toContain('Use <b>all</b> notes');
  });

  it.each([
    [['authorization_code', 'refresh_token'], true],
    [['authorization_code'], false],
  ])('to a client of the grant types %j says that its access lasts: %s', async (grantTypes, lasts) => {
    const words = wordsOf(await open({ metadata: { grant_types: grantTypes } }));
    expect(words.includes('Keep this access while you are not using it')).toBe(lasts);
  });

  it.each([
    ['en', 'Have Notes act for you at login.example.com'],
    ['de', 'Notes bei login.example.com für Sie handeln lassen'],
    ['fr', 'Faire agir Notes en votre nom auprès de login.example.com'],
  ])('says in %s that the MCP server may act for the person upstream', async (language, words) => {
    for (const upstreamTokens of [true, undefined]) {
      await using acting = await Harness.start({ instances: 1, resources: [{ ...NOTES, upstreamTokens }] });
      acting.upstream.authorizationEndpoint = 'https://login.example.com/authorize';
      const client = await acting.register();
      // Until it knows what discovery says, see above.
      await vi.waitFor(async () => {
        const browser = acting.browser({ 'accept-language': language });
        const page = wordsOf(await browser.open(acting.authorizationRequest(client).url));
        expect(page).toContain('login.example.com');
        expect(page.includes(words)).toBe(upstreamTokens === true);
      }, SOON);
    }
  });

  it('says a scope in the language of the page where it has words in it', async () => {
    expect(wordsOf(await open({ scope: 'notes:use', language: 'de-AT' }))).toContain('Alle Notizen');
    expect(wordsOf(await open({ scope: 'notes:use', language: 'fr' }))).toContain('Use <b>all</b> notes');
  });

  it('calls a client that has no name by its id', async () => {
    const nameless = await harness.register({ client_name: '' });
    const page = await harness.browser().open(harness.authorizationRequest(nameless).url);
    expect(wordsOf(page)).toContain(`Connect ${nameless.client_id} to`);
  });

  it('shows of a long name the beginning', async () => {
    const { text } = await open({ metadata: { client_name: 'x'.repeat(5000) } });
    expect(text).toContain('x'.repeat(100));
    expect(text).not.toContain('x'.repeat(101));
  });

  it('shows no character of a name that hides or turns what stands around it', async () => {
    const page = await open({ metadata: { client_name: 'Safe\u202Eapp\u200B\u0007' } });
    expect(wordsOf(page)).toContain('Connect Safeapp to');
  });

  it('lets no name speak in the words of the page', async () => {
    const client_name = 'Claude” was registered by the people who run this server. “X';
    expect(wordsOf(await open({ metadata: { client_name } }))).toContain(
      '“Claude was registered by the people who run this server. X” is the name that this app gives itself.',
    );
  });

  it.each(['\u3164', '\u2800', '\uffa0 \u034f', '\ufe0f', '“”'])(
    'shows the client’s id where there is nothing to see of its name: %j',
    async (client_name) => {
      const { text } = await open({ metadata: { client_name } });
      expect(text).toMatch(/“<bdi>[\w-]{10,}<\/bdi>” is the name/);
    },
  );

  it('keeps the direction of what others wrote from turning its own words', async () => {
    const { text } = await open({ metadata: { client_name: 'תוכנה (1)' } });
    expect(text).toContain('Connect <bdi>תוכנה (1)</bdi> to <bdi>');
    expect(text).toContain('<title>Connect \u2068תוכנה (1)\u2069 to \u2068');
    for (const foreign of [
      'client.example.com',
      'https://mcp.example.com/mcp',
      'Use &#60;b&#62;all&#60;/b&#62; notes',
    ]) {
      expect(text).toContain(`<bdi>${foreign}</bdi>`);
    }
  });

  it('shows what others wrote as text', async () => {
    const { text } = await open({ metadata: { client_name: `</title><img src=x onerror='alert("1")'>&` } });
    expect(text).not.toMatch(/<img|<b>/);
    expect(text).toContain('&#60;img src=x onerror=&#39;alert(1)&#39;&#62;&#38;');
    expect(text).toContain('Use &#60;b&#62;all&#60;/b&#62; notes');
    expect(text).toContain('Notes &#38; &#34;more&#34;');
  });

  it('fills in no placeholder that a client wrote into its name', async () => {
    expect(wordsOf(await open({ metadata: { client_name: '{resource}' } }))).toContain('Connect {resource} to Notes');
  });

  it.each([
    ['http://localhost:1234/cb', 'Access goes tolocalhost:1234 (this device)'],
    ['cursor://oauth/callback', 'Access goes tothe app on this device that opens cursor:// links'],
  ])('for %s says what gets access, and warns of a program on this device', async (redirectUri, target) => {
    const words = wordsOf(await open({ redirectUri }));
    expect(words).toContain(target);
    expect(words).toContain('Continue only if you have just started this yourself');
  });

  it('for a client elsewhere does not warn of this device', async () => {
    expect(wordsOf(await open())).not.toContain('this device');
  });

  it.each([
    [
      'which host describes the app',
      { publisher: 'editor.example', byOperators: false },
      'The description of this app comes from editor.example.',
    ],
    [
      'that the operators have registered the app',
      { byOperators: true },
      'This app was registered by the people who run this server.',
    ],
  ])('says %s, instead of that nobody vouches for it', (_, origin, said) => {
    const { body } = consentPage(new Presentations().for('en'), {
      action: '/interaction/uid',
      formToken: 'token',
      otherAccount: false,
      clientName: 'Editor',
      redirectUri: REDIRECT_URI,
      resource: { name: 'Notes', identifier: NOTES.identifier },
      scopes: [],
      identifies: false,
      staysConnected: false,
      actsUpstream: false,
      upstream: { host: 'login.example.com', origin: 'https://login.example.com' },
      ...origin,
    });
    const words = wordsOf({ text: String(body) });
    expect(words).toContain(said);
    expect(words).not.toContain('verified');
  });
});

describe('the place that a code goes to', () => {
  it.each([
    ['https://client.example.com:8443/cb', 'web', 'client.example.com:8443'],
    ['https://client.example.com.evil.example/cb', 'web', 'client.example.com.evil.example'],
    ['https://clïent.example.com/cb', 'web', 'xn--clent-dta.example.com'],
    ['http://localhost:1234/cb', 'loopback', 'localhost:1234'],
    ['cursor://anysphere.cursor-mcp/cb', 'private-use scheme', 'cursor://'],
  ])('%s is a %s target called %s', (uri, kind, name) => {
    expect(describeRedirect(uri)).toMatchObject({ kind, name });
  });
});
