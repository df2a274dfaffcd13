/** A browser without JavaScript: cookies, redirects, links and forms. */

export interface Page {
  readonly url: URL;
  readonly status: number;
  readonly headers: Headers;
  readonly text: string;
}

type Init = Omit<RequestInit, 'headers'> & { headers?: Record<string, string> };

export type Send = (url: URL, init: Init) => Promise<Response>;

interface Cookie {
  readonly name: string;
  readonly value: string;
  readonly host: string;
  readonly path: string;
}

export class Browser {
  readonly #cookies: Cookie[] = [];
  /** Every address that was asked for, in order. */
  readonly visited: URL[] = [];

  constructor(private readonly send: Send = (url, init) => fetch(url, init)) {}

  /** Opens an address and follows redirects until a page, or until `stopAt` says that the address is the client's. */
  open(address: string | URL, stopAt?: (url: URL) => boolean): Promise<Page> {
    return this.#navigate(new URL(address), { method: 'GET' }, stopAt);
  }

  /** Sends the page's form, pressing the button that has `value` or the text `value`. */
  submit(
    page: Page,
    button?: string,
    fields: Record<string, string> = {},
    stopAt?: (url: URL) => boolean,
  ): Promise<Page> {
    const form = parseForm(page.text, button);
    const body = new URLSearchParams({ ...form.fields, ...fields });
    const headers = { 'content-type': 'application/x-www-form-urlencoded', 'sec-fetch-site': 'same-origin' };
    return this.#navigate(
      new URL(form.action, page.url),
      { method: form.method, body: body.toString(), headers },
      stopAt,
    );
  }

  cookieHeader(url: URL): string {
    return this.#cookies
      .filter(({ host, path }) => host === url.host && underPath(url.pathname, path))
      .map(({ name, value }) => `${name}=${value}`)
      .join('; ');
  }

  /** As if the person had cleared the data of one site. */
  forget(host: string): void {
    const kept = this.#cookies.filter((cookie) => cookie.host !== host);
    this.#cookies.splice(0, this.#cookies.length, ...kept);
  }

  async #navigate(url: URL, init: Init, stopAt?: (url: URL) => boolean): Promise<Page> {
    if (stopAt?.(url)) return { url, status: 0, headers: new Headers(), text: '' };
    if (this.visited.length > 100) throw new Error('More than 100 navigations: is this a loop?');
    this.visited.push(url);
    const cookie = this.cookieHeader(url);
    const headers = { accept: 'text/html', ...init.headers, ...(cookie ? { cookie } : {}) };
    const response = await this.send(url, { ...init, headers, redirect: 'manual' });
    for (const line of response.headers.getSetCookie()) this.#keep(url, line);
    const location = response.headers.get('location');
    if (location && response.status >= 300 && response.status < 400) {
      await response.arrayBuffer();
      return this.#navigate(new URL(location, url), { method: 'GET' }, stopAt);
    }
    return { url, status: response.status, headers: response.headers, text: await response.text() };
  }

  #keep(url: URL, line: string): void {
    const [pair = '', ...attributes] = line.split(';').map((part) => part.trim());
    const name = pair.slice(0, pair.indexOf('='));
    const value = pair.slice(pair.indexOf('=') + 1);
    const attribute = (wanted: string) =>
      attributes.find((each) => each.toLowerCase().startsWith(`${wanted}=`))?.slice(wanted.length + 1);
    const path = attribute('path') ?? '/';
    const at = this.#cookies.findIndex((each) => each.name === name && each.host === url.host && each.path === path);
    if (at >= 0) this.#cookies.splice(at, 1);
    const expires = attribute('expires');
    const gone = attribute('max-age') === '0' || (expires !== undefined && Date.parse(expires) < Date.now());
    if (!gone) this.#cookies.push({ name, value, host: url.host, path });
  }
}

function underPath(pathname: string, path: string): boolean {
  return pathname === path || pathname.startsWith(path.endsWith('/') ? path : `${path}/`);
}

function parseForm(text: string, button?: string) {
  for (const [, attributes = '', content = ''] of text.matchAll(/<form([^>]*)>(.*?)<\/form>/gs)) {
    const fields: Record<string, string> = {};
    for (const [input] of content.matchAll(/<input[^>]*>/g)) {
      const name = attributeOf(input, 'name');
      if (name) fields[name] = attributeOf(input, 'value') ?? '';
    }
    const buttons = [...content.matchAll(/<button([^>]*)>(.*?)<\/button>/gs)];
    const pressed = buttons.find(
      ([, own = '', label = '']) => !button || attributeOf(own, 'value') === button || label.trim() === button,
    );
    if (buttons.length > 0 && !pressed) continue;
    const name = pressed && attributeOf(pressed[1] ?? '', 'name');
    if (name) fields[name] = attributeOf(pressed?.[1] ?? '', 'value') ?? '';
    return {
      action: attributeOf(attributes, 'action') ?? '',
      method: attributeOf(attributes, 'method') ?? 'get',
      fields,
    };
  }
  throw new Error(`No form with the button ${button} on this page:\n${text}`);
}

function attributeOf(tag: string, name: string): string | undefined {
  const [, value] = new RegExp(`\\s${name}="([^"]*)"`).exec(tag) ?? [];
  return value
    ?.replace(/&#(\d+);/g, (_, code) => String.fromCharCode(Number(code)))
    .replaceAll('&quot;', '"')
    .replaceAll('&amp;', '&');
}
