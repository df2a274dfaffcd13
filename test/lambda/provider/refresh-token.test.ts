import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest';
import { grantIdOf, grantKey, refreshTokenKey } from '../../../lambda/provider/keys';
import { DATABASES, describeOn, IN_DEPTH } from '../../stores/databases';
import { Harness, later } from './harness';

const STRICT = { refreshGrace: 0, refreshLateRetry: 0 };

const times = <T>(n: number, make: () => Promise<T>) => Promise.all(Array.from({ length: n }, make));

describeOn(DATABASES, (database, name) => {
  let harness: Harness;
  let client: Record<string, string>;
  beforeAll(async () => {
    harness = await Harness.start({ database: database() });
    client = await harness.register();
  });
  afterAll(() => harness[Symbol.asyncDispose]());
  afterEach(() => {
    vi.useRealTimers();
  });

  async function refreshToken(of: Harness = harness, as: Record<string, string> = client): Promise<string> {
    const { body } = await of.redeem(as, await of.signIn(as));
    return body.refresh_token ?? '';
  }

  describe('a refresh token', () => {
    it('has one successor, however many refresh with it at once', async () => {
      const token = await refreshToken();
      const answers = await times(20, () => harness.refresh(client, token));
      expect(answers.map(({ status }) => status)).toEqual(Array(20).fill(200));
      const successors = new Set(answers.map(({ body }) => body.refresh_token));
      expect(successors.size).toBe(1);
      expect(successors).not.toContain(token);
    });

    it('whose successor was never presented yields it for a day more, to any number at once', async () => {
      const token = await refreshToken();
      const { body } = await harness.refresh(client, token);
      later(24 * 3600);
      const log = vi.spyOn(console, 'log');
      const answers = await times(5, () => harness.refresh(client, token));
      expect(new Set(answers.map(({ body }) => body.refresh_token))).toEqual(new Set([body.refresh_token]));
      expect(log.mock.calls.join('\n')).toContain('"event":"refresh.late_retry"');
      expect((await harness.refresh(client, body.refresh_token)).status).toBe(200);
    });

    it('works on when it was consumed and its successor was never stored', async () => {
      const token = await refreshToken();
      await harness.store.consume(refreshTokenKey(token));
      later(3600);
      const log = vi.spyOn(console, 'log');
      const retried = await harness.refresh(client, token);
      expect(retried.status).toBe(200);
      expect(log.mock.calls.join('\n')).toContain('"event":"refresh.retried"');
      const neighbour = await harness.refresh(client, token);
      expect(neighbour.body.refresh_token).toBe(retried.body.refresh_token);
      expect((await harness.refresh(client, retried.body.refresh_token)).status).toBe(200);
    });

    it('whose successor may still be on its way is no verdict, also where the grace window is 0', async () => {
      await using strict = await Harness.start({ database: database(), lifetimes: STRICT });
      const own = await strict.register();
      const token = await refreshToken(strict, own);
      await strict.store.consume(refreshTokenKey(token));
      const early = await strict.refresh(own, token);
      expect([early.status, early.body.error]).toEqual([503, 'temporarily_unavailable']);
      later(11);
      expect((await strict.refresh(own, token)).status).toBe(200);
    });

    it('is used once where the grace window is 0', async () => {
      await using strict = await Harness.start({ database: database(), lifetimes: STRICT });
      const own = await strict.register();
      const token = await refreshToken(strict, own);
      const answers = await times(20, () => strict.refresh(own, token));
      expect(answers.filter(({ status }) => status === 200)).toHaveLength(1);
    });
  });

  if (!IN_DEPTH.includes(name)) return;

  describe('a refresh token', () => {
    it('yields the same successor again within the grace window, and revokes the family after it', async () => {
      const token = await refreshToken();
      const first = await harness.refresh(client, token);
      const second = await harness.refresh(client, first.body.refresh_token);
      later(55);
      const again = await harness.refresh(client, token);
      expect(again.body.refresh_token).toBe(first.body.refresh_token);
      later(10);
      expect(await harness.refresh(client, token)).toMatchObject({ status: 400, body: { error: 'invalid_grant' } });
      expect((await harness.refresh(client, second.body.refresh_token)).status).toBe(400);
    });

    it('is reused where its successor was presented, however soon after the grace window', async () => {
      const token = await refreshToken();
      const { body } = await harness.refresh(client, token);
      const { body: newest } = await harness.refresh(client, body.refresh_token);
      later(61);
      expect((await harness.refresh(client, token)).status).toBe(400);
      expect((await harness.refresh(client, newest.refresh_token)).status).toBe(400);
    });

    it('is not kept alive by late retries: their day begins with the successor', async () => {
      const token = await refreshToken();
      await harness.refresh(client, token);
      later(20 * 3600);
      expect((await harness.refresh(client, token)).status).toBe(200);
      later(5 * 3600);
      expect(await harness.refresh(client, token)).toMatchObject({ status: 400, body: { error: 'invalid_grant' } });
    });

    it('is reused after the grace window where late retries are off', async () => {
      await using prompt = await Harness.start({ database: database(), lifetimes: { refreshLateRetry: 0 } });
      const own = await prompt.register();
      const token = await refreshToken(prompt, own);
      const { body } = await prompt.refresh(own, token);
      later(61);
      expect((await prompt.refresh(own, token)).status).toBe(400);
      expect((await prompt.refresh(own, body.refresh_token)).status).toBe(400);
    });

    it('is reused at once where the grace window is 0, and takes its family down', async () => {
      await using strict = await Harness.start({ database: database(), lifetimes: STRICT });
      const own = await strict.register();
      const token = await refreshToken(strict, own);
      later(0);
      const { body } = await strict.refresh(own, token);
      expect((await strict.refresh(own, token)).status).toBe(400);
      expect((await strict.refresh(own, body.refresh_token)).status).toBe(400);
    });

    it.each([
      ['an unknown resource', { resource: 'https://other.example.com/mcp' }],
      ['a scope that was not granted', { scope: 'notes:write' }],
    ])('is not burned by %s', async (_, params) => {
      const token = await refreshToken();
      expect((await harness.refresh(client, token, params)).status).toBe(400);
      later(3600);
      expect((await harness.refresh(client, token)).status).toBe(200);
    });

    it('expires where it is not used for long, and not while it is used', async () => {
      await using short = await Harness.start({ database: database(), lifetimes: { refreshTokenIdle: 100 } });
      const own = await short.register();
      let token = await refreshToken(short, own);
      for (let i = 0; i < 3; i++) {
        later(90);
        const { status, body } = await short.refresh(own, token);
        expect(status).toBe(200);
        token = body.refresh_token!;
      }
      later(101);
      expect(await short.refresh(own, token)).toMatchObject({ status: 400, body: { error: 'invalid_grant' } });
    });

    it('is not there for a client that did not register the grant', async () => {
      const own = await harness.register({ grant_types: ['authorization_code'] });
      const { status, body } = await harness.redeem(own, await harness.signIn(own, { scope: 'offline_access' }));
      expect(status).toBe(200);
      expect(body).not.toHaveProperty('refresh_token');
    });

    it('that is reused late takes its own family down, not another sign-in of the same client', async () => {
      const [reused, other] = [await refreshToken(), await refreshToken()];
      const { body } = await harness.refresh(client, reused);
      await harness.refresh(client, body.refresh_token);
      later(61);
      expect((await harness.refresh(client, reused)).status).toBe(400);
      expect((await harness.refresh(client, body.refresh_token)).status).toBe(400);
      expect((await harness.refresh(client, other)).status).toBe(200);
    });

    it('that another client presents, used or not, is refused and takes nothing down', async () => {
      const token = await refreshToken();
      const other = await harness.register({ client_name: 'Other' });
      const { body } = await harness.refresh(client, token);
      later(61);
      for (const stolen of [token, body.refresh_token]) {
        expect(await harness.refresh(other, stolen)).toMatchObject({ status: 400, body: { error: 'invalid_grant' } });
      }
      expect((await harness.refresh(client, body.refresh_token)).status).toBe(200);
    });

    it('whose secret is wrong is refused, however right its grant is', async () => {
      const token = await refreshToken();
      const forged = `${token.split('.')[0]}.${'x'.repeat(43)}`;
      expect(await harness.refresh(client, forged)).toMatchObject({ status: 400, body: { error: 'invalid_grant' } });
      expect((await harness.refresh(client, token)).status).toBe(200);
    });

    it('is of one family: revoking it leaves the other sign-ins of the same client alone', async () => {
      const [one, other] = [await refreshToken(), await refreshToken()];
      const revoked = await harness.fetch('/revoke', {
        method: 'POST',
        headers: { 'content-type': 'application/x-www-form-urlencoded' },
        body: new URLSearchParams({ client_id: client.client_id!, token: one }).toString(),
      });
      expect(revoked.status).toBe(200);
      expect((await harness.refresh(client, one)).status).toBe(400);
      expect((await harness.refresh(client, other)).status).toBe(200);
    });

    it('is not revoked by another client, which does not learn from the answer that it exists', async () => {
      const token = await refreshToken();
      const { client_id } = await harness.register({ client_name: 'Other' });
      for (const presented of [token, 'a.b']) {
        const response = await harness.post('/revoke', { client_id, token: presented });
        expect([response.status, await response.text()]).toEqual([200, '']);
      }
      expect((await harness.refresh(client, token)).status).toBe(200);
    });

    it('ends with its grant, and never looks as if it lived longer', async () => {
      await using short = await Harness.start({
        database: database(),
        lifetimes: { grant: 100, refreshTokenIdle: 80 },
      });
      const own = await short.register();
      const token = await refreshToken(short, own);
      later(60);
      const second = await short.refresh(own, token);
      expect(second.status).toBe(200);
      const keys = [refreshTokenKey(second.body.refresh_token!), grantKey(grantIdOf(token))];
      const [refreshRecord, grantRecord] = await short.store.read(keys);
      expect(refreshRecord!.expiresAt).toBeLessThanOrEqual(grantRecord!.expiresAt!);
      later(45);
      expect(await short.refresh(own, second.body.refresh_token)).toMatchObject({
        status: 400,
        body: { error: 'invalid_grant' },
      });
    });

    it('keeps the client registered as long as it is used', async () => {
      await using short = await Harness.start({ database: database(), lifetimes: { client: 100 } });
      const own = await short.register();
      let token = await refreshToken(short, own);
      for (let i = 0; i < 3; i++) {
        later(60);
        const { status, body } = await short.refresh(own, token);
        expect(status).toBe(200);
        token = body.refresh_token!;
      }
    });
  });
});
