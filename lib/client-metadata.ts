import { Token } from 'aws-cdk-lib';
import type { ClientMetadataConfig } from './contract';
import { described, refuse } from './validation';

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
}

/** Refuses what would match no host. */
export function clientMetadata({ internalHosts = [] }: ClientMetadataProps): ClientMetadataConfig {
  for (const host of internalHosts) {
    if (!Token.isUnresolved(host) && !isHost(host)) {
      refuse(
        'clientMetadata.internalHosts must be bare host names in lower case, without scheme, port and wildcards, ' +
          `for example 'apps.corp.example.com', got ${described(host)}.`,
      );
    }
  }
  return { internalHosts };
}

function isHost(given: unknown): boolean {
  if (typeof given !== 'string' || given === '' || given.includes('*')) {
    return false;
  }
  const url = `https://${given}/`;
  return URL.canParse(url) && new URL(url).hostname === given;
}
