import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest';
import { DATABASES, describeOn } from '../../stores/databases';
import { DpopClient } from '../../support/dpop-client';
import { atCallback, atHalfPast, Harness, ISSUER, later } from './harness';

/** What happens once, whoever asks for it at the same moment; of codes and refresh tokens see token-endpoint and refresh-token. */
describeOn(DATABASES, (database) => {
  let harness: Harness;
  let client: Record<string, string>;
  beforeAll(async () => {
    harness = await Harness.start({ database: database(), dpop: true, registration: { perAddress: 5 } });
    client = await harness.register();
  });
  afterAll(() => harness[Symbol.asyncDispose]());
  afterEach(() => {
    vi.useRealTimers();
  });

  const times = <T>(n: number, make: () => Promise<T>) => Promise.all(Array.from({ length: n }, make));

  async function consent() {
    const browser = harness.browser();
    return { browser, page: await browser.open(harness.authorizationRequest(client).url) };
  }

  describe('at once', () => {
    it('an answer from upstream is taken once, by one of many', async () => {
      const { browser, page } = await consent();
      const answer = await browser.submit(page, 'allow', {}, atCallback);
      const cookie = browser.cookieHeader(answer.url);
      const answers = await times(10, () => harness.fetch(answer.url, { headers: { cookie } }));
      expect(answers.filter(({ status }) => status === 303)).toHaveLength(1);
      expect((await harness.fetch(answer.url, { headers: { cookie } })).status).toBe(400);
    });

    it('the end of a sign-in gives one code, however often the address is opened', async () => {
      const { browser, page } = await consent();
      const { url } = await browser.submit(page, 'allow', {}, ({ pathname }) => pathname === '/callback');
      const cookie = browser.cookieHeader(url);
      const answers = await times(10, () => harness.fetch(url, { headers: { cookie } }));
      const codes = answers.filter((answer) => answer.headers.get('location')?.includes('code='));
      expect(codes).toHaveLength(1);
    });

    it('a DPoP proof is taken from one of twenty that present it', async () => {
      const key = await DpopClient.create();
      const proof = async () => ({ dpop: await key.proof('POST', `${ISSUER}/token`) });
      const refresh = async (token: string | undefined, headers: Record<string, string>) =>
        harness.token({ grant_type: 'refresh_token', client_id: client.client_id, refresh_token: token }, headers);
      const { body } = await harness.redeem(client, await harness.signIn(client));
      const presented = await proof();
      const answers = await times(20, () => refresh(body.refresh_token, presented));
      const refused = answers.filter(({ status }) => status !== 200);
      expect(refused.map(({ body }) => body.error)).toEqual(Array(19).fill('invalid_dpop_proof'));
      expect((await refresh(body.refresh_token, await proof())).status).toBe(200);
    });

    it('upstream is asked once an hour, with the token that it gave last, however many refresh', async () => {
      harness.upstream.refreshTokens = true;
      const asked = () => harness.upstream.tokenRequests.filter(({ form }) => form.has('refresh_token')).length;
      const { body } = await harness.redeem(client, await harness.signIn(client));
      let token = body.refresh_token;
      for (const _ of [1, 2, 3]) {
        later(3601);
        const before = asked();
        const answers = await times(10, () => harness.refresh(client, token));
        expect(answers.map(({ status }) => status)).toEqual(Array(10).fill(200));
        token = answers[0]!.body.refresh_token;
        expect((await harness.refresh(client, token)).status).toBe(200);
        expect(asked() - before).toBe(1);
      }
    });

    it('as many clients register from one address as may', async () => {
      atHalfPast();
      const sourceIp = '203.0.113.99';
      let number = 0;
      const answers = await times(12, () =>
        harness.request({
          method: 'POST',
          path: '/register',
          headers: { 'content-type': 'application/json' },
          body: Buffer.from(
            JSON.stringify({ client_name: `App ${++number}`, redirect_uris: ['https://client.example.com/callback'] }),
          ),
          sourceIp,
        }),
      );
      expect(answers.map(({ status }) => status).sort()).toEqual([...Array(5).fill(201), ...Array(7).fill(429)]);
    });
  });
});
