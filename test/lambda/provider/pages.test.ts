import { createHash } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { describeRedirect } from '../../../lambda/provider/redirect-uri';
import { Harness, NOTES, REDIRECT_URI } from './harness';

let harness: Harness;
let client: Record<string, string>;
beforeAll(async () => {
  const [use, ...others] = NOTES.scopes;
  const scopes = [{ ...use!, description: 'Use <b>all</b> notes' }, ...others];
  harness = await Harness.start({ resources: [{ ...NOTES, name: 'Notes & "more"', scopes }] });
  client = await harness.register();
});
afterAll(() => harness[Symbol.asyncDispose]());

async function consentPage(metadata: Record<string, unknown> = {}, redirect_uri = REDIRECT_URI) {
  const registered = await harness.register({ redirect_uris: [redirect_uri], ...metadata });
  return harness.browser().open(harness.authorizationRequest(registered, { redirect_uri }).url);
}

function policyOf(page: { headers: Headers }): Record<string, string[]> {
  const policy = page.headers.get('content-security-policy') ?? '';
  return Object.fromEntries(
    policy.split('; ').map((directive) => {
      const [name = '', ...sources] = directive.split(' ');
      return [name, sources];
    }),
  );
}

describe('every page', () => {
  const pages = [
    ['the consent page', 200, () => harness.authorizationRequest(client).url.href],
    ['the page for an unknown client', 400, () => '/authorize?client_id=unknown'],
    ['the page for a sign-in that is over', 400, () => '/interaction/unknown'],
    ['the page for an answer that nobody waits for', 403, () => '/callback?state=unknown&code=x'],
    ['the page for a resume that has expired', 400, () => '/authorize/unknown'],
  ] as const;

  it.each(pages)(
    'like %s is not framed, not stored, runs nothing and tells nobody where it was',
    async (_, status, path) => {
      const page = await harness.browser().open(new URL(path(), 'https://auth.example.com'));
      expect(page.status).toBe(status);
      expect(Object.fromEntries(page.headers)).toMatchObject({
        'content-type': 'text/html; charset=utf-8',
        'cache-control': 'no-store',
        'x-frame-options': 'DENY',
        'x-content-type-options': 'nosniff',
        'referrer-policy': 'no-referrer',
      });
      const style = /<style>(.*)<\/style>/s.exec(page.text)?.[1] ?? '';
      const hash = createHash('sha256').update(style).digest('base64');
      const { 'form-action': formAction, ...policy } = policyOf(page);
      expect(policy).toEqual({
        'default-src': ["'none'"],
        'style-src': [`'sha256-${hash}'`],
        'frame-ancestors': ["'none'"],
        'base-uri': ["'none'"],
      });
      if (status !== 200) expect(formAction).toEqual(["'none'"]);
      expect(page.text).not.toMatch(/<script|\son\w+=|\sstyle=|<(img|link|iframe)\b/i);
    },
  );
});

describe('the consent page', () => {
  it.each([
    ['an https client', REDIRECT_URI, 'https:'],
    ['a client on loopback', 'http://127.0.0.1:33418/cb', 'http://127.0.0.1:33418'],
    ['a client on loopback, IPv6', 'http://[::1]:33418/cb', 'http:'],
    ['a client with a scheme of its own', 'cursor://anysphere.cursor-mcp/oauth/callback', 'cursor:'],
  ])('lets its form lead to itself, upstream and %s, and nowhere else', async (_, redirectUri, source) => {
    const { 'form-action': sources } = policyOf(await consentPage({}, redirectUri));
    expect(new Set(sources)).toEqual(new Set(["'self'", 'https:', source, harness.upstream.issuer]));
  });

  it('says who asks, for what, where the code goes and where the sign-in is', async () => {
    const { text } = await consentPage({ client_name: 'Editor' });
    for (const words of ['Connect Editor to', 'https://mcp.example.com/mcp', '<dd>client.example.com</dd>']) {
      expect(text).toContain(words);
    }
    expect(text).toContain(`<dd>${new URL(harness.upstream.issuer).host}</dd>`);
    expect(text).toContain('Nobody has verified it');
  });

  it('calls a client that has no name by its id', async () => {
    const nameless = await harness.register({ client_name: '' });
    const page = await harness.browser().open(harness.authorizationRequest(nameless).url);
    expect(page.text).toContain(`Connect ${nameless.client_id} to`);
  });

  it('shows of a long name the beginning', async () => {
    const { text } = await consentPage({ client_name: 'x'.repeat(5000) });
    expect(text).toContain('x'.repeat(100));
    expect(text).not.toContain('x'.repeat(101));
  });

  it('shows no character of a name that hides or turns what stands around it', async () => {
    const { text } = await consentPage({ client_name: 'Safe\u202Eapp\u200B\u0007' });
    expect(text).toContain('Connect Safeapp to');
  });

  it('shows what others wrote as text', async () => {
    const { text } = await consentPage({ client_name: `</title><img src=x onerror='alert("1")'>&` });
    expect(text).not.toMatch(/<img|<b>/);
    expect(text).toContain('&#60;img src=x onerror=&#39;alert(&#34;1&#34;)&#39;&#62;&#38;');
    expect(text).toContain('Use &#60;b&#62;all&#60;/b&#62; notes');
    expect(text).toContain('Notes &#38; &#34;more&#34;');
  });

  it.each([
    ['http://localhost:1234/cb', true],
    ['cursor://oauth/callback', true],
    [REDIRECT_URI, false],
  ])('for %s warns of a program on this device: %s', async (redirectUri, warns) => {
    const { text } = await consentPage({}, redirectUri);
    expect(text.includes('class="warning"')).toBe(warns);
  });
});

describe('the place that a code goes to', () => {
  it.each([
    ['https://client.example.com:8443/cb', 'client.example.com:8443'],
    ['https://client.example.com.evil.example/cb', 'client.example.com.evil.example'],
    ['http://localhost:1234/cb', 'localhost:1234 (this device)'],
    ['cursor://anysphere.cursor-mcp/cb', 'the app that opens cursor:// links'],
  ])('%s is called %s', (uri, target) => {
    expect(describeRedirect(uri).target).toBe(target);
  });
});

describe('an error page', () => {
  it('for a sign-in that has expired says so, and does not blame the app', async () => {
    const { text } = await harness.browser().open('https://auth.example.com/authorize/unknown');
    expect(text).toContain('This sign-in has expired');
  });

  it('shows what the request said as text', async () => {
    const url = harness.authorizationRequest(client, {
      redirect_uri: 'https://evil.example/<script>alert(1)</script>',
    });
    const page = await harness.browser().open(url.url);
    expect(page.status).toBe(400);
    expect(page.text).not.toContain('<script>');
  });
});
