import { beforeAll, describe, expect, it } from 'vitest';
import { makeKeySet } from '../../../lambda/key-set/make-key-set';
import { publicJwk } from '../../../lambda/key-set/public-jwk';
import { nextKeySet } from '../../../lambda/rotate-keys/next-key-set';
import { tryKeySet } from '../../../lambda/rotate-keys/try-key-set';
import { withoutCurrentKey } from '../../../lambda/rotate-keys/without-current-key';
import { type KeySet, LONGEST_LIFETIME } from '../../../lib/contract';

const START = 1_790_000_000;
const times = { algorithm: 'RS256', minimumPublication: 600, retirement: 4000 } as const;
let first: KeySet;

beforeAll(async () => {
  first = await makeKeySet(START);
});

describe('a rotation', () => {
  it('promotes the key that was published, publishes a new one and retires the public half of the old one', async () => {
    const now = START + times.minimumPublication;
    const second = await nextKeySet(first, times, now);
    expect(second.current).toEqual(first.next);
    expect(second.next.createdAt).toBe(now);
    expect([first.current.jwk.kid, first.next.jwk.kid]).not.toContain(second.next.jwk.kid);
    expect(second.previous).toEqual([{ jwk: publicJwk(first.current.jwk), retiredAt: now }]);
    expect(JSON.stringify(second.previous)).not.toContain(first.current.jwk.d);
    expect(second.successorKeys).toEqual(first.successorKeys);
  });

  it('promotes nothing before the next key was published for long enough', async () => {
    expect(await nextKeySet(first, times, START + times.minimumPublication - 1)).toEqual(first);
  });

  it('keeps a retired key published until its time has come, newest first', async () => {
    const second = await nextKeySet(first, times, START + 1000);
    const third = await nextKeySet(second, times, START + 2000);
    expect(third.previous.map(({ jwk }) => jwk.kid)).toEqual([second.current.jwk.kid, first.current.jwk.kid]);

    const before = await nextKeySet(third, times, START + 1000 + times.retirement - 1);
    expect(before.previous.map(({ jwk }) => jwk.kid)).toContain(first.current.jwk.kid);
    const after = await nextKeySet(third, times, START + 1000 + times.retirement);
    expect(after.previous.map(({ jwk }) => jwk.kid)).not.toContain(first.current.jwk.kid);
  });

  it('prunes also where it promotes nothing', async () => {
    const second = await nextKeySet(first, times, START + 1000);
    const waiting = { ...second, next: { ...second.next, createdAt: START + 1000 + times.retirement } };
    const pruned = await nextKeySet(waiting, times, START + 1000 + times.retirement);
    expect(pruned).toEqual({ ...waiting, previous: [] });
  });

  it('makes keys of the algorithm that is configured now, which sign two rotations later', async () => {
    const es256 = { ...times, algorithm: 'ES256' as const };
    const second = await nextKeySet(first, es256, START + 1000);
    const third = await nextKeySet(second, es256, START + 2000);
    expect([second, third].map(({ current }) => current.jwk.alg)).toEqual(['RS256', 'ES256']);
    expect([second, third].map(({ next }) => [next.jwk.alg, next.idTokenJwk?.alg])).toEqual([
      ['ES256', 'RS256'],
      ['ES256', 'RS256'],
    ]);
    await tryKeySet(third);
    const fourth = await nextKeySet(third, times, START + 3000);
    expect(fourth.previous.slice(0, 2).map(({ jwk }) => jwk)).toEqual(
      [third.current.jwk, third.current.idTokenJwk!].map(publicJwk),
    );
  });
});

