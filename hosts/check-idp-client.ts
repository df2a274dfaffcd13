import { checkWholeNumber, described, isObject } from '../lib/refusal';
import {
  checkAllow,
  checkClaims,
  checkIssuer,
  checkParameters,
  checkUpstreamScopes,
  SHORTEST_RECHECK,
} from '../lib/upstream-rules';
import { checkKnown } from './known-options';
import type { OidcClient, OidcClientConfig } from './oidc-client';
import { isServed } from './resource-record';
import type { Settings } from './settings';
import { isTaken, plainPath, TAKEN_PATHS } from './taken-paths';

/**
 * Notes what keeps people from signing in by this client.
 *
 * @param base the URL of this server, where it is known
 * @param own identifier of the MCP server that the authorization server is a part of
 */
export function checkIdpClient(settings: Settings, client: unknown, base: URL | undefined, own?: string): void {
  // By its shape: it may come from another copy of this package.
  const { config } = Object(client) as Partial<OidcClient>;
  if (!isObject(config)) {
    const isOther = typeof client === 'object' && client !== null && 'createAuthorizationUrl' in client;
    settings.refuse(
      'idpClient',
      isOther ? 'a client with an implementation of its own' : described(client),
      'a new OidcClient({ issuer, clientId, clientSecret, redirectUri })',
    );
    return;
  }
  checkKnown(settings, 'client', 'idpClient.', config);
  checkCredentials(settings, config);
  // Without a URL of this server there is nothing to compare with, and that has been noted.
  if (base) checkRedirectUri(settings, config.redirectUri, base, own);
  const { scopes, additionalAuthParams, extractCustomData, allow, claims, recheck } = config;
  const { refuse } = settings;
  checkUpstreamScopes(refuse, 'idpClient.scopes', typeof scopes === 'string' ? scopeList(scopes) : scopes);
  checkParameters(refuse, 'idpClient.additionalAuthParams', additionalAuthParams);
  checkAllow(refuse, 'idpClient.allow', allow);
  checkClaims(refuse, 'idpClient.claims', claims);
  if (recheck !== undefined) checkWholeNumber(refuse, 'idpClient.recheck', recheck, { atLeast: SHORTEST_RECHECK });
  if (extractCustomData !== undefined && typeof extractCustomData !== 'function') {
    refuse('idpClient.extractCustomData', described(extractCustomData), 'a function of the claims');
  }
}

function checkCredentials({ refuse }: Settings, { issuer, clientId, clientSecret }: Partial<OidcClientConfig>): void {
  const address = typeof issuer === 'string' && issuer !== '' ? URL.parse(issuerOf(issuer)) : null;
  if (!address || !isServed(address) || address.hash || address.username || address.password) {
    refuse(
      'idpClient.issuer',
      described(issuer),
      "your identity provider's issuer, as its discovery document spells it",
    );
  } else {
    checkIssuer(refuse, 'idpClient.issuer', address.href);
  }
  if (typeof clientId !== 'string' || clientId === '') {
    refuse('idpClient.clientId', described(clientId), 'the id of your client at the identity provider');
  }
  if (typeof clientSecret !== 'string' || clientSecret === '') {
    const given = clientSecret ? `a ${typeof clientSecret}` : 'nothing';
    refuse('idpClient.clientSecret', given, 'the secret of that client');
  }
}

/** At a path of this server that is for nothing else. */
function checkRedirectUri({ refuse }: Settings, given: unknown, base: URL, own: string | undefined): void {
  const url = typeof given === 'string' ? URL.parse(given) : null;
  if (url?.origin !== base.origin || url.search || url.hash || isTaken(url.pathname)) {
    refuse(
      'idpClient.redirectUri',
      described(given),
      `a URL of this server, as it is registered at the identity provider, for example '${base.origin}/oauth/callback', and not at ${TAKEN_PATHS}`,
    );
  } else if (own !== undefined && plainPath(url.pathname) === plainPath(new URL(own).pathname)) {
    refuse('idpClient.redirectUri', described(given), `another URL than that of the MCP endpoint, '${own}'`);
  }
}

/** A host alone stands for its https URL. */
export function issuerOf(given: string): string {
  return /^https?:/.test(given) ? given : `https://${given}`;
}

export function scopeList(scopes: string | readonly string[]): readonly string[] {
  return typeof scopes === 'string' ? scopes.split(' ').filter(Boolean) : scopes;
}
