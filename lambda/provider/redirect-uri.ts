/** What a person, and the page's Content-Security-Policy, must know of a redirect URI. */
export interface RedirectDescription {
  /** The host that the code goes to, or the program. */
  readonly target: string;
  /** The code goes to a program on the person's own device (RFC 8252). */
  readonly onThisDevice: boolean;
  /** The source that lets the browser follow the form's redirects there. */
  readonly cspSource: string;
}

export function describeRedirect(uri: string): RedirectDescription {
  const url = new URL(uri);
  if (url.protocol === 'https:') return { target: url.host, onThisDevice: false, cspSource: 'https:' };
  if (url.protocol === 'http:') {
    // CSP has no notation for the address [::1].
    const cspSource = url.hostname === '[::1]' ? 'http:' : url.origin;
    return { target: `${url.host} (this device)`, onThisDevice: true, cspSource };
  }
  return { target: `the app that opens ${url.protocol}// links`, onThisDevice: true, cspSource: url.protocol };
}
