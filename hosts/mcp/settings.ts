/** A setting that cannot be used: which, what is needed, and what was given. */
export function wrongSetting(name: string, needed: string, given: unknown): TypeError {
  return new TypeError(`${name} has to be ${needed}; given: ${JSON.stringify(given) ?? String(given)}.`);
}

const LOOPBACK = ['localhost', '127.0.0.1', '[::1]'];

/**
 * Reads the base URL of a server, with or without a slash at its end.
 *
 * @param name of the setting
 * @returns the origin
 * @throws TypeError for anything else than an https URL without a path; http is for loopback addresses only
 */
export function originOf(name: string, given: unknown): string {
  const url = typeof given === 'string' ? URL.parse(given) : null;
  const isSafe = url?.protocol === 'https:' || (url?.protocol === 'http:' && LOOPBACK.includes(url.hostname));
  if (url === null || !isSafe || url.href !== `${url.origin}/`) {
    throw wrongSetting(name, 'an https URL without a path (http on loopback only), as https://mcp.example.com', given);
  }
  return url.origin;
}

/** @throws TypeError for what is no path of literal segments */
export function pathOf(name: string, given: unknown): string {
  if (typeof given !== 'string' || !/^(\/|(\/[A-Za-z0-9._~-]+)+)$/.test(given)) {
    throw wrongSetting(name, 'a path of literal segments, as /mcp', given);
  }
  return given;
}
