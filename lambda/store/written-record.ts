import { LONGEST_LIFETIME } from '../../lib/contract';

/** @throws TypeError for what JSON cannot hold */
export function jsonOf(value: unknown): string {
  const json = JSON.stringify(value);
  if (json === undefined) {
    throw new TypeError(`A value of type ${typeof value} was given to the store; it needs one that JSON can hold.`);
  }
  return json;
}

/**
 * When a record that is written now expires.
 *
 * @param expires epoch milliseconds
 * @returns the same, or the end of the longest lifetime where that is sooner
 */
export function deadlineOf(expires = Number.POSITIVE_INFINITY): number {
  return Math.min(expires, (Math.floor(Date.now() / 1000) + LONGEST_LIFETIME) * 1000);
}
