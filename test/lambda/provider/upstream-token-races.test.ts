import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { DATABASES, describeOn } from '../../stores/databases';
import { Harness, later, NOTES } from './harness';
import { exchange, registerServer } from './resource-server';

describeOn(DATABASES, (database) => {
  let harness: Harness;
  beforeEach(async () => {
    harness = await Harness.start({ database: database(), resources: [{ ...NOTES, upstreamTokens: true }] });
    Object.assign(harness.upstream, { refreshTokens: true, accessTokenLifetime: 600 });
    await registerServer(harness);
  });
  afterEach(async () => {
    vi.useRealTimers();
    await harness[Symbol.asyncDispose]();
  });

  it('of twenty exchanges at once one renews the upstream token, time and again', async () => {
    const client = await harness.register();
    const { body } = await harness.redeem(client, await harness.signIn(client));
    for (let round = 1; round <= 3; round++) {
      later(700);
      const asked = harness.upstream.tokenRequests.length;
      const answers = await Promise.all(Array.from({ length: 20 }, () => exchange(harness, body.access_token)));
      expect(answers.map(({ status }) => status)).toEqual(Array(20).fill(200));
      expect(new Set(answers.map((answer) => answer.body.access_token))).toEqual(
        new Set([`upstream-access-${asked + 1}`]),
      );
      expect(harness.upstream.tokenRequests.length).toBe(asked + 1);
    }
  });
});
