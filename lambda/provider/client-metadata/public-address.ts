import ipaddr from 'ipaddr.js';

/** All that IANA has given out as global unicast; around it lie IPv4-compatible addresses and whatever comes to be special. */
const GLOBAL_UNICAST = ipaddr.IPv6.parseCIDR('2000::/3');

/**
 * Whether an address belongs to the public internet: none of the special-purpose ranges of RFC 6890 and its registries, no
 * multicast, and none that carries an IPv4 address which a translator would connect to (NAT64, 6to4, Teredo).
 */
export function isPublicAddress(address: string): boolean {
  if (!ipaddr.isValid(address)) return false;
  const parsed = ipaddr.process(address);
  if (parsed.range() !== 'unicast') return false;
  return parsed instanceof ipaddr.IPv4 || parsed.match(GLOBAL_UNICAST);
}
