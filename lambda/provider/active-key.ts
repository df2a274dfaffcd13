import type { SymmetricKey } from '../../lib/contract';

/**
 * The key that makes things at a moment: the newest that is active then, and before all of them the oldest.
 *
 * @param newestFirst at least one
 * @param at epoch seconds
 */
export function activeAt(newestFirst: readonly SymmetricKey[], at: number): SymmetricKey {
  const key = newestFirst.find(({ activeFrom }) => activeFrom <= at) ?? newestFirst.at(-1);
  if (!key) throw new Error('The key set secret has no key for this');
  return key;
}
