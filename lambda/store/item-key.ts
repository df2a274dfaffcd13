/** Where a record lies in the table. */
export interface ItemKey {
  readonly pk: string;
  readonly sk: string;
}

/** The sort key of a record that has its partition to itself. Every other sort key begins with a slash. */
const ALONE = 'value';

/** Limits of DynamoDB, in bytes of UTF-8, which every store keeps. */
const LONGEST_PK = 2048;
const LONGEST_SK = 1024;

/**
 * The item that `key` names. A key is its pk followed by its sk: it is cut before the first slash that has something
 * on both sides (`grant#1/refresh#2` is `grant#1` and `/refresh#2`), and a key without such a slash is a pk whose sk is
 * `value`. So no two keys name the same item.
 *
 * A namespace goes before the pk, percent-encoded and followed by `:/`. It cannot contain that delimiter, and no pk
 * outside a namespace can, for it would have been cut there: so no two namespaces meet, nor a namespace and none. The
 * namespace `keyv` is none.
 *
 * @throws RangeError for a key that is empty or too long
 * @throws TypeError for a key that is not well-formed Unicode, which UTF-8 cannot tell apart from others
 */
export function itemKey(key: string, namespace?: string): ItemKey {
  if (key === '') throw new RangeError('A key of the store is empty; it needs at least one character.');
  if (/\p{Surrogate}/u.test(key)) {
    throw new TypeError('A key of the store has an unpaired surrogate; it needs to be well-formed Unicode.');
  }
  const slash = key.indexOf('/', 1);
  const shared = slash > 0 && slash < key.length - 1;
  return {
    pk: fitting('partition', namespacePrefix(namespace) + (shared ? key.slice(0, slash) : key), LONGEST_PK),
    sk: fitting('sort', shared ? key.slice(slash) : ALONE, LONGEST_SK),
  };
}

/** The pk of a partition whose records are listed together: every key that begins with `partition` and a slash. */
export function partitionKey(partition: string, namespace?: string): string {
  const { pk, sk } = itemKey(partition, namespace);
  if (sk !== ALONE) {
    throw new RangeError(
      'A partition of the store has a slash inside it; it needs to be the part of the keys before it.',
    );
  }
  return pk;
}

/** The key that names the item: the inverse of `itemKey`. */
export function keyOfItem({ pk, sk }: ItemKey, namespace?: string): string {
  const partition = pk.slice(namespacePrefix(namespace).length);
  return sk === ALONE ? partition : partition + sk;
}

/**
 * What stands for a namespace, and what for none. Keyv 5 gives a Keyv that has none the name `keyv`, where Keyv 6 and a store's URL have
 * none: it counts as none, whoever says it, so that processes on one database find each other's records.
 */
export function namespaceOf(given: unknown): string | undefined {
  return typeof given === 'string' && given !== '' && given !== 'keyv' ? given : undefined;
}

function namespacePrefix(given?: string): string {
  const namespace = namespaceOf(given);
  return namespace === undefined ? '' : `${encodeURIComponent(namespace)}:/`;
}

function fitting(part: string, value: string, longest: number): string {
  const bytes = Buffer.byteLength(value);
  if (bytes > longest) {
    throw new RangeError(`A key of the store has a ${part} key of ${bytes} bytes; the store takes at most ${longest}.`);
  }
  return value;
}
