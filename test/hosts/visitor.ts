import { Browser } from '../support/browser';

/** Someone at a browser, who consents, and whom the identity provider knows already. */
export class Visitor {
  readonly browser = new Browser();
  consentPage = '';

  /** @returns the parameters of the client's redirect URI */
  async authorize(url: URL, redirectUri: string): Promise<URLSearchParams> {
    const atClient = (address: URL) => address.href.startsWith(redirectUri);
    const consent = await this.browser.open(url);
    this.consentPage = consent.text;
    const page = await this.browser.submit(consent, 'allow', {}, atClient);
    if (!atClient(page.url)) throw new Error(`Not at the client but at ${page.url} (${page.status}):\n${page.text}`);
    return page.url.searchParams;
  }
}