describe.each(['successorKeys', 'encryptionKeys'] as const)('a rotation of %s', (name) => {
  const DAY = 24 * 60 * 60;
  /** The key set after rotations at these days. */
  async function rotatedOn(...days: number[]): Promise<KeySet> {
    let keySet = first;
    for (const day of days) keySet = await nextKeySet(keySet, times, START + day * DAY);
    return keySet;
  }

  it('adds a key that becomes active when every instance has it, and keeps the old one', async () => {
    const now = START + 30 * DAY;
    const [added, ...old] = (await nextKeySet(first, times, now))[name];
    expect(added).toMatchObject({ activeFrom: now + times.minimumPublication });
    expect(Buffer.from(added!.key, 'base64url')).toHaveLength(32);
    expect(old).toEqual(first[name]);
  });

  it('is not done more often than every 30 days, however often signing keys turn over', async () => {
    expect((await rotatedOn(1, 2, 29))[name]).toEqual(first[name]);
    expect((await rotatedOn(1, 2, 29, 30))[name]).toHaveLength(2);
  });

  it('lets a key go when the longest lifetime has passed since it was last used, not before', async () => {
    const replacedAt = 30 * DAY + times.minimumPublication;
    const gone = START + replacedAt + LONGEST_LIFETIME + times.minimumPublication;
    const keySet = await rotatedOn(30);
    const ids = async (now: number) => (await nextKeySet(keySet, times, now))[name].map(({ id }) => id);
    expect(await ids(gone - 1)).toContain(first[name][0]!.id);
    expect(await ids(gone)).not.toContain(first[name][0]!.id);
  });

  it('keeps the secret below the 64 KiB of Secrets Manager, however often and however long', async () => {
    const everyFourHours = { algorithm: 'ES256' as const, minimumPublication: 7440, retirement: 86_400 + 7440 };
    const template = await makeKeySet(START, 'ES256');
    let keySet = template;
    // Two years of it, of which only the last days and the days on which symmetric keys turn over make a difference.
    for (let day = 0; day < 730; day += 30) keySet = await nextKeySet(keySet, everyFourHours, START + day * DAY);
    for (let hour = 0; hour < 48; hour += 4) {
      keySet = await nextKeySet(keySet, everyFourHours, START + 730 * DAY + hour * 3600);
    }
    expect(keySet[name].length).toBeLessThanOrEqual(16);
    expect(keySet.previous.length).toBeGreaterThan(10);
    expect(Buffer.byteLength(JSON.stringify(keySet))).toBeLessThan(32 * 1024);
  });
});

describe('a key set without its current key', () => {
  it('signs with the next one at once, publishes a new one, and knows the old one no more', async () => {
    const now = START + 1;
    const second = await withoutCurrentKey(first, now);
    expect(second.current).toEqual(first.next);
    expect(second.next.createdAt).toBe(now);
    expect(JSON.stringify(second)).not.toContain(first.current.jwk.kid);
    await tryKeySet(second);
  });

  it('has new symmetric keys too, and keeps the old ones for what they have made', async () => {
    const second = await withoutCurrentKey(first, START);
    for (const name of ['successorKeys', 'encryptionKeys'] as const) {
      expect(second[name]).toHaveLength(2);
      expect(second[name].at(-1)).toEqual(first[name][0]);
      expect(second[name][0]!.activeFrom).toBeGreaterThan(START + 2 * 3600 - 1);
    }
  });

  it('lets no symmetric key take over from the new one that may have been read with the others', async () => {
    const slowly = { ...times, minimumPublication: 6 * 3600 };
    const due = START + 31 * 24 * 3600;
    const second = await nextKeySet(first, slowly, due);
    const third = await withoutCurrentKey(second, due + 1800);
    for (const name of ['successorKeys', 'encryptionKeys'] as const) {
      const [newest, ...others] = third[name];
      expect(second[name].map(({ id }) => id)).not.toContain(newest!.id);
      expect(Math.max(...others.map(({ activeFrom }) => activeFrom))).toBeLessThan(newest!.activeFrom);
    }
  });

  it('keeps what was retired before published', async () => {
    const second = await nextKeySet(first, times, START + 1000);
    const third = await withoutCurrentKey(second, START + 1001);
    expect(third.previous).toEqual(second.previous);
  });
});
