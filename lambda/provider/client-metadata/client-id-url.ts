import { isIP } from 'node:net';
import type { ClientMetadataConfig } from '../../../lib/contract';

/** Longer than any that is known, and short enough for a claim of every access token. */
const LONGEST = 512;

const NOT_ALLOWED = 'its host is not one that is allowed here';

/** Whether a client id is the URL of a Client ID Metadata Document; ids that are given out at registration never are. */
export function isClientIdUrl(clientId: string): boolean {
  return /^https:\/\//i.test(clientId);
}

/**
 * Why no document is used for a client id, or undefined (draft-ietf-oauth-client-id-metadata-document-00 section 3).
 *
 * @param hosts internal ones may have any name and any port
 */
export function problemOfClientIdUrl(clientId: string, hosts: ClientMetadataConfig): string | undefined {
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
  if (hosts.deniedHosts.some((pattern) => matches(url.hostname, pattern))) return NOT_ALLOWED;
  if (hosts.internalHosts.includes(url.hostname)) return undefined;
  if (url.port) return 'it names a port';
  if (url.hostname.startsWith('[') || isIP(url.hostname)) return 'its host is an address instead of a name';
  if (!/\.[^.]+$/.test(url.hostname)) return 'its host is not a public name';
  if (hosts.allowedHosts?.some((pattern) => matches(url.hostname, pattern)) === false) return NOT_ALLOWED;
  return undefined;
}

/** Whether a pattern is that host's name, or `*.` and a name that it is below. */
function matches(hostname: string, pattern: string): boolean {
  return pattern.startsWith('*.') ? hostname.endsWith(pattern.slice(1)) : hostname === pattern;
}

/** The host that vouches for a client by serving its metadata document; undefined for a client that has registered itself. */
export function publisherOf(clientId: string): string | undefined {
  return isClientIdUrl(clientId) ? URL.parse(clientId)?.host : undefined;
}
