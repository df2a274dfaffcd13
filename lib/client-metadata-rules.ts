import type { ClientMetadataConfig } from './contract';
import { checkList, type Refuse } from './refusal';

/** Refuses what would match no host. */
export function checkClientMetadata(refuse: Refuse, given: Partial<ClientMetadataConfig>): void {
  const { internalHosts, allowedHosts, deniedHosts } = given;
  const name = 'bare host names in lower case, without scheme and port';
  const bare = `${name}, and without wildcards, for example 'apps.corp.example.com'`;
  checkList(refuse, 'clientMetadata.internalHosts', internalHosts, isHost, bare);
  if (Array.isArray(allowedHosts) && allowedHosts.length === 0) {
    const needed = 'a list that names a host; leave it out to use the documents of every host';
    refuse('clientMetadata.allowedHosts', 'an empty list', needed);
  }
  const pattern = `${name}, for example 'claude.ai', or all below one, for example '*.example.com'`;
  checkList(refuse, 'clientMetadata.allowedHosts', allowedHosts, isPattern, pattern);
  checkList(refuse, 'clientMetadata.deniedHosts', deniedHosts, isPattern, pattern);
}

/** What is given, and the defaults of the rest. */
export function completeClientMetadata(given: Partial<ClientMetadataConfig>): ClientMetadataConfig {
  const { internalHosts = [], allowedHosts, deniedHosts = [] } = given;
  return { internalHosts, ...(allowedHosts ? { allowedHosts } : {}), deniedHosts };
}

function isPattern(given: unknown): boolean {
  return typeof given === 'string' && isHost(given.replace(/^\*\./, ''));
}

function isHost(given: unknown): boolean {
  if (typeof given !== 'string' || given === '' || given.startsWith('.') || given.includes('*')) return false;
  const url = `https://${given}/`;
  return URL.canParse(url) && new URL(url).hostname === given;
}
