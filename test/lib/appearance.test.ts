import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { App, Lazy, Stack } from 'aws-cdk-lib';
import { DISABLE_ASSET_STAGING_CONTEXT } from 'aws-cdk-lib/cx-api';
import type { AppearanceProps, PageWords } from 'mcp-oidc-auth';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { PAGE_WORDS } from '../../lib/page-words';
import { newAuth, ofType } from './synth';

const SVG =
  '<?xml version="1.0"?><svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 1 1"><path d="M0 0h1v1z"/></svg>';
const PNG = Buffer.from('89504e470d0a1a0a0000000d', 'hex');

let directory: string;
beforeAll(() => {
  directory = mkdtempSync(join(tmpdir(), 'appearance-'));
});
afterAll(() => rmSync(directory, { recursive: true }));

function file(name: string, content: string | Buffer): string {
  const path = join(directory, name);
  writeFileSync(path, content);
  return path;
}

/** What the provider function's asset holds, and its name, which is its hash. */
function synthesized(appearance: AppearanceProps | undefined, context: Record<string, unknown> = {}) {
  const app = new App({ context, outdir: mkdtempSync(join(directory, 'cdk.out-')) });
  const stack = new Stack(app, 'Stack');
  newAuth(stack, { appearance });
  const assembly = app.synth();
  const [provider] = ofType(stack, 'AWS::Lambda::Function').filter(([id]) => id.startsWith('AuthProvider'));
  const { files } = JSON.parse(readFileSync(join(assembly.directory, 'Stack.assets.json'), 'utf8'));
  const [hash = ''] = String(provider?.[1].Properties.Code.S3Key).split('.');
  const path = resolve(assembly.directory, files[hash].source.path);
  const json = join(path, 'appearance.json');
  return {
    hash,
    files: readdirSync(path).sort(),
    appearance: existsSync(json) ? JSON.parse(readFileSync(json, 'utf8')) : undefined,
    environment: provider?.[1].Properties.Environment,
  };
}

const refused = (appearance: unknown) => () => synthesized(appearance as AppearanceProps);

