import type { Browser, BrowserContext, BrowserContextOptions, Locator, Page, Request } from 'playwright-core';

/** No page here has more places to stop at. */
const MOST_TABS = 40;

/** Someone at a real browser with a keyboard and no pointer, in a profile of their own. */
export class KeyboardUser implements AsyncDisposable {
  /** @param options without JavaScript, unless they say otherwise */
  static async at(browser: Browser, options: BrowserContextOptions = {}): Promise<KeyboardUser> {
    return new KeyboardUser(await browser.newContext({ javaScriptEnabled: false, locale: 'en', ...options }));
  }

  /** What the browser has complained of on any page: refused by Content-Security-Policy, not found, failed. */
  readonly complaints: string[] = [];
  /** What the browser has asked for, or tried to: also schemes that only the operating system knows. */
  readonly requests: Request[] = [];

  private constructor(readonly context: BrowserContext) {
    // So that what does not come is named, before the test's own time is up.
    context.setDefaultTimeout(10_000);
    context.on('request', (request) => this.requests.push(request));
    context.on('weberror', (error) => this.complaints.push(String(error.error())));
    context.on('console', (message) => {
      // That a page has the status of an error is no complaint about the page.
      const isStatus = /^Failed to load resource: the server responded with a status of [45]/.test(message.text());
      if (['error', 'warning'].includes(message.type()) && !isStatus) this.complaints.push(message.text());
    });
  }

  /** Opens an address in a new tab, as a client's program does. */
  async open(address: string): Promise<Page> {
    const page = await this.context.newPage();
    await page.goto(address);
    return page;
  }

  /** Goes there with the Tab key, and sees that it has arrived. */
  async focus(target: Locator): Promise<void> {
    await target.waitFor();
    const page = target.page();
    const focused = target.and(page.locator(':focus'));
    for (let tabs = 0; (await focused.count()) === 0; tabs++) {
      if (tabs === MOST_TABS) throw new Error(`The Tab key does not lead to ${target}`);
      await page.keyboard.press('Tab');
    }
  }

  async press(target: Locator, key: 'Enter' | 'Space' = 'Enter'): Promise<void> {
    await this.focus(target);
    await target.page().keyboard.press(key);
  }

  async type(target: Locator, text: string): Promise<void> {
    await this.focus(target);
    await target.page().keyboard.type(text);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.context.close();
  }
}
