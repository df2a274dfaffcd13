import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { DynamoStore, UnreadKeysError } from '../../../lambda/store/dynamo-store';
import { atCallback, atClient, Harness, later, REDIRECT_URI } from './harness';

let harness: Harness;
let client: Record<string, string>;
beforeEach(async () => {
  harness = await Harness.start();
  client = await harness.register();
});
afterEach(async () => {
  vi.useRealTimers();
  vi.restoreAllMocks();
  await harness[Symbol.asyncDispose]();
});

const METHODS = ['read', 'set', 'consume', 'putIfAbsent', 'list'] as const;
const throttled = () => Object.assign(new Error('throttled'), { $fault: 'server' });

/** The store fails in every way that it is used. */
function breakStore(error: () => Error = throttled): { mend(): void } {
  const broken = METHODS.map((method) =>
    vi.spyOn(DynamoStore.prototype, method).mockImplementation(async () => Promise.reject(error())),
  );
  return {
    mend() {
      for (const spy of broken) spy.mockRestore();
    },
  };
}

const systemError = (code: string) => Object.assign(new Error(code), { code, errno: -1 });
const named = (name: string) => Object.assign(new Error(name), { name });

describe('an outage of the store', () => {
  it.each(['read', 'consume', 'putIfAbsent'] as const)(
    'in %s is 503 with Retry-After, and nothing is lost',
    async (method) => {
      const { body } = await harness.redeem(client, await harness.signIn(client));
      const broken = vi.spyOn(DynamoStore.prototype, method).mockRejectedValue(throttled());
      const answer = await harness.refresh(client, body.refresh_token);
      expect([answer.status, answer.body.error]).toEqual([503, 'temporarily_unavailable']);
      expect(answer.headers.get('cache-control')).toBe('no-store');
      expect(answer.headers.get('retry-after')).toBe('5');
      broken.mockRestore();
      later(3600);
      expect((await harness.refresh(client, body.refresh_token)).status).toBe(200);
    },
  );

  it('that reads a code is 503, and the code is good afterwards', async () => {
    const signIn = await harness.signIn(client);
    const store = breakStore();
    expect((await harness.redeem(client, signIn)).status).toBe(503);
    store.mend();
    expect((await harness.redeem(client, signIn)).status).toBe(200);
  });

  it.each([
    ['throttling', throttled],
    ['an answer that is none', () => Object.assign(new Error('x'), { $metadata: {} })],
    ['keys left unread', () => new UnreadKeysError('busy')],
    ['a refused connection', () => systemError('ECONNREFUSED')],
    ['a time-out', () => named('TimeoutError')],
    ['no credentials', () => named('CredentialsProviderError')],
  ])('is told by %s', async (_, error) => {
    breakStore(error);
    expect((await harness.refresh(client, 'a.b')).status).toBe(503);
  });

  it('that never answers is 503 within the time limit', async () => {
    const { body } = await harness.redeem(client, await harness.signIn(client));
    let answer = () => {};
    const hanging = vi.spyOn(DynamoStore.prototype, 'read').mockReturnValue(
      new Promise((resolve) => {
        answer = () => resolve([]);
      }),
    );
    harness.timeLimit = 50;
    const refused = await harness.refresh(client, body.refresh_token);
    expect([refused.status, refused.body.error]).toEqual([503, 'temporarily_unavailable']);
    hanging.mockRestore();
    answer();
    harness.timeLimit = 25_000;
    expect((await harness.refresh(client, body.refresh_token)).status).toBe(200);
  });

  it.each(['/token', '/revoke', '/register'])('at %s never looks like a verdict on the client', async (path) => {
    const store = breakStore();
    const response =
      path === '/register'
        ? await harness.fetch(path, {
            method: 'POST',
            headers: { 'content-type': 'application/json' },
            body: JSON.stringify({ redirect_uris: [REDIRECT_URI] }),
          })
        : await harness.post(path, { client_id: client.client_id, grant_type: 'refresh_token', token: 'a.b' });
    expect([response.status, response.headers.get('retry-after')]).toEqual([503, '5']);
    expect(await response.json()).toEqual({ error: 'temporarily_unavailable' });
    store.mend();
  });

  it('during a sign-in is a page at each step, after which the sign-in goes on', async () => {
    const browser = harness.browser();
    const whileBroken = async (step: () => Promise<{ status: number; headers: Headers; text: string }>) => {
      const store = breakStore();
      const { status, headers, text } = await step();
      expect([status, headers.get('retry-after')]).toEqual([503, '5']);
      expect(text).toContain('having a problem');
      store.mend();
    };
    const { url } = harness.authorizationRequest(client);
    await whileBroken(() => browser.open(url));
    const consent = await browser.open(url, ({ pathname }) => pathname.startsWith('/interaction/'));
    await whileBroken(() => browser.open(consent.url));
    const page = await browser.open(consent.url);
    await whileBroken(() => browser.submit(page, 'allow', {}, atClient));
    const callback = await browser.submit(page, 'allow', {}, atCallback);
    await whileBroken(() => browser.open(callback.url));
    const { url: answer } = await browser.open(callback.url, atClient);
    expect(answer.searchParams.get('code')).toBeTruthy();
  });

  it('leaves the key set readable', async () => {
    breakStore();
    expect((await harness.fetch('/jwks')).status).toBe(200);
  });
});

describe('an outage of Secrets Manager', () => {
  it('before the first key set is 503 everywhere', async () => {
    await using fresh = await Harness.start({
      keySetSecretArn: 'arn:aws:secretsmanager:us-east-1:123456789012:secret:none',
    });
    for (const path of ['/jwks', '/.well-known/openid-configuration', '/authorize', '/interaction/x']) {
      const { status, headers } = await fresh.fetch(path);
      expect([path, status, headers.get('retry-after')]).toEqual([path, 503, '5']);
    }
    expect((await fresh.refresh(client, 'a.b')).status).toBe(503);
  });
});

describe('an error that nobody foresaw', () => {
  it('is a 500 that tells nothing of itself', async () => {
    const token = (await harness.redeem(client, await harness.signIn(client))).body.refresh_token;
    breakStore(() => new TypeError('the inside of the server'));
    const answer = await harness.refresh(client, token);
    expect([answer.status, answer.body]).toEqual([500, { error: 'server_error' }]);
    const page = await harness.fetch(harness.authorizationRequest(client).url);
    expect(page.status).toBe(500);
    const text = await page.text();
    expect(text).toContain('Something went wrong');
    expect(text).not.toMatch(/the inside|TypeError|\bat .*:\d+:\d+/);
  });
});
