import { AxeBuilder } from '@axe-core/playwright';
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { launchChromium } from '../../support/chromium';
import { type Gallery, openGallery, PAGE_NAMES } from './gallery';

/** WCAG 2.2 at level AA, and what axe holds for good practice. */
const RULES = ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice'];

const LOCALES = ['en', 'de', 'fr'] as const;

let browser: Browser;
let gallery: Gallery;
/** One for each language. */
const tabs = new Map<string, Page>();
let complaints: string[] = [];
beforeAll(async () => {
  [browser, gallery] = await Promise.all([launchChromium(), openGallery()]);
  for (const locale of LOCALES) {
    const page = await (await browser.newContext({ locale })).newPage();
    page.on('console', (message) => complaints.push(message.text()));
    tabs.set(locale, page);
  }
});
afterAll(() => Promise.all([browser?.close(), gallery?.[Symbol.asyncDispose]()]));

async function visit(name: string, locale: (typeof LOCALES)[number]): Promise<Page> {
  const page = tabs.get(locale)!;
  complaints = [];
  await page.goto(gallery.addressOf(name));
  return page;
}

describe.each(PAGE_NAMES)('the page %s', (name) => {
  it('keeps to the rules, light and dark, on a desk and on a phone', async () => {
    const page = await visit(name, 'en');
    for (const colorScheme of ['light', 'dark'] as const) {
      for (const width of [1280, 360]) {
        await page.emulateMedia({ colorScheme });
        await page.setViewportSize({ width, height: 800 });
        // Legacy mode: as there are no frames here, it spares a tab for each run.
        const { violations, passes } = await new AxeBuilder({ page }).setLegacyMode().withTags(RULES).analyze();
        const found = violations.map(({ id, nodes }) => [id, ...nodes.map(({ html }) => html)]);
        expect({ colorScheme, width, found }).toEqual({ colorScheme, width, found: [] });
        // That it has looked at all.
        expect(passes.map(({ id }) => id)).toContain('color-contrast');
      }
    }
  });

  it.each(LOCALES)('needs no scrolling to the side, 320 px wide and in the language %s', async (locale) => {
    const page = await visit(name, locale);
    await page.setViewportSize({ width: 320, height: 640 });
    expect(await page.evaluate('document.documentElement.scrollWidth')).toBe(320);
  });

  it('loads nothing that its policy forbids', async () => {
    await visit(name, 'en');
    const ofStatus = /^Failed to load resource: the server responded with a status of [45]/;
    expect(complaints.filter((complaint) => !ofStatus.test(complaint))).toEqual([]);
  });
});
