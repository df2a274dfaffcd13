import { createHash } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Appearance } from '../../../../lib/page-appearance';
import { Harness } from '../harness';
import { policyOf } from './page';

const LOGO = 'data:image/svg+xml;base64,PHN2ZyB4bWxucz0iaHR0cDovL3d3dy53My5vcmcvMjAwMC9zdmciLz4=';
const BRANDED: Appearance = {
  name: 'Müller & "Söhne"',
  logo: LOGO,
  colors: { accent: '#7a1fa2', onAccent: '#ffffff', accentDark: '#d59aee', onAccentDark: '#000000' },
};

describe.each([
  ['without an appearance of its own', undefined],
  ['with a name, a logo and colours', BRANDED],
])('every page of a server %s', (_, appearance) => {
  let harness: Harness;
  let client: Record<string, string>;
  beforeAll(async () => {
    harness = await Harness.start({ appearance });
    client = await harness.register();
  });
  afterAll(() => harness[Symbol.asyncDispose]());

  const pages = [
    ['the consent page', 200, 'no-store', () => harness.authorizationRequest(client).url.href],
    ['the page for an unknown client', 400, 'no-store', () => '/authorize?client_id=unknown'],
    [
      'the page for a refused request',
      400,
      'no-store',
      () => harness.authorizationRequest(client, { response_type: 'token' }).url.href,
    ],
    ['the page for a sign-in that is over', 400, 'no-store', () => '/interaction/unknown'],
    ['the page for an answer that nobody waits for', 403, 'no-store', () => '/callback?state=unknown&code=x'],
    ['the page for a resume that has expired', 400, 'no-store', () => '/authorize/unknown'],
    ['the page at the root', 200, 'public, max-age=300', () => '/'],
  ] as const;

  const open = (path: string, language?: string) =>
    harness
      .browser(language === undefined ? {} : { 'accept-language': language })
      .open(new URL(path, 'https://auth.example.com'));

  it.each(pages)('like %s is not framed, runs nothing and tells nobody where it was', async (...args) => {
    const [, status, cacheControl, path] = args;
    const page = await open(path());
    expect(page.status).toBe(status);
    expect(Object.fromEntries(page.headers)).toMatchObject({
      'content-type': 'text/html; charset=utf-8',
      'cache-control': cacheControl,
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
      'img-src': ['data:'],
    });
    if (!page.text.includes('<form')) expect(formAction).toEqual(["'none'"]);
    expect(page.text).not.toMatch(/<(script|iframe|object|embed)\b|\son\w+=|\sstyle=/i);
    const loaded = [...page.text.matchAll(/<(?:img|link)\b[^>]*?(?:src|href)="([^"]*)"/g)].map(
      ([, address]) => address,
    );
    expect(new Set(loaded)).toEqual(new Set([appearance ? LOGO : 'data:,']));
  });

  it.each(pages)('like %s has a title, one heading of the first level, and landmarks', async (...args) => {
    const { text } = await open(args[3]());
    expect(text).toMatch(/^<!doctype html>\n<html lang="en" dir="ltr">/);
    expect(text).toMatch(/<title>[^<]+<\/title>/);
    expect(text.match(/<h1>/g)).toHaveLength(1);
    expect(text.match(/<main>/g)).toHaveLength(1);
    expect(text).not.toMatch(/autofocus|tabindex/);
  });

  it.each(pages)('like %s speaks the language of the browser', async (...args) => {
    const german = await open(args[3](), 'de-AT, en;q=0.5');
    expect(german.text).toContain('<html lang="de" dir="ltr">');
    expect(german.headers.get('content-language')).toBe('de');
    expect(german.headers.get('vary')).toBe('Accept-Language');
    const english = await open(args[3](), 'en');
    expect(german.text.replace(/<html.*<\/style>/s, '')).not.toBe(english.text.replace(/<html.*<\/style>/s, ''));
  });

  it.each(pages)('like %s leaves no placeholder to fill in', async (...args) => {
    const { text } = await open(args[3]());
    expect(text.replace(/<style>.*<\/style>/s, '')).not.toMatch(/[{}]/);
  });

  it.each(pages)('like %s says whose it is, where that is known', async (...args) => {
    const { text } = await open(args[3]());
    const name = 'Müller &#38; &#34;Söhne&#34;';
    expect(text.includes(`<header><img src="${LOGO}" alt="${name}"></header>`)).toBe(appearance !== undefined);
    expect(text.includes(` – ${name}</title>`)).toBe(appearance !== undefined);
    expect(text.includes('--accent:#7a1fa2')).toBe(appearance !== undefined);
    expect(text.includes('--accent:#d59aee')).toBe(appearance !== undefined);
  });
});

describe('the page at the root', () => {
  it('tells strangers where the metadata is, and nothing of what is behind', async () => {
    await using harness = await Harness.start();
    const { text } = await harness.browser().open('https://auth.example.com/');
    const links = [...text.matchAll(/<a href="([^"]+)"/g)].map(([, href]) => href);
    expect(links).toEqual(['/.well-known/oauth-authorization-server', '/.well-known/openid-configuration']);
    for (const link of links) {
      expect((await harness.fetch(new URL(link!, 'https://auth.example.com'))).status).toBe(200);
    }
    expect(text).not.toMatch(/mcp\.example\.com|notes|127\.0\.0\.1/i);
  });

  it('stands even where the key set cannot be read, and a name without a logo is text', async () => {
    await using harness = await Harness.start({
      keySetSecretArn: 'arn:aws:secretsmanager:us-east-1:123456789012:secret:unknown-abcdef',
      appearance: { name: 'Notes <Inc>' },
    });
    const { status, text } = await harness.browser().open('https://auth.example.com/');
    expect(status).toBe(200);
    expect(text).toContain('<header><bdi>Notes &#60;Inc&#62;</bdi></header>');
    expect(text).not.toContain('<img');
  });
});
