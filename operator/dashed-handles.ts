/**
 * One in 64 people and clients has a `sub` or `client_id` that begins with a dash, which Node's parser takes for options.
 *
 * @returns the same arguments in a form that cannot be taken for them
 */
export function dashedHandles(args: readonly string[]): string[] {
  const named = args.flatMap((arg, i) => {
    if (arg === '--sub' && isDashedHandle(args[i + 1])) return [`--sub=${args[i + 1]}`];
    return isDashedHandle(arg) && args[i - 1] === '--sub' ? [] : [arg];
  });
  const positional = named.filter(isDashedHandle);
  if (positional.length === 0) return named;
  return [...named.filter((arg) => !isDashedHandle(arg)), '--', ...positional];
}

/** A SHA-256 in base64url; no option is that long. */
function isDashedHandle(arg: string | undefined): boolean {
  return /^-[\w-]{42}$/.test(arg ?? '');
}
