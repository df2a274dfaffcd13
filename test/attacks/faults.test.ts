import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest';
import { atClient, Harness, later, NOTES, type TokenResponse } from '../lambda/provider/harness';
import { exchange, registerServer, SERVER } from '../lambda/provider/resource-server';

/** The function's own settings: handler.mts. */
const ATTEMPTS = 3;
const RATE = 0.1;

type Fault = 'time-out before' | 'answer lost' | 'internal error' | 'throttled';
const FAULTS: readonly Fault[] = ['time-out before', 'answer lost', 'internal error', 'throttled'];

/** Its server acts upstream for the person. */
const CALENDAR = { ...NOTES, identifier: 'https://calendar.example.com/mcp', upstreamTokens: true };

let harness: Harness;
let client: Record<string, string>;
/** The faults of the next attempts of a call, for the calls that meet any. */
let faults: (call: string) => readonly (Fault | undefined)[];
let met: Fault[];

beforeAll(async () => {
  const resources = [NOTES, CALENDAR];
  harness = await Harness.start({ instances: 3, maxAttempts: ATTEMPTS, upstream: { recheck: 60 }, resources });
  const attempts = new WeakMap<object, (Fault | undefined)[]>();
  harness.table.middlewareStack.add(
    (next, context) => async (args) => {
      // One call is one input, however often it is tried.
      const plan = attempts.get(args.input) ?? [...faults(context.commandName ?? '')];
      attempts.set(args.input, plan);
      const fault = plan.shift();
      if (fault) met.push(fault);
      if (fault === 'answer lost') await next(args);
      if (fault) throw failure(fault);
      return next(args);
    },
    // Inside the SDK's own retries.
    { step: 'finalizeRequest', priority: 'low' },
  );
  calm();
  client = await harness.register();
  await registerServer(harness, SERVER, [CALENDAR.identifier]);
});
afterAll(() => harness[Symbol.asyncDispose]());
afterEach(() => {
  calm();
  vi.useRealTimers();
  vi.restoreAllMocks();
  delete harness.upstream.failures;
  delete harness.upstream.refreshTokens;
  delete harness.upstream.accessTokenLifetime;
});

function calm(): void {
  met = [];
  faults = () => [];
}

function failure(fault: Fault): Error {
  if (fault === 'internal error') {
    return Object.assign(new Error(fault), { name: 'InternalServerError', $metadata: { httpStatusCode: 500 } });
  }
  if (fault !== 'throttled') return Object.assign(new Error(fault), { name: 'TimeoutError' });
  return Object.assign(new Error(fault), { name: 'ThrottlingException', $metadata: { httpStatusCode: 400 } });
}

