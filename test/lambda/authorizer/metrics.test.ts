import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { authorizer } from '../../../lambda/authorizer/authorize';
import type { AUTHORIZER_METRICS } from '../../../lib/counted-events';
import { metricsOf } from '../../support/embedded-metrics';
import { catchLog } from '../../support/log-lines';
import { httpEvent } from './events';
import { AUDIENCE, Issuer } from './issuer';

let issuer: Issuer;
let log: ReturnType<typeof catchLog>;
beforeAll(async () => {
  issuer = await Issuer.start();
});
afterAll(() => issuer[Symbol.asyncDispose]());
beforeEach(() => {
  log = catchLog();
});
afterEach(() => {
  vi.restoreAllMocks();
  issuer.publish();
});

async function call(claims: Record<string, unknown> = {}): Promise<void> {
  const authorize = authorizer({
    issuer: issuer.url,
    jwksUri: `${issuer.url}/jwks`,
    audience: AUDIENCE,
    scopes: ['notes:read'],
    toolScopes: {},
    dpop: false,
    claims: [],
  });
  await authorize(httpEvent({ Authorization: `Bearer ${await issuer.token(claims)}` })).catch(() => {});
}

/** What adds to each metric, and the reason that it is counted by. */
const CAUSES: Record<keyof typeof AUTHORIZER_METRICS, readonly [act: () => Promise<void>, reason?: string][]> = {
  Denials: [
    [() => call({ exp: 1 }), 'expired'],
    [() => call({ aud: 'https://other.example.com' }), 'aud'],
    [() => call({ scope: '' }), 'insufficient_scope'],
  ],
  KeySetFailures: [
    [
      () => {
        issuer.answer = { status: 500, body: '' };
        return call();
      },
    ],
  ],
};

describe('the metric', () => {
  it.each(Object.entries(CAUSES).flatMap(([name, causes]) => causes.map(([act, reason]) => ({ name, reason, act }))))(
    '$name counts once for issuer and resource, and for the reason $reason',
    async ({ name, reason, act }) => {
      await act();
      const dimensions = { Issuer: issuer.url, Resource: AUDIENCE };
      expect(metricsOf(log.lines())).toEqual([
        { name, value: 1, dimensions },
        ...(reason === undefined ? [] : [{ name, value: 1, dimensions: { ...dimensions, Reason: reason } }]),
      ]);
    },
  );

  it('counts nothing for a call that is let through', async () => {
    await call();
    expect(log.lines()).toEqual([]);
  });
});
