/** Epoch seconds, as records and tokens count. */
export function now(): number {
  return Math.floor(Date.now() / 1000);
}
