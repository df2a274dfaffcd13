import type { AttributeValue } from '@aws-sdk/client-dynamodb';
import { SCHEMA_VERSION, TABLE } from '../../lib/contract';
import { itemKey, keyOfItem } from './item-key';
import type { StoredRecord } from './store';
import { deadlineOf, jsonOf } from './written-record';

/** An item as DynamoDB's client gives and takes it. */
export type Item = Record<string, AttributeValue>;

/**
 * The exact deadline in epoch milliseconds, only on records whose deadline is not a whole second. `expiresAt` is then
 * the second after it, for DynamoDB's TTL knows whole seconds alone.
 */
export const DEADLINE = 'deadline';

export function keyAttributes(key: string, namespace?: string): Item {
  const { pk, sk } = itemKey(key, namespace);
  return { [TABLE.partitionKey]: { S: pk }, [TABLE.sortKey]: { S: sk } };
}

/** An item that lives until it is deleted. */
export function configuredItem(key: string, value: unknown, namespace?: string): Item {
  return {
    ...keyAttributes(key, namespace),
    [TABLE.version]: { N: String(SCHEMA_VERSION) },
    [TABLE.value]: { S: jsonOf(value) },
  };
}

/** @param expires epoch milliseconds */
export function itemOf(key: string, value: unknown, expires: number | undefined, namespace?: string): Item {
  const deadline = deadlineOf(expires);
  return {
    ...configuredItem(key, value, namespace),
    [TABLE.timeToLive]: { N: String(Math.ceil(deadline / 1000)) },
    ...(deadline % 1000 === 0 ? {} : { [DEADLINE]: { N: String(deadline) } }),
  };
}

/** The record that the item holds; undefined if it has expired, since DynamoDB deletes it days later. */
export function recordOf(item: Item, namespace?: string): StoredRecord | undefined {
  if (hasExpired(item)) return undefined;
  const expiresAt = item[TABLE.timeToLive]?.N;
  const consumedAt = item[TABLE.consumedAt]?.N;
  const registeredBy = item[TABLE.registeredBy]?.S;
  return {
    key: keyOfItem({ pk: item[TABLE.partitionKey]!.S!, sk: item[TABLE.sortKey]!.S! }, namespace),
    value: JSON.parse(item[TABLE.value]!.S!),
    ...(expiresAt === undefined ? {} : { expiresAt: Number(expiresAt) }),
    ...(consumedAt === undefined ? {} : { consumedAt: Number(consumedAt) }),
    ...(registeredBy === undefined ? {} : { registeredBy }),
  };
}

export function hasExpired(item: Item): boolean {
  const seconds = item[TABLE.timeToLive]?.N;
  if (seconds === undefined) return false;
  const exact = item[DEADLINE]?.N;
  return Date.now() >= (exact === undefined ? Number(seconds) * 1000 : Number(exact));
}
