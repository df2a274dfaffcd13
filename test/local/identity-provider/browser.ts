/** What of a browser a sign-in without JavaScript needs: cookies by host and path, redirects, and forms. */
export class Browser {
  private readonly cookies = new Map<string, { value: string; path: string }>();

  /** Follows redirects until a page, or until one leads to `stopAt`. */
  async go(url: string | URL, stopAt?: string): Promise<Visit> {
    return this.follow(await this.send(url, { method: 'GET' }), stopAt);
  }

  async submit(page: Visit, fields: Record<string, string>, stopAt?: string): Promise<Visit> {
    const action = /<form[^>]* action="([^"]*)"/.exec(page.body)?.[1] ?? '';
    const body = new URLSearchParams(fields);
    return this.follow(await this.send(new URL(action || page.url, page.url), { method: 'POST', body }), stopAt);
  }

  private async follow(visit: Visit, stopAt: string | undefined): Promise<Visit> {
    if (!visit.location) return visit;
    if (stopAt && visit.location.href.startsWith(stopAt)) return visit;
    return this.follow(await this.send(visit.location, { method: 'GET' }), stopAt);
  }

  private async send(url: string | URL, init: RequestInit): Promise<Visit> {
    const target = new URL(url);
    const cookie = [...this.cookies]
      .filter(([, { path }]) => target.pathname.startsWith(path))
      .map(([name, { value }]) => `${name}=${value}`)
      .join('; ');
    const response = await fetch(target, { ...init, redirect: 'manual', headers: { cookie } });
    for (const line of response.headers.getSetCookie()) this.keep(line);
    const location = response.headers.get('location');
    return {
      url: target,
      status: response.status,
      body: await response.text(),
      location: location ? new URL(location, target) : undefined,
    };
  }

  private keep(line: string): void {
    const [, name = '', value = ''] = /^([^=]+)=([^;]*)/.exec(line)!;
    const path = /; path=([^;]+)/i.exec(line)?.[1] ?? '/';
    if (/expires=Thu, 01 Jan 1970/i.test(line)) this.cookies.delete(name);
    else this.cookies.set(name, { value, path });
  }
}

export interface Visit {
  readonly url: URL;
  readonly status: number;
  readonly body: string;
  readonly location: URL | undefined;
}
