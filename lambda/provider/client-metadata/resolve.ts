import { promises as dns, type LookupAddress } from 'node:dns';

/** Every address of a name. What is under way ends with the signal. */
export type Resolve = (hostname: string, signal: AbortSignal) => Promise<LookupAddress[]>;

/** Milliseconds for one question to a name server, and how often each is asked. */
const PATIENCE = { timeout: 1_000, tries: 2 };

/**
 * Names of strangers are asked of the name servers alone. The system's own resolver knows the hosts file and the search
 * domains too, but it has four threads for the whole process and cannot be interrupted: a name whose server never answers
 * would hold one for many seconds, and a few of them everything else that looks for a name. It is for the operator's hosts.
 */
export function resolver(internalHosts: ReadonlySet<string>): Resolve {
  return (hostname, signal) =>
    internalHosts.has(hostname) ? dns.lookup(hostname, { all: true }) : askNameServers(hostname, signal);
}

/** IPv4 first: it is what every network that this server may be in can reach. */
async function askNameServers(hostname: string, signal: AbortSignal): Promise<LookupAddress[]> {
  // Nobody's name server is asked for this machine (RFC 6761 section 6.3).
  if (/(^|\.)localhost\.?$/.test(hostname)) return [{ address: '127.0.0.1', family: 4 }];
  signal.throwIfAborted();
  // One for each name: a cancel ends all that a resolver has been asked for.
  const asked = new dns.Resolver(PATIENCE);
  const cancel = () => asked.cancel();
  signal.addEventListener('abort', cancel, { once: true });
  const answers = await Promise.allSettled([asked.resolve4(hostname), asked.resolve6(hostname)]);
  signal.removeEventListener('abort', cancel);
  const addresses = answers.flatMap((answer, index) =>
    answer.status === 'fulfilled' ? answer.value.map((address) => ({ address, family: index === 0 ? 4 : 6 })) : [],
  );
  // Many a name has addresses of one family only, which the other answers with an error.
  if (addresses.length > 0) return addresses;
  throw answers.find((answer) => answer.status === 'rejected')?.reason ?? new Error(`${hostname} has no address`);
}