describe('an appearance', () => {
  const props: AppearanceProps = {
    name: 'Example Corp',
    colors: { accent: '#7a1fa2' },
    supportUrl: 'mailto:help@example.com',
    words: { de: { allow: 'Weiter' }, 'fr-CA': { consentTitle: '{client} et {resource} ?' } },
  };

  test('stands beside the bundle, every colour reckoned', () => {
    const { files, appearance } = synthesized({ ...props, logo: file('logo.svg', SVG) });
    expect(files).toEqual(['appearance.json', 'index.js', 'openid-client.js']);
    expect(appearance).toEqual({
      ...props,
      logo: `data:image/svg+xml;base64,${Buffer.from(SVG).toString('base64')}`,
      colors: {
        accent: '#7a1fa2',
        onAccent: '#ffffff',
        accentDark: expect.stringMatching(/^#[0-9a-f]{6}$/),
        onAccentDark: expect.stringMatching(/^#(000000|ffffff)$/),
      },
    });
    expect(appearance.colors.accentDark).not.toBe('#7a1fa2');
  });

  test('makes the same asset each time, and another one when it changes', () => {
    const { hash } = synthesized(props);
    expect(synthesized(props).hash).toBe(hash);
    expect(synthesized({ ...props, name: 'Example Ltd' }).hash).not.toBe(hash);
    expect(synthesized(undefined).hash).not.toBe(hash);
  });

  test('leaves nothing in the directory for temporary files', () => {
    const before = readdirSync(tmpdir()).filter((name) => name.startsWith('mcp-oidc-auth-'));
    synthesized(props);
    expect(readdirSync(tmpdir()).filter((name) => name.startsWith('mcp-oidc-auth-'))).toEqual(before);
  });

  test('outlives synth where CDK does not stage assets', () => {
    const { appearance } = synthesized(props, { [DISABLE_ASSET_STAGING_CONTEXT]: true });
    expect(appearance).toMatchObject({ name: 'Example Corp' });
  });

  test('that is not given leaves the bundle as it is', () => {
    expect(synthesized(undefined).files).toEqual(['index.js', 'openid-client.js']);
  });

  test('takes no room in the environment', () => {
    expect(synthesized(props).environment).toEqual(synthesized(undefined).environment);
  });

  test.each([
    ['appearance', () => Lazy.any({ produce: () => ({}) })],
    ['appearance.name', () => ({ name: Lazy.string({ produce: () => 'x' }) })],
    ['appearance.colors.accent', () => ({ colors: { accent: Lazy.string({ produce: () => '#000000' }) } })],
    ['appearance.words.de.allow', () => ({ words: { de: { allow: Lazy.string({ produce: () => 'x' }) } } })],
  ])('needs %s to be known at synth', (name, given) => {
    expect(refused(given())).toThrow(`McpOidcAuth: ${name} must be known at synth, got a token.`);
  });
});

describe('a name', () => {
  test.each(['', ' ', 'two\nlines', 'x'.repeat(61), 7])('cannot be %j', (name) => {
    expect(refused({ name })).toThrow('appearance.name must be a text of 1 to 60 characters in one line');
  });
});

describe('a logo', () => {
  const IMAGE = 'must be a PNG file, or an SVG with xmlns="http://www.w3.org/2000/svg", got ';
  const withLogo = (logo: string) => ({ name: 'Example Corp', logo });

  test('may be a PNG, whatever its name says', () => {
    const { appearance } = synthesized(withLogo(file('logo', PNG)));
    expect(appearance.logo).toBe(`data:image/png;base64,${PNG.toString('base64')}`);
  });

  test('needs a name, for those who do not see it', () => {
    expect(refused({ logo: file('logo.svg', SVG) })).toThrow(
      'appearance.name must be the text alternative of appearance.logo',
    );
  });

  test.each([
    ['logo.jpg', Buffer.from('ffd8ffe0', 'hex'), IMAGE],
    ['bare.svg', '<svg viewBox="0 0 1 1"/>', IMAGE],
    ['large.svg', SVG.padEnd(32 * 1024 + 1), 'must have at most 32768 bytes, got '],
  ])('that is %s is refused', (name, content, message) => {
    expect(refused(withLogo(file(name, content)))).toThrow(`McpOidcAuth: appearance.logo ${message}'`);
  });

  test('that is a number is refused: it would be read from an open file', () => {
    expect(refused(withLogo(5 as never))).toThrow('appearance.logo must be the path of a file, got 5.');
  });

  test('that is not there is refused', () => {
    expect(refused(withLogo(join(directory, 'nowhere.svg')))).toThrow(
      'appearance.logo must be the path of a file that can be read: ENOENT',
    );
  });
});

describe('colours', () => {
  test.each([
    [
      { accent: '#ffcc00' },
      "accent must be a darker colour, which stands out from #ffffff by at least 3:1 (WCAG 2.2, 1.4.11), got '#ffcc00' with 1.5",
    ],
    [
      { accent: '#7a1fa2', accentDark: '#7a1fa2' },
      'accentDark must be a lighter colour, which stands out from #1b1e24 by at least 3:1',
    ],
    [{ accent: 'red' }, "accent must be a colour like '#1f5fd0', got 'red'."],
    [{ accent: '#1f5fd0;}body{display:none' }, "accent must be a colour like '#1f5fd0', got"],
    [{ accentDark: '#ffffff' }, "accent must be a colour like '#1f5fd0', got nothing."],
  ])('%j are refused', (colors, message) => {
    expect(refused({ colors })).toThrow(`McpOidcAuth: appearance.colors.${message}`);
  });

  test('for dark pages may be said', () => {
    const { appearance } = synthesized({ colors: { accent: '#7a1fa2', accentDark: '#ffcc00' } });
    expect(appearance.colors).toMatchObject({ accentDark: '#ffcc00', onAccentDark: '#000000' });
  });
});

describe('a support link', () => {
  test.each(['http://help.example.com', 'javascript:alert(1)', 'help@example.com', '/help', ''])(
    'cannot be %j',
    (url) => {
      expect(refused({ supportUrl: url })).toThrow(
        `appearance.supportUrl must be an address like 'https://help.example.com' or 'mailto:help@example.com', got ${url ? `'${url}'` : 'nothing'}.`,
      );
    },
  );
});

describe('words', () => {
  const all = Object.fromEntries(Object.keys(PAGE_WORDS).map((word) => [word, 'parola'])) as PageWords;

  test('of a language that the pages do not speak are all needed', () => {
    expect(synthesized({ words: { it: all } }).appearance.words.it).toEqual(all);
    const { allow: _, ...others } = all;
    expect(refused({ words: { it: others } })).toThrow(
      "appearance.words.it must be all words, because the pages do not speak 'it' by themselves (only en, de, fr), got none for: allow.",
    );
  });

  test('of a variant complete those of its language', () => {
    expect(synthesized({ words: { it: all, 'it-CH': { allow: 'avanti' } } }).appearance.words['it-CH']).toEqual({
      allow: 'avanti',
    });
  });

  test.each([
    [{ de: { alow: 'x' } }, "appearance.words.de must be words of the pages (PageWords), got 'alow'."],
    [{ de: { toString: 'x' } }, "appearance.words.de must be words of the pages (PageWords), got 'toString'."],
    [{ de: { allow: '' } }, 'appearance.words.de.allow must be a text, got nothing.'],
    [{ de: { allow: 7 } }, 'appearance.words.de.allow must be a text, got 7.'],
    [
      { de: { allow: '{client}' } },
      "appearance.words.de.allow must be a text with the placeholders (none), got '{client}'.",
    ],
    [
      { de: { consentTitle: '{client} {server}' } },
      "appearance.words.de.consentTitle must be a text with the placeholders {client}, {resource}, got '{server}'.",
    ],
    [{ 'de-at': {} }, "appearance.words must be tags of languages in their usual spelling, 'de-AT', got 'de-at'."],
    [{ german_: {} }, "appearance.words must be tags of languages such as 'pt-BR' (BCP 47), got 'german_'."],
  ])('%j are refused', (words, message) => {
    expect(refused({ words })).toThrow(`McpOidcAuth: ${message}`);
  });
});
