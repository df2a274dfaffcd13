import { describe, expect, test } from 'vitest';
import { itemKey, keyOfItem, partitionKey } from '../../../lambda/store/item-key';

describe('a key', () => {
  test.each([
    ['grant#abc/refresh#def', 'grant#abc', '/refresh#def'],
    ['resources/https://mcp.example.com/mcp', 'resources', '/https://mcp.example.com/mcp'],
    ['client#abc', 'client#abc', 'value'],
    ['value', 'value', 'value'],
    ['a/value', 'a', '/value'],
    ['a/', 'a/', 'value'],
    ['/', '/', 'value'],
    ['/a', '/a', 'value'],
    ['/a/b', '/a', '/b'],
    ['//', '//', 'value'],
    ['///', '/', '//'],
    ['a//', 'a', '//'],
  ])('%j lies at %j and %j', (key, pk, sk) => {
    expect(itemKey(key)).toEqual({ pk, sk });
    expect(keyOfItem({ pk, sk })).toBe(key);
  });

  test.each([
    [undefined, 'a/b', 'a'],
    ['', 'a/b', 'a'],
    ['keyv', 'a/b', 'a'],
    ['cache', 'a/b', 'cache:/a'],
    ['a/b:c', 'd', 'a%2Fb%3Ac:/d'],
  ])('in namespace %j, %j has the partition key %j', (namespace, key, pk) => {
    expect(itemKey(key, namespace).pk).toBe(pk);
  });

  test('names one item and an item one key, in every namespace', () => {
    // Every word of up to five letters that mean something here, in namespaces made of the same letters.
    const letters = ['/', ':', '%', 'a'];
    const namespaces = [undefined, ...words(letters, 2).filter((word) => word !== '')];
    const keys = words(letters, 5).filter((word) => word !== '');
    const taken = new Map<string, string>();
    for (const namespace of namespaces) {
      for (const key of keys) {
        const item = itemKey(key, namespace);
        expect(keyOfItem(item, namespace)).toBe(key);
        const place = JSON.stringify([item.pk, item.sk]);
        const owner = JSON.stringify([namespace, key]);
        expect(taken.get(place) ?? owner).toBe(owner);
        taken.set(place, owner);
      }
    }
    expect(taken.size).toBe(namespaces.length * keys.length);
  });

  test.each([
    ['p'.repeat(2048), undefined],
    [`p/${'s'.repeat(1023)}`, undefined],
    ['p'.repeat(2048 - 'ns:/'.length), 'ns'],
  ])('as long as DynamoDB can hold is taken', (key, namespace) => {
    expect(keyOfItem(itemKey(key, namespace), namespace)).toBe(key);
  });

  test.each([
    ['p'.repeat(2049), undefined, 'partition key of 2049 bytes; the store takes at most 2048'],
    ['é'.repeat(1025), undefined, 'partition key of 2050 bytes; the store takes at most 2048'],
    [`p/${'s'.repeat(1024)}`, undefined, 'sort key of 1025 bytes; the store takes at most 1024'],
    ['p'.repeat(2048), 'ns', 'partition key of 2052 bytes; the store takes at most 2048'],
    ['', undefined, 'is empty'],
    ['a\ud800', undefined, 'unpaired surrogate'],
  ])('that no store holds is refused in words', (key, namespace, words) => {
    expect(() => itemKey(key, namespace)).toThrow(words);
  });
});

describe('a partition', () => {
  test('is the pk of every key that begins with it and a slash', () => {
    expect(partitionKey('grant#abc')).toBe(itemKey('grant#abc/refresh#def').pk);
    expect(partitionKey('grant#abc', 'ns')).toBe(itemKey('grant#abc/refresh#def', 'ns').pk);
  });

  test('cannot reach into a namespace', () => {
    expect(() => partitionKey('ns:/grant#abc')).toThrow('has a slash inside');
  });
});

function words(letters: readonly string[], longest: number): string[] {
  if (longest === 0) return [''];
  const shorter = words(letters, longest - 1);
  const longer = shorter.filter((word) => word.length === longest - 1);
  return [...shorter, ...longer.flatMap((word) => letters.map((letter) => word + letter))];
}
