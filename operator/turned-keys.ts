import { jwksOf } from '../lambda/key-set/public-jwk';
import type { KeySet } from '../lib/contract';

/** Of the keys that sign. */
export const kidsOf = ({ current }: KeySet): string[] => jwksOf(current).map(({ kid }) => kid);

/** What to say of a rotation. */
export function turned(before: KeySet, after: KeySet): string {
  const [was, signs] = [kidsOf(before)[0], kidsOf(after)[0]];
  if (was === signs) {
    const since = new Date(after.next.createdAt * 1000).toISOString();
    return `${signs} signs on: the next key is published since ${since} only, and not everybody knows it yet. What had to go was taken out.`;
  }
  return `${signs} signs from now on. ${was} stays published until nothing that it has signed is valid any more.`;
}

/**
 * What to say once the keys that have signed are revoked.
 *
 * @param noticed how soon who hears of it
 */
export function revoked(after: KeySet, noticed: string): string {
  return `Revoked. ${kidsOf(after)[0]} signs from now on.
Every access token and ID token that the revoked key has signed becomes invalid, those of honest clients too: they get 401 and refresh by themselves, and nobody signs in anew. Refresh tokens, codes and consents stay valid.
It takes a few minutes until everybody has noticed: ${noticed}.
If the whole secret has leaked, its next key has too: once clients have refreshed, do this again.`;
}
