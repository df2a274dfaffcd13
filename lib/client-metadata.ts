import { checkClientMetadata, completeClientMetadata } from './client-metadata-rules';
import type { ClientMetadataConfig } from './contract';
import { knownAtSynth, mustBe } from './validation';

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

/** The configuration, its defaults filled in. Throws where the props are wrong. */
export function clientMetadata(props: ClientMetadataProps): ClientMetadataConfig {
  checkClientMetadata(mustBe, knownAtSynth(props));
  return completeClientMetadata(props);
}
