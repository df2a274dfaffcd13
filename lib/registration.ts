import { isIP } from 'node:net';
import { Token } from 'aws-cdk-lib';
import { DEFAULT_REGISTRATION, type RegistrationConfig } from './contract';
import { checkList, checkWholeNumber, described, refuse } from './validation';

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

/** Schemes that a browser acts on itself, or that are no app's own. */
const NOT_PRIVATE = [
  'http',
  'https',
  'javascript',
  'data',
  'vbscript',
  'blob',
  'file',
  'about',
  'filesystem',
  'ws',
  'wss',
  'ftp',
];

/** Refuses limits that let nobody in, ranges that are none, and schemes that are dangerous. */
export function registration(props: RegistrationProps): RegistrationConfig {
  const {
    perAddress = DEFAULT_REGISTRATION.perAddress,
    inAll = DEFAULT_REGISTRATION.inAll,
    sharedEgress = DEFAULT_REGISTRATION.sharedEgress,
    privateUseSchemes,
  } = props;
  checkWholeNumber('registration.perAddress', perAddress, { atLeast: 1 });
  checkWholeNumber('registration.inAll', inAll, { atLeast: 1 });
  checkList('registration.sharedEgress', sharedEgress);
  for (const range of sharedEgress) {
    if (!Token.isUnresolved(range) && !isRange(range)) {
      refuse(`registration.sharedEgress must be CIDR ranges, for example '192.0.2.0/24', got ${described(range)}.`);
    }
  }
  checkList('registration.privateUseSchemes', privateUseSchemes);
  for (const scheme of privateUseSchemes ?? []) {
    if (!/^[a-z][a-z0-9+.-]*$/.test(scheme) || NOT_PRIVATE.includes(scheme)) {
      refuse(
        `registration.privateUseSchemes must be schemes of apps in lower case, without a colon, got ${described(scheme)}.`,
      );
    }
  }
  return { perAddress, inAll, sharedEgress, ...(privateUseSchemes ? { privateUseSchemes } : {}) };
}

function isRange(given: unknown): boolean {
  const [, address = '', bits] = /^([0-9a-fA-F.:]+)\/(\d{1,3})$/.exec(String(given)) ?? [];
  const family = isIP(address);
  return family !== 0 && Number(bits) <= (family === 4 ? 32 : 128);
}
