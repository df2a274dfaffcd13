/** What a person, and the page's Content-Security-Policy, must know of a redirect URI. */
export interface RedirectDescription {
  /** Whether the code goes to a server, or to a program on the person's own device (RFC 8252 sections 7.3 and 7.1). */
  readonly kind: 'web' | 'loopback' | 'private-use scheme';
  /** The host with its port, or the scheme as links begin with it. */
  readonly name: string;
  /** The source that lets the browser follow the form's redirects there. */
  readonly cspSource: string;
}

export function describeRedirect(uri: string): RedirectDescription {
  const url = new URL(uri);
  if (url.protocol === 'https:') return { kind: 'web', name: url.host, cspSource: 'https:' };
  if (url.protocol === 'http:') {
    // CSP has no notation for the address [::1].
    const cspSource = url.hostname === '[::1]' ? 'http:' : url.origin;
    return { kind: 'loopback', name: url.host, cspSource };
  }
  return { kind: 'private-use scheme', name: `${url.protocol}//`, cspSource: url.protocol };
}
