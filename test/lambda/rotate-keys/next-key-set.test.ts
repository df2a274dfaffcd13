import { beforeAll, describe, expect, it } from 'vitest';
import { makeKeySet } from '../../../lambda/key-set/make-key-set';
import { publicJwk } from '../../../lambda/key-set/public-jwk';
import { nextKeySet } from '../../../lambda/rotate-keys/next-key-set';
import type { KeySet } from '../../../lib/contract';

const START = 1_790_000_000;
const times = { minimumPublication: 600, retirement: 4000 };
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
});
