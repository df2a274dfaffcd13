import type { Browser, BrowserContextOptions, Page } from 'playwright-core';
import { expect } from 'vitest';
import { launchChromium } from '../../support/chromium';
import { type LoopbackListener, startLoopbackListener } from '../../support/loopback-listener';
import { type LocalStack, startLocalStack } from '../local-stack';
import { KeyboardUser } from './keyboard-user';
import { RegisteredClient } from './registered-client';

/** The whole stack, a real browser in front of it, and a client that listens on loopback. */
export class FrontDoor implements AsyncDisposable {
  static async open(): Promise<FrontDoor> {
    return new FrontDoor(...(await Promise.all([startLocalStack(), launchChromium(), startLoopbackListener()])));
  }

  #users: KeyboardUser[] = [];

  private constructor(
    readonly local: LocalStack,
    readonly browser: Browser,
    readonly listener: LoopbackListener,
  ) {}

  get redirectUri(): string {
    return `http://localhost:${this.listener.port}/callback`;
  }

  async user(options?: BrowserContextOptions): Promise<KeyboardUser> {
    const user = await KeyboardUser.at(this.browser, options);
    this.#users.push(user);
    return user;
  }

  /** Closes every profile. Their browsers must not have complained of anything. */
  async sendUsersHome(): Promise<void> {
    const users = this.#users.splice(0);
    await Promise.all(users.map((user) => user[Symbol.asyncDispose]()));
    expect(users.flatMap(({ complaints }) => complaints)).toEqual([]);
  }

  client(redirectUri = this.redirectUri): Promise<RegisteredClient> {
    return RegisteredClient.at(this.local.issuer, redirectUri);
  }

  /** Signs the first or another person in on the page of the demo identity provider. */
  async signIn(user: KeyboardUser, page: Page, person = 0): Promise<void> {
    const { username, password } = this.local.identityProvider.users[person]!;
    await user.type(page.getByLabel('E-mail address'), username);
    await user.type(page.getByLabel('Password'), password);
    await user.press(page.getByRole('button', { name: 'Sign in' }));
  }

  /** The time passes for the servers, and for the cookies of this browser. */
  async later(seconds: number, user: KeyboardUser): Promise<void> {
    await this.local.stack.setClockOffset(seconds);
    const then = Date.now() / 1000 + seconds;
    const cookies = await user.context.cookies();
    const expired = cookies.filter(({ expires }) => expires !== -1 && expires <= then);
    for (const { name, domain, path } of expired) await user.context.clearCookies({ name, domain, path });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.browser.close();
    await Promise.all([this.listener[Symbol.asyncDispose](), this.local[Symbol.asyncDispose]()]);
  }
}

/** What the pages of a sign-in have for a keyboard. */
export const onConsent = {
  proceed: (page: Page) => page.getByRole('button', { name: 'Continue and sign in' }),
  refuse: (page: Page) => page.getByRole('button', { name: 'Cancel' }),
};

/** Waits until the browser shows a page with this heading. */
export async function sees(page: Page, heading: string | RegExp): Promise<void> {
  await page.getByRole('heading', { level: 1, name: heading }).waitFor();
}

/** Waits until the browser shows the client's page, and takes the answer from its address. */
export async function answerAt(page: Page, redirectUri: string): Promise<URL> {
  await page.waitForURL(`${redirectUri}?*`);
  return new URL(page.url());
}
