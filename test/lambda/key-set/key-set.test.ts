import { calculateJwkThumbprint } from 'jose';
import { beforeAll, describe, expect, it } from 'vitest';
import { makeKeySet } from '../../../lambda/key-set/make-key-set';
import { KeySetError, parseKeySet } from '../../../lambda/key-set/parse-key-set';
import { publicJwk, publicJwks } from '../../../lambda/key-set/public-jwk';
import type { KeySet } from '../../../lib/contract';

const NOW = 1_790_000_000;
let keySet: KeySet;

beforeAll(async () => {
  keySet = await makeKeySet(NOW);
});

describe('a new key set', () => {
  it('has two RS256 keys of 2048 bits that are named by their thumbprints', async () => {
    for (const { jwk, createdAt } of [keySet.current, keySet.next]) {
      expect(jwk).toMatchObject({ kty: 'RSA', alg: 'RS256', use: 'sig', kid: await calculateJwkThumbprint(jwk) });
      expect(Buffer.from(jwk.n!, 'base64url')).toHaveLength(256);
      expect(createdAt).toBe(NOW);
    }
    expect(keySet.current.jwk.kid).not.toBe(keySet.next.jwk.kid);
  });

  it('has for ES256 a key for access tokens and an RS256 key for ID tokens', async () => {
    const { current, next, ...rest } = await makeKeySet(NOW, 'ES256');
    for (const { jwk, idTokenJwk } of [current, next]) {
      expect(jwk).toMatchObject({ kty: 'EC', crv: 'P-256', alg: 'ES256', kid: await calculateJwkThumbprint(jwk) });
      expect(idTokenJwk).toMatchObject({ kty: 'RSA', alg: 'RS256', use: 'sig' });
    }
    const whole = { current, next, ...rest };
    expect(parseKeySet(JSON.stringify(whole))).toEqual(whole);
    expect(publicJwks(whole).keys.map(({ alg, d }) => [alg, d])).toEqual([
      ['ES256', undefined],
      ['RS256', undefined],
      ['ES256', undefined],
      ['RS256', undefined],
    ]);
  });

  it.each(['successorKeys', 'encryptionKeys'] as const)('has one key of 32 bytes in %s', (name) => {
    expect(keySet[name]).toHaveLength(1);
    expect(Buffer.from(keySet[name][0]!.key, 'base64url')).toHaveLength(32);
  });

  it('has nothing retired', () => {
    expect(keySet.previous).toEqual([]);
  });

  it('survives the secret', () => {
    expect(parseKeySet(JSON.stringify(keySet))).toEqual(keySet);
  });
});

describe('the published key set', () => {
  function withRetired(): KeySet {
    return { ...keySet, previous: [{ jwk: publicJwk({ ...keySet.next.jwk, kid: 'old' }), retiredAt: NOW }] };
  }

  it('lists current, next and previous, in this order', () => {
    expect(publicJwks(withRetired()).keys.map(({ kid }) => kid)).toEqual([
      keySet.current.jwk.kid,
      keySet.next.jwk.kid,
      'old',
    ]);
  });

  it('has public members only, even of a key with members that nobody thought of', () => {
    const current = { ...keySet.current, jwk: { ...keySet.current.jwk, k: 'x', oth: 'y' } };
    const { keys } = publicJwks({ ...withRetired(), current });
    for (const key of keys) {
      expect(Object.keys(key).sort()).toEqual(['alg', 'e', 'kid', 'kty', 'n', 'use']);
    }
  });

  it('publishes EC keys with their own members', () => {
    const jwk = { kty: 'EC', crv: 'P-256', x: 'x', y: 'y', d: 'd', kid: 'k', alg: 'ES256', use: 'sig' };
    expect(publicJwk(jwk)).toEqual({ kty: 'EC', crv: 'P-256', x: 'x', y: 'y', kid: 'k', alg: 'ES256', use: 'sig' });
  });

  it('refuses to publish a symmetric key', () => {
    expect(() => publicJwk({ kty: 'oct', k: 'secret', kid: 'k', alg: 'HS256' })).toThrow(TypeError);
  });
});

describe('a secret that is not a key set', () => {
  it.each<[string, string, (keySet: KeySet) => unknown, string]>([
    ['another version', 'v', () => 2, 'v has to be 1'],
    ['no next key', 'next', () => undefined, 'next has to be an object'],
    ['a signing key without its private half', 'current.jwk.d', () => undefined, 'current.jwk.d is missing'],
    ['a key without kid', 'next.jwk.kid', () => undefined, 'next.jwk.kid is missing'],
    ['a key without alg', 'next.jwk.alg', () => undefined, 'next.jwk.alg is missing'],
    ['a key without its modulus', 'next.jwk.n', () => undefined, 'next.jwk.n is missing'],
    ['a key for encryption', 'next.jwk.use', () => 'enc', 'next.jwk.use has to be sig'],
    ['a symmetric signing key', 'current.jwk.kty', () => 'oct', 'current.jwk.kty has to be RSA or EC'],
    ['a retired private key', 'previous.0', privateRetired, 'previous[0].jwk.d has to be absent'],
    ['one key twice', 'next', ({ current }) => current, 'kid has to be different'],
    ['a time that is not one', 'current.createdAt', () => 'now', 'current.createdAt has to be a time'],
    ['no successor key', 'successorKeys', () => [], 'successorKeys has to have at least one key'],
    ['a short successor key', 'successorKeys.0.key', () => 'c2hvcnQ', 'successorKeys[0].key has to be 32 bytes'],
  ])('names the fault of %s', (_, path, value, message) => {
    const text = JSON.stringify(replaced(keySet, path.split('.'), value(keySet)));
    expect(() => parseKeySet(text)).toThrow(KeySetError);
    expect(() => parseKeySet(text)).toThrow(message);
  });

  it.each(['[]', 'null', '"text"'])('refuses %s', (text) => {
    expect(() => parseKeySet(text)).toThrow('the value has to be an object');
  });

  it('never shows what the secret holds', () => {
    let error: unknown;
    try {
      parseKeySet('{"d":"hunter2');
    } catch (thrown) {
      error = thrown;
    }
    expect(error).toBeInstanceOf(KeySetError);
    expect((error as Error).cause).toBeUndefined();
    expect(String((error as Error).stack)).not.toContain('hunter2');
  });
});

function privateRetired({ current }: KeySet) {
  return { jwk: { ...current.jwk, kid: 'old' }, retiredAt: NOW };
}

/** A copy with another value at this path. */
function replaced(value: unknown, [member, ...rest]: string[], replacement: unknown): unknown {
  if (member === undefined) {
    return replacement;
  }
  const copy = structuredClone(value) as Record<string, unknown>;
  copy[member] = replaced(copy[member], rest, replacement);
  return copy;
}
