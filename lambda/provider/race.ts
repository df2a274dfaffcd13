import { now } from './clock';

/** The first use of what may be used once may still be under way, so nobody can say yet how it ends. */
export class UnderWayError extends Error {
  override readonly name = 'UnderWayError';
}

/** Whether a use was so recent that a second one is the same client's, sent twice, rather than a thief's, and the first may be under way. */
export function isRecent(consumedAt: number): boolean {
  return now() - consumedAt <= RACE;
}

/** Seconds. */
const RACE = 10;
