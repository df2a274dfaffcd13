/**
 * The scopes that are needed and were not granted, each once.
 *
 * @param granted scope tokens separated by spaces (RFC 6749 section 3.3)
 */
export function missingScopes(granted: string, needed: readonly string[]): string[] {
  const has = new Set(granted.split(' '));
  return [...new Set(needed)].filter((scope) => !has.has(scope));
}
