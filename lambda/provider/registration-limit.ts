import { isIPv6 } from 'node:net';
import ipaddr from 'ipaddr.js';
import type { RegistrationConfig } from '../../lib/contract';
import type { Store } from '../store/store';
import { now } from './clock';
import { hash } from './keys';

/** New clients are counted by the hour. */
const WINDOW = 60 * 60;

/** The limit that is exceeded, and the seconds until it begins anew. */
interface Exceeded {
  readonly limit: 'perAddress' | 'inAll';
  readonly seconds: number;
}

/** How many clients may register for the first time: per address, so that nobody fills the table, and in all. */
export class RegistrationLimit {
  constructor(
    private readonly store: Store,
    private readonly config: RegistrationConfig,
  ) {}

  /** Counts a new client. */
  async exceeded(address: string): Promise<Exceeded | undefined> {
    const time = now();
    const window = Math.floor(time / WINDOW);
    const end = (window + 1) * WINDOW;
    const count = (name: string) => this.store.count(`registrations#${window}#${name}`, (end + WINDOW) * 1000);
    const { perAddress, inAll } = this.config;
    // First, and alone: whoever is over their own limit must not use up what is there for all.
    if (!this.#isShared(address) && (await count(hash(network(address)))) > perAddress) {
      return { limit: 'perAddress', seconds: end - time };
    }
    return (await count('all')) > inAll ? { limit: 'inAll', seconds: end - time } : undefined;
  }

  #isShared(address: string): boolean {
    if (!ipaddr.isValid(address)) return false;
    const parsed = ipaddr.process(address);
    return this.config.sharedEgress.some((range) => {
      const [base, bits] = ipaddr.parseCIDR(range);
      return base.kind() === parsed.kind() && parsed.match(base, bits);
    });
  }
}

/** Whoever has one IPv6 address has 2^64 of them. */
function network(address: string): string {
  if (!isIPv6(address)) return address;
  const parsed = ipaddr.process(address);
  return parsed.kind() === 'ipv4' ? parsed.toString() : ipaddr.IPv6.networkAddressFromCIDR(`${parsed}/64`).toString();
}
