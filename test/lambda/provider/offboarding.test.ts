import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { grantIdOf, upstreamTokenKey } from '../../../lambda/provider/keys';
import { DynamoStore } from '../../../lambda/store/dynamo-store';
import { SOON } from '../../support/soon';
import { Harness, later } from './harness';

let harness: Harness;
let client: Record<string, string>;
beforeAll(async () => {
  harness = await Harness.start({
    instances: 3,
    upstream: { allow: [{ claim: 'team', values: ['notes'] }] },
  });
  client = await harness.register();
});
afterAll(() => harness[Symbol.asyncDispose]());
beforeEach(() => {
  harness.upstream.refreshTokens = true;
  harness.upstream.claims = { sub: 'ada', team: 'notes' };
});
afterEach(() => {
  vi.useRealTimers();
  vi.restoreAllMocks();
  delete harness.upstream.tokenError;
  delete harness.upstream.failure;
  delete harness.upstream.withoutIdToken;
});

async function refreshToken(): Promise<string> {
  const { body } = await harness.redeem(client, await harness.signIn(client));
  return body.refresh_token ?? '';
}

const askedUpstream = () => harness.upstream.tokenRequests.filter(({ form }) => form.has('refresh_token')).length;

describe('a person whom upstream has ended', () => {
  it('is out at the next refresh after an hour, whichever of the tokens is used', async () => {
    const first = await refreshToken();
    const { body } = await harness.refresh(client, first);
    harness.upstream.tokenError = { status: 400, error: 'invalid_grant' };
    expect((await harness.refresh(client, body.refresh_token)).status).toBe(200);
    const log = vi.spyOn(console, 'log');
    later(3601);
    const out = { status: 400, body: { error: 'invalid_grant' } };
    expect(await harness.refresh(client, body.refresh_token)).toMatchObject(out);
    expect(log.mock.calls.join('\n')).toContain('"event":"grant.ended_by_upstream"');
    delete harness.upstream.tokenError;
    expect(await harness.refresh(client, body.refresh_token)).toMatchObject(out);
    expect(await harness.refresh(client, first)).toMatchObject(out);
  });

  it('is out of this sign-in, and another one of the same client goes on', async () => {
    const [ended, other] = [await refreshToken(), await refreshToken()];
    later(3601);
    harness.upstream.tokenError = { status: 400, error: 'invalid_grant' };
    expect((await harness.refresh(client, ended)).status).toBe(400);
    delete harness.upstream.tokenError;
    expect((await harness.refresh(client, other)).status).toBe(200);
  });

  it('is out where `allow` no longer holds', async () => {
    const token = await refreshToken();
    later(3601);
    harness.upstream.claims = { sub: 'ada', team: 'other' };
    expect((await harness.refresh(client, token)).status).toBe(400);
  });

  it('is out where upstream names somebody else', async () => {
    const token = await refreshToken();
    later(3601);
    harness.upstream.claims = { sub: 'mallory', team: 'notes' };
    expect((await harness.refresh(client, token)).status).toBe(400);
  });
});

describe('upstream', () => {
  it('is not asked again, with a token that it has replaced, by who reads before its answer and claims after it', async () => {
    const token = await refreshToken();
    later(3601);
    const { consume, replace } = DynamoStore.prototype;
    let claims = 0;
    let remembered = false;
    vi.spyOn(DynamoStore.prototype, 'consume').mockImplementation(async function (this: DynamoStore, key, options) {
      if (key.endsWith('/upstream') && ++claims === 2) await vi.waitUntil(() => remembered, SOON);
      return consume.call(this, key, options);
    });
    vi.spyOn(DynamoStore.prototype, 'replace').mockImplementation(async function (this: DynamoStore, key, ...rest) {
      if (key.endsWith('/upstream')) await vi.waitUntil(() => claims === 2, SOON);
      const written = await replace.call(this, key, ...rest);
      remembered ||= key.endsWith('/upstream');
      return written;
    });
    const before = askedUpstream();
    const answers = await Promise.all([harness.refresh(client, token), harness.refresh(client, token)]);
    expect(answers.map(({ status }) => status)).toEqual([200, 200]);
    expect(askedUpstream() - before).toBe(1);
    vi.restoreAllMocks();
    later(3601);
    expect((await harness.refresh(client, answers[0]!.body.refresh_token)).status).toBe(200);
    expect(askedUpstream() - before).toBe(2);
  });

  it('may leave the ID token out', async () => {
    const token = await refreshToken();
    later(3601);
    harness.upstream.withoutIdToken = true;
    expect((await harness.refresh(client, token)).status).toBe(200);
  });

  it.each([
    ['answers 500', () => (harness.upstream.failure = 500)],
    ['refuses this server', () => (harness.upstream.tokenError = { status: 401, error: 'invalid_client' })],
    ['is busy', () => (harness.upstream.tokenError = { status: 429, error: 'slow_down' })],
  ])('that %s says nothing about the person, and is asked again an hour later', async (_, break_) => {
    const token = await refreshToken();
    later(3601);
    break_();
    const log = vi.spyOn(console, 'error').mockReturnValue();
    const { status, body } = await harness.refresh(client, token);
    expect(status).toBe(200);
    expect(log.mock.calls.join('\n')).toContain('"event":"upstream.recheck_failed"');
    delete harness.upstream.failure;
    harness.upstream.tokenError = { status: 400, error: 'invalid_grant' };
    expect((await harness.refresh(client, body.refresh_token)).status).toBe(200);
    later(3601);
    expect((await harness.refresh(client, body.refresh_token)).status).toBe(400);
  });

  it('that gives no refresh token is not asked', async () => {
    harness.upstream.refreshTokens = false;
    const token = await refreshToken();
    const before = askedUpstream();
    later(7200);
    expect((await harness.refresh(client, token)).status).toBe(200);
    expect(askedUpstream()).toBe(before);
  });
});

it("upstream's refresh token lies sealed in the table, and opens in no other grant's record", async () => {
  const [mine, other] = [await refreshToken(), await refreshToken()];
  const table = JSON.stringify(await harness.items());
  expect(table).toContain('/upstream');
  expect(table).not.toContain('upstream-refresh-');

  const [from, to] = [mine, other].map((token) => upstreamTokenKey(grantIdOf(token))) as [string, string];
  const [record] = await harness.store.read([from]);
  await harness.store.set(to, record!.value, record!.expiresAt! * 1000);
  later(3601);
  const before = askedUpstream();
  const log = vi.spyOn(console, 'error').mockReturnValue();
  expect((await harness.refresh(client, other)).status).toBe(200);
  expect(askedUpstream()).toBe(before);
  expect(log.mock.calls.join('\n')).toContain('SealError');
});
