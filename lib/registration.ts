import type { RegistrationConfig } from './contract';
import { checkRegistration, completeRegistration } from './registration-rules';
import { knownAtSynth, mustBe } from './validation';

/** How MCP clients register themselves (RFC 7591). The limits hold for new metadata only: what is registered already, and metadata documents, go on. */
export interface RegistrationProps {
  /**
   * New clients per hour from one address (of IPv6, one network of 64 bits). At least 1.
   *
   * @default 20
   */
  readonly perAddress?: number;

  /**
   * New clients per hour in all. At least 1.
   *
   * @default 1000
   */
  readonly inAll?: number;

  /**
   * CIDR ranges from which many people come, so that `perAddress` does not hold there: the servers of hosted clients, your own proxies.
   *
   * @default ['160.79.104.0/21'], from where Claude connects
   */
  readonly sharedEgress?: string[];

  /**
   * The only private-use schemes that redirect URIs may have (RFC 8252 section 7.1), without the colon. [] = `https` and loopback only.
   *
   * @default - those of known MCP clients (`cursor`, `vscode`, `claude` ...), and reverse domain names (`com.example.app`)
   */
  readonly privateUseSchemes?: string[];
}

/** The configuration, its defaults filled in. Throws where the props are wrong. */
export function registration(props: RegistrationProps): RegistrationConfig {
  checkRegistration(mustBe, knownAtSynth(props));
  return completeRegistration(props);
}