/** mulberry32, so that a failure can be had again. */
function random(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** As a well-behaved client does: again after a 503, when Retry-After has passed. */
async function persist(request: () => Promise<TokenResponse>): Promise<TokenResponse> {
  for (let attempt = 1; ; attempt++) {
    const answer = await request();
    if (answer.status !== 503 || attempt === 5) return answer;
    expect(answer.headers.get('retry-after')).toBeTruthy();
    later(6);
  }
}

describe('a store that fails in one call of ten, each in its own way,', () => {
  it.each([1, 2])('is noticed by nobody (%i)', async (seed) => {
    const next = random(seed);
    // What fails three times in a row is an outage, and that is the next test's.
    faults = () =>
      Array.from({ length: ATTEMPTS - 1 }, () =>
        next() < RATE ? FAULTS[Math.floor(next() * FAULTS.length)] : undefined,
      );
    for (let person = 0; person < 5; person++) {
      const { answer, code, codeVerifier } = await harness.signIn(client);
      expect(answer.searchParams.get('error')).toBeNull();
      const redeem = () => harness.redeem(client, { code, codeVerifier });
      const first = await Promise.all([1, 2, 3].map(redeem));
      // Who finds the code used while the answer to that is still being stored is told to ask again, and then how it ended.
      const redeemed = await Promise.all(first.map((answer) => (answer.status === 503 ? redeem() : answer)));
      expect(redeemed.map(({ status }) => status).sort()).toEqual([200, 400, 400]);
      let token = redeemed.find(({ status }) => status === 200)!.body.refresh_token;
      for (let i = 0; i < 3; i++) {
        const answers = await Promise.all([1, 2, 3].map(() => harness.refresh(client, token)));
        expect(answers.map(({ status }) => status)).toEqual([200, 200, 200]);
        const successors = new Set(answers.map(({ body }) => body.refresh_token));
        expect(successors.size).toBe(1);
        [token] = successors;
      }
    }
    expect(new Set(met).size).toBe(FAULTS.length);
  });
});

/**
 * The calls of a token request whose every attempt may fail: `nth` of all, in the order in which they begin, but for the list of resources
 * (Query), which an instance asks for when it is time.
 */
function failEveryAttempt(nth: number, fault: Fault): void {
  let call = 0;
  faults = (name) => (name !== 'QueryCommand' && call++ === nth ? Array(ATTEMPTS).fill(fault) : []);
}

describe('an outage in the middle of a token request', () => {
  const BEFORE: readonly Fault[] = ['time-out before', 'internal error', 'throttled'];

  it.each(BEFORE.flatMap((fault) => [0, 1, 2].map((nth) => [fault, nth] as const)))(
    '(%s at call %i) is told to a code exchange as 503, and the code is good afterwards',
    async (fault, nth) => {
      const signIn = await harness.signIn(client);
      failEveryAttempt(nth, fault);
      const first = await harness.redeem(client, signIn);
      expect([first.status, first.body.error]).toEqual([503, 'temporarily_unavailable']);
      calm();
      const answer = await persist(() => harness.redeem(client, signIn));
      expect(answer.status).toBe(200);
      expect((await harness.refresh(client, answer.body.refresh_token)).status).toBe(200);
    },
  );

  it.each(FAULTS.flatMap((fault) => [0, 1, 2].map((nth) => [fault, nth] as const)))(
    '(%s at call %i) is told to a refresh as 503, and the token is good afterwards, an hour later too',
    async (fault, nth) => {
      const { body } = await harness.redeem(client, await harness.signIn(client));
      failEveryAttempt(nth, fault);
      const first = await harness.refresh(client, body.refresh_token);
      expect([first.status, first.body.error]).toEqual([503, 'temporarily_unavailable']);
      calm();
      later(3600);
      const answer = await persist(() => harness.refresh(client, body.refresh_token));
      expect(answer.status).toBe(200);
      expect((await harness.refresh(client, answer.body.refresh_token)).status).toBe(200);
    },
  );
});

describe('an exchange for an upstream token', () => {
  /** The access token of an MCP client, whose upstream token has to be renewed. */
  async function accessToken(): Promise<string> {
    Object.assign(harness.upstream, { refreshTokens: true, accessTokenLifetime: 600 });
    const resource = CALENDAR.identifier;
    const { body } = await harness.redeem(client, await harness.signIn(client, { resource }), { resource });
    later(700);
    return body.access_token ?? '';
  }

  it.each([1, 2])('comes through a store that fails in one call of ten (%i)', async (seed) => {
    const next = random(seed);
    for (let person = 0; person < 5; person++) {
      const token = await accessToken();
      faults = () =>
        Array.from({ length: ATTEMPTS - 1 }, () =>
          next() < RATE ? FAULTS[Math.floor(next() * FAULTS.length)] : undefined,
        );
      const answers = await Promise.all([1, 2, 3].map(() => exchange(harness, token)));
      expect(answers.map(({ status }) => status)).toEqual([200, 200, 200]);
      expect(new Set(answers.map(({ body }) => body.access_token)).size).toBe(1);
      calm();
      vi.useRealTimers();
    }
  });

  /** As the store numbers an exchange's calls: the read, the claim of the record, the look at what was claimed, the write. */
  it.each(FAULTS.flatMap((fault) => [0, 1, 2].map((nth) => [fault, nth] as const)))(
    'is told of an outage (%s at call %i) as 503, and works as soon as nobody can be renewing any more',
    async (fault, nth) => {
      const token = await accessToken();
      failEveryAttempt(nth, fault);
      const { status, body } = await exchange(harness, token);
      expect([status, body.error]).toEqual([503, 'temporarily_unavailable']);
      calm();
      later(800);
      expect((await exchange(harness, token)).status).toBe(200);
    },
  );

  it.each(FAULTS)('keeps what upstream has given through an outage in that moment (%s)', async (fault) => {
    const token = await accessToken();
    failEveryAttempt(3, fault);
    const first = await exchange(harness, token);
    expect(first.status).toBe(200);
    calm();
    // By the refresh token that upstream gave then: it takes no other any more.
    later(1_400);
    const next = await exchange(harness, token);
    expect(next.status).toBe(200);
    expect(next.body.access_token).not.toBe(first.body.access_token);
  });
});

describe('upstream that fails in one request of ten', () => {
  /** As a person does: again where the page offers it. */
  async function signIn(): Promise<{ code: string; codeVerifier: string; pages: number[] }> {
    const { url, codeVerifier } = harness.authorizationRequest(client);
    const browser = harness.browser();
    const pages: number[] = [];
    let page = await browser.open(url);
    for (let attempt = 0; attempt < 10; attempt++) {
      page = await browser.submit(page, 'allow', {}, atClient);
      if (page.status === 0) return { code: page.url.searchParams.get('code') ?? '', codeVerifier, pages };
      pages.push(page.status);
      const [, retry = ''] = /href="(\/interaction\/[^"]+)"/.exec(page.text) ?? [];
      page = await browser.open(new URL(retry, page.url));
    }
    throw new Error('Ten attempts were not enough');
  }

  it('costs a person another try, and nobody a token', async () => {
    const next = random(4);
    let failed = 0;
    harness.upstream.refreshTokens = true;
    harness.upstream.failures = () => {
      if (next() >= RATE) return undefined;
      failed++;
      return [500, 502, 503, 429][Math.floor(next() * 4)];
    };
    for (let person = 0; person < 25; person++) {
      const { pages, ...signedIn } = await signIn();
      expect(new Set([503, ...pages])).toEqual(new Set([503]));
      const { status, body } = await harness.redeem(client, signedIn);
      expect(status).toBe(200);
      // Longer than `recheck`: each refresh asks upstream.
      later(61);
      expect((await harness.refresh(client, body.refresh_token)).status).toBe(200);
      vi.useRealTimers();
    }
    expect(failed).toBeGreaterThan(3);
  });
});
