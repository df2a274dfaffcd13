import type { ConsumeOptions } from '../lambda/store/store';

/** The condition of `consume` for stores that have no database to decide it. */
export function mayConsume(consumedAt: number | undefined, now: number, { grace = 0, seen }: ConsumeOptions): boolean {
  if (consumedAt === undefined || consumedAt === seen) return true;
  // A window of no length is none: it would let every caller of the same second through.
  return grace > 0 && consumedAt >= now - grace;
}
