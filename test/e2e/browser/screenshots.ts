import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, it } from 'vitest';
import { launchChromium } from '../../support/chromium';
import { type Gallery, openGallery } from './gallery';

/** Not a test: `npm run screenshots` takes the pictures in docs/images/pages. */
const DIRECTORY = join(__dirname, '..', '..', '..', 'docs', 'images', 'pages');

const PAGES = {
  consent: 'consent/loopback',
  error: 'problem/notAllowed',
  'sign-in': 'identity-provider/sign-in',
};

const DEVICES = { desktop: { width: 1280, height: 860 }, phone: { width: 390, height: 844 } };

let browser: Browser;
let gallery: Gallery;
beforeAll(async () => {
  [browser, gallery] = await Promise.all([launchChromium(), openGallery(), mkdir(DIRECTORY, { recursive: true })]);
});
afterAll(() => Promise.all([browser?.close(), gallery?.[Symbol.asyncDispose]()]));

it.each([
  ['consent', 'light', 'desktop'],
  ['consent', 'dark', 'desktop'],
  ['consent', 'light', 'phone'],
  ['consent', 'dark', 'phone'],
  ['error', 'light', 'desktop'],
  ['error', 'dark', 'phone'],
  ['sign-in', 'light', 'phone'],
  ['sign-in', 'dark', 'desktop'],
] as const)('%s, %s, %s', async (shown, colorScheme, device) => {
  const context = await browser.newContext({ viewport: DEVICES[device], colorScheme, locale: 'en' });
  const page = await context.newPage();
  await page.goto(gallery.addressOf(PAGES[shown]));
  await page.screenshot({ path: join(DIRECTORY, `${shown}-${colorScheme}-${device}.png`), fullPage: true });
  await context.close();
});
