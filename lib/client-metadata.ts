import { Token } from 'aws-cdk-lib';
import type { ClientMetadataConfig } from './contract';
import { checkList, described, refuse } from './validation';

/** How Client ID Metadata Documents are fetched: the `client_id` of an MCP client may be the URL of a document that describes it. */
export interface ClientMetadataProps {
  /**
   * Hosts of your own that serve documents on addresses or ports which are not public. Bare names in lower case, without scheme and port.
   * Documents of any other host are fetched from public addresses on port 443 alone. The provider function must be able to reach the
   * hosts and trust their certificates (`NODE_EXTRA_CA_CERTS` in `functionOptions.environment`).
   *
   * @default - none
   */
  readonly internalHosts?: string[];

  /**
   * The only hosts, beside `internalHosts`, whose documents are used: `claude.ai` is that host, `*.example.com` every host below
   * `example.com`, but not `example.com` itself. Clients in use already are held to it as well.
   *
   * @default - all
   */
  readonly allowedHosts?: string[];

  /**
   * Hosts whose documents are never used, also where `allowedHosts` or `internalHosts` has them; written like `allowedHosts`.
   *
   * @default - none
   */
  readonly deniedHosts?: string[];
}

/** Refuses what would match no host. */
export function clientMetadata(props: ClientMetadataProps): ClientMetadataConfig {
  const { internalHosts = [], allowedHosts, deniedHosts = [] } = props;
  checkList('clientMetadata.internalHosts', internalHosts);
  for (const host of internalHosts) {
    if (!Token.isUnresolved(host) && !isHost(host)) {
      refuse(
        'clientMetadata.internalHosts must be bare host names in lower case, without scheme, port and wildcards, ' +
          `for example 'apps.corp.example.com', got ${described(host)}.`,
      );
    }
  }
  if (allowedHosts?.length === 0) {
    refuse('clientMetadata.allowedHosts must name a host; leave it out to use the documents of every host.');
  }
  checkPatterns('clientMetadata.allowedHosts', allowedHosts ?? []);
  checkPatterns('clientMetadata.deniedHosts', deniedHosts);
  return { internalHosts, ...(allowedHosts ? { allowedHosts } : {}), deniedHosts };
}

function checkPatterns(name: string, patterns: readonly string[]): void {
  checkList(name, patterns);
  for (const pattern of patterns) {
    if (!Token.isUnresolved(pattern) && !isHost(String(pattern).replace(/^\*\./, ''))) {
      refuse(
        `${name} must be bare host names in lower case, without scheme and port, for example 'claude.ai', ` +
          `or all below one, for example '*.example.com', got ${described(pattern)}.`,
      );
    }
  }
}

function isHost(given: unknown): boolean {
  if (typeof given !== 'string' || given === '' || given.startsWith('.') || given.includes('*')) {
    return false;
  }
  const url = `https://${given}/`;
  return URL.canParse(url) && new URL(url).hostname === given;
}
