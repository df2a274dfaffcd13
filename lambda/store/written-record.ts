import { LONGEST_LIFETIME } from '../../lib/contract';
import type { StoredRecord } from './store';

/** The deadline of what is configuration: a number that every database can hold and compare, and no clock will reach. */
export const NEVER = Number.MAX_SAFE_INTEGER;

/** @throws TypeError for what JSON cannot hold */
export function jsonOf(value: unknown): string {
  const json = JSON.stringify(value);
  if (json === undefined) {
    throw new TypeError(`A value of type ${typeof value} was given to the store; it needs one that JSON can hold.`);
  }
  return json;
}

/** @param deadline epoch milliseconds, or NEVER */
export function expiryOf(deadline: number): Pick<StoredRecord, 'expiresAt'> {
  return deadline === NEVER ? {} : { expiresAt: Math.ceil(deadline / 1000) };
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
