import { namespaceOf } from '../lambda/store/item-key';

/** What a Keyv, of version 5 or 6, hands on to: its storage adapter, and the namespace of its keys. */
export interface KeyvAdapter {
  readonly adapter: object;
  readonly namespace: string | undefined;
}

/** Adapters that only stand before another, by the names of their classes: people bring their own copy of Keyv. */
const WRAPPERS = ['KeyvBridgeAdapter', 'KeyvMemoryAdapter'];

/** @throws TypeError for what is neither a Keyv nor an adapter of one */
export function adapterOf(given: unknown): KeyvAdapter {
  if (!isObject(given) || (!isKeyv(given) && typeof given.get !== 'function')) {
    throw new TypeError(
      `The store is ${given === null ? 'null' : `of type ${typeof given}`}; it needs to be a Keyv, or a storage adapter of Keyv.`,
    );
  }
  let adapter: Loose = given;
  if (isKeyv(adapter)) adapter = adapter.store;
  while (isOneOf(adapter, WRAPPERS) && isObject(adapter.store)) adapter = adapter.store;
  return { adapter, namespace: namespaceOf(given.namespace ?? adapter.namespace) };
}

/** Whether the object's class, or one that it extends, has one of the names. */
export function isOneOf(adapter: object, names: readonly string[]): boolean {
  for (let prototype = Object.getPrototypeOf(adapter); prototype; prototype = Object.getPrototypeOf(prototype)) {
    if (names.includes(prototype.constructor?.name)) return true;
  }
  return false;
}

type Loose = Record<string, unknown>;

function isKeyv(given: Loose): given is Loose & { readonly store: Loose } {
  return isObject(given.store) && 'hooks' in given && 'stats' in given;
}

function isObject(value: unknown): value is Loose {
  return typeof value === 'object' && value !== null;
}
