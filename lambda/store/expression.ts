import { TABLE } from '../../lib/contract';
import { DEADLINE, type Item } from './stored-record';

/** Attributes are always called by placeholders: DynamoDB reserves hundreds of words. */
const NAMES = {
  '#pk': TABLE.partitionKey,
  '#sk': TABLE.sortKey,
  '#expiresAt': TABLE.timeToLive,
  '#deadline': DEADLINE,
  '#consumedAt': TABLE.consumedAt,
  '#claimedBy': TABLE.claimedBy,
  '#count': TABLE.count,
  '#version': TABLE.version,
};

/** Conditions on the expiry, which take the values of `instant`. */
export const UNEXPIRED =
  '(attribute_not_exists(#expiresAt) OR #expiresAt > :now) AND (attribute_not_exists(#deadline) OR #deadline > :nowMs)';
export const EXPIRED = '(#expiresAt <= :now OR #deadline <= :nowMs)';

/** The time `ms` (epoch milliseconds) as conditions name it. */
export function instant(ms: number): { ':now': { N: string }; ':nowMs': { N: string } } {
  return { ':now': { N: String(Math.floor(ms / 1000)) }, ':nowMs': { N: String(ms) } };
}

/** What the placeholders of a request's expressions stand for. DynamoDB refuses a name that no expression uses. */
export function placeholders(values: Item, ...expressions: string[]) {
  const used = Object.entries(NAMES).filter(([name]) => expressions.some((text) => text.includes(name)));
  return { ExpressionAttributeNames: Object.fromEntries(used), ExpressionAttributeValues: values };
}
