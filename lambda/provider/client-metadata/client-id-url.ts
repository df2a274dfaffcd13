import { isIP } from 'node:net';

/** Longer than any that is known, and short enough for a claim of every access token. */
const LONGEST = 512;

/** Whether a client id is the URL of a Client ID Metadata Document; ids that are given out at registration never are. */
export function isClientIdUrl(clientId: string): boolean {
  return /^https:\/\//i.test(clientId);
}

/**
 * Why no document is fetched for a client id, or undefined (draft-ietf-oauth-client-id-metadata-document-00 section 3).
 *
 * @param internalHosts hosts that may have any name and any port
 */
export function problemOfClientIdUrl(clientId: string, internalHosts: ReadonlySet<string>): string | undefined {
  if (clientId.length > LONGEST) return `it is longer than ${LONGEST} characters`;
  const url = URL.parse(clientId);
  if (!url) return 'it is not a URL';
  if (url.username || url.password) return 'it has user information';
  if (clientId.includes('#')) return 'it has a fragment';
  // The draft discourages a query, and no known client has one: one document under many ids would be many clients.
  if (clientId.includes('?')) return 'it has a query';
  // Leaves no dot segment, no upper-case host, no default port and no backslash: one document has one id.
  if (url.href !== clientId) return `it is not in its normal form, ${url.href}`;
  if (url.pathname === '/') return 'it has no path';
  if (internalHosts.has(url.hostname)) return undefined;
  if (url.port) return 'it names a port';
  if (url.hostname.startsWith('[') || isIP(url.hostname)) return 'its host is an address instead of a name';
  if (!/\.[^.]+$/.test(url.hostname)) return 'its host is not a public name';
  return undefined;
}

/** The host that vouches for a client by serving its metadata document; undefined for a client that has registered itself. */
export function publisherOf(clientId: string): string | undefined {
  return isClientIdUrl(clientId) ? URL.parse(clientId)?.host : undefined;
}
