/** Seconds. A document is not asked for more often, nor used for longer without asking, whatever its host says. */
const SHORTEST = 5 * 60;
export const LONGEST_FRESHNESS = 24 * 60 * 60;

/** For how many seconds a shared cache may use a response without asking again (RFC 9111 section 4.2), within our own bounds. */
export function freshnessOf(headers: Headers): number {
  const seconds = freshnessLifetime(headers) - Number(headers.get('age') ?? 0);
  return Math.min(Math.max(Number.isFinite(seconds) ? seconds : 0, SHORTEST), LONGEST_FRESHNESS);
}

function freshnessLifetime(headers: Headers): number {
  const control = headers.get('cache-control') ?? '';
  if (/(^|[\s,])(no-store|no-cache)\b/i.test(control)) return 0;
  const age = secondsOf(control, 's-maxage') ?? secondsOf(control, 'max-age');
  if (age !== undefined) return age;
  const from = Date.parse(headers.get('date') ?? '') || Date.now();
  return Math.floor((Date.parse(headers.get('expires') ?? '') - from) / 1000);
}

function secondsOf(control: string, directive: string): number | undefined {
  const [, seconds] = new RegExp(`(?:^|[\\s,])${directive}="?(\\d+)`, 'i').exec(control) ?? [];
  return seconds === undefined ? undefined : Number(seconds);
}
