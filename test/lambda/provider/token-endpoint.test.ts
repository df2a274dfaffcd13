import { decodeJwt } from 'jose';
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest';
import { clientKey, codeKey } from '../../../lambda/provider/keys';
import { DATABASES, describeOn } from '../../stores/databases';
import { Harness, later, RESOURCE } from './harness';

let harness: Harness;
let client: Record<string, string>;
beforeAll(async () => {
  harness = await Harness.start();
  client = await harness.register();
});
afterAll(() => harness[Symbol.asyncDispose]());
afterEach(() => {
  vi.useRealTimers();
});

const times = <T>(n: number, make: () => Promise<T>) => Promise.all(Array.from({ length: n }, make));

describeOn(DATABASES, (database) => {
  let harness: Harness;
  let client: Record<string, string>;
  beforeAll(async () => {
    harness = await Harness.start({ database: database() });
    client = await harness.register();
  });
  afterAll(() => harness[Symbol.asyncDispose]());

  describe('a code', () => {
    it('is redeemed by one of twenty parallel requests', async () => {
      const signIn = await harness.signIn(client);
      const answers = await times(20, () => harness.redeem(client, signIn));
      expect(answers.filter(({ status }) => status === 200)).toHaveLength(1);
      // 503 is for who finds the code used and its refresh token not yet there.
      for (const { status, body } of answers.filter(({ status }) => status !== 200)) {
        expect(['400 invalid_grant', '503 temporarily_unavailable']).toContain(`${status} ${body.error}`);
      }
      const { body } = answers.find(({ status }) => status === 200)!;
      expect((await harness.refresh(client, body.refresh_token)).status).toBe(200);
    });

    it('that is presented again later revokes what it was redeemed for', async () => {
      const signIn = await harness.signIn(client);
      const { body } = await harness.redeem(client, signIn);
      later(15);
      expect(await harness.redeem(client, signIn)).toMatchObject({ status: 400, body: { error: 'invalid_grant' } });
      expect(await harness.refresh(client, body.refresh_token)).toMatchObject({
        status: 400,
        body: { error: 'invalid_grant' },
      });
    });

    it.each([
      ['a wrong verifier', { code_verifier: 'a'.repeat(43) }, 'invalid_grant'],
      ['no verifier', { code_verifier: undefined }, 'invalid_grant'],
      ['an unknown resource', { resource: 'https://other.example.com/mcp' }, 'invalid_target'],
      ['another redirect URI', { redirect_uri: 'https://client.example.com/other' }, 'invalid_grant'],
    ])('is not burned by %s', async (_, params, error) => {
      const signIn = await harness.signIn(client);
      const refused = await harness.redeem(client, signIn, params);
      expect([refused.status, refused.body.error]).toEqual([400, error]);
      expect((await harness.redeem(client, signIn)).status).toBe(200);
    });

    it.each([undefined, ''])('is redeemed without the redirect URI, as in OAuth 2.1: %j', async (redirect_uri) => {
      const signIn = await harness.signIn(client);
      const wrong = await harness.redeem(client, signIn, { redirect_uri, code_verifier: 'a'.repeat(43) });
      expect([wrong.status, wrong.body.error]).toEqual([400, 'invalid_grant']);
      expect((await harness.redeem(client, signIn, { redirect_uri })).status).toBe(200);
      later(15);
      for (const { code } of [signIn, { code: 'a.b' }, { code: 'unknown' }]) {
        const refused = await harness.redeem(client, { ...signIn, code }, { redirect_uri });
        expect([refused.status, refused.body.error]).toEqual([400, 'invalid_grant']);
      }
    });

    it('is not burned by another client, which does not get it either', async () => {
      const signIn = await harness.signIn(client);
      const other = await harness.register({ client_name: 'Other' });
      expect(await harness.redeem(other, signIn)).toMatchObject({ status: 400, body: { error: 'invalid_grant' } });
      expect((await harness.redeem(client, signIn)).status).toBe(200);
    });

    it('works on when it was consumed and its refresh token was never stored', async () => {
      const signIn = await harness.signIn(client);
      await harness.store.consume(codeKey(signIn.code));
      const early = await harness.redeem(client, signIn);
      expect([early.status, early.body.error]).toEqual([503, 'temporarily_unavailable']);
      later(11);
      const wrong = await harness.redeem(client, signIn, { code_verifier: 'a'.repeat(43) });
      expect([wrong.status, wrong.body.error]).toEqual([400, 'invalid_grant']);
      const log = vi.spyOn(console, 'log');
      const answers = await times(5, () => harness.redeem(client, signIn));
      const [retried, ...others] = answers.filter(({ status }) => status === 200);
      expect(others).toEqual([]);
      expect(log.mock.calls.join('\n')).toContain('"event":"code.retried"');
      expect((await harness.refresh(client, retried!.body.refresh_token)).status).toBe(200);
    });

    it('is refused, and no more, to who read it before another retry was answered', async () => {
      const signIn = await harness.signIn(client);
      await harness.store.consume(codeKey(signIn.code));
      const [before] = await harness.store.read([codeKey(signIn.code)]);
      later(11);
      const { body } = await harness.redeem(client, signIn);
      // As that one read it.
      await harness.store.set(before!.key, before!.value, before!.expiresAt! * 1000);
      await harness.store.consume(before!.key, { now: before!.consumedAt! });
      expect(await harness.redeem(client, signIn)).toMatchObject({ status: 400, body: { error: 'invalid_grant' } });
      expect((await harness.refresh(client, body.refresh_token)).status).toBe(200);
    });

    it('is used up by being consumed where no refresh token belongs to it', async () => {
      const own = await harness.register({ grant_types: ['authorization_code'] });
      const signIn = await harness.signIn(own);
      expect((await harness.redeem(own, signIn)).status).toBe(200);
      for (const seconds of [1, 15, 20]) {
        later(seconds);
        expect(await harness.redeem(own, signIn)).toMatchObject({ status: 400, body: { error: 'invalid_grant' } });
      }
    });

    it('expires', async () => {
      const signIn = await harness.signIn(client);
      later(61);
      expect(await harness.redeem(client, signIn)).toMatchObject({ status: 400, body: { error: 'invalid_grant' } });
    });
  });
});

describe('the audience', () => {
  it.each([
    'https://mcp.example.com/mcp',
    'https://mcp.example.com/mcp/',
    'HTTPS://MCP.example.com/mcp',
    'https://mcp.example.com:443/mcp',
    'https://mcp.example.com/./mcp',
    'https://mcp.example.com/%6Dcp',
  ])('is the one resource, spelled as %s on every request', async (resource) => {
    const signIn = await harness.signIn(client, { resource });
    const { status, body } = await harness.redeem(client, signIn, { resource });
    expect(status).toBe(200);
    expect(decodeJwt(body.access_token!).aud).toBe(RESOURCE);
    const refreshed = await harness.refresh(client, body.refresh_token, { resource });
    expect(decodeJwt(refreshed.body.access_token!).aud).toBe(RESOURCE);
  });

  it('is the only resource where no request names one', async () => {
    const signIn = await harness.signIn(client, { resource: undefined });
    const { body } = await harness.redeem(client, signIn, { resource: undefined });
    expect(decodeJwt(body.access_token!).aud).toBe(RESOURCE);
    const refreshed = await harness.refresh(client, body.refresh_token);
    expect(decodeJwt(refreshed.body.access_token!).aud).toBe(RESOURCE);
  });

  it('of a refresh that asks for an unknown resource burns nothing', async () => {
    const { body } = await harness.redeem(client, await harness.signIn(client));
    const refused = await harness.refresh(client, body.refresh_token, { resource: 'https://other.example.com/mcp' });
    expect([refused.status, refused.body.error]).toEqual([400, 'invalid_target']);
    later(61);
    expect((await harness.refresh(client, body.refresh_token)).status).toBe(200);
  });
});

describe('a token response', () => {
  it('is stored nowhere, and names lifetime and scope', async () => {
    const { headers, body } = await harness.redeem(client, await harness.signIn(client, { scope: 'notes:write' }));
    expect(headers.get('cache-control')).toBe('no-store');
    expect(body).toMatchObject({ token_type: 'Bearer', expires_in: 3600, scope: 'notes:read notes:write' });
    expect(body).not.toHaveProperty('id_token');
  });

  it('has tokens of the configured lifetime', async () => {
    await using short = await Harness.start({ lifetimes: { accessToken: 600 } });
    const own = await short.register();
    const { body } = await short.redeem(own, await short.signIn(own, { scope: 'openid notes:use' }));
    expect(body.expires_in).toBe(600);
    for (const token of [body.access_token, body.id_token]) {
      const { iat, exp } = decodeJwt(token!);
      expect(exp! - iat!).toBe(600);
    }
  });

  it('has a refresh token, and before it a code, of 256 random bits beside the grant', async () => {
    const signIn = await harness.signIn(client);
    const { body } = await harness.redeem(client, signIn);
    for (const handle of [signIn.code, body.refresh_token]) expect(handle).toMatch(/^[\w-]{43}\.[\w-]{43}$/);
  });

  it('to a refresh for openid has an ID token', async () => {
    const { body } = await harness.redeem(client, await harness.signIn(client, { scope: 'openid notes:write' }));
    const refreshed = await harness.refresh(client, body.refresh_token, { scope: 'openid notes:read' });
    expect(refreshed.body).toMatchObject({ scope: 'notes:read', id_token: expect.any(String) });
  });

  it.each([
    [undefined, 'notes:read notes:write'],
    ['', 'notes:read notes:write'],
    ['unknown', 'notes:read notes:write'],
    ['offline_access', 'notes:read notes:write'],
    ['notes:read', 'notes:read'],
    ['notes:read unknown', 'notes:read'],
  ])('to a refresh for the scope %j has the scope %s', async (scope, granted) => {
    const { body } = await harness.redeem(client, await harness.signIn(client, { scope: 'notes:write' }));
    const { refresh_token: token } = body;
    const refreshed = await harness.refresh(client, token, scope === undefined ? {} : { scope });
    expect([refreshed.status, refreshed.body.scope]).toEqual([200, granted]);
  });
});

it('a token request with two scopes is refused, and burns nothing (RFC 6749 section 3.2)', async () => {
  const { body } = await harness.redeem(client, await harness.signIn(client, { scope: 'notes:write' }));
  const { refresh_token = '' } = body;
  const form = new URLSearchParams({
    grant_type: 'refresh_token',
    client_id: client.client_id!,
    refresh_token,
    scope: 'notes:read',
  });
  form.append('scope', 'notes:write');
  const refused = await harness.fetch('/token', {
    method: 'POST',
    headers: { 'content-type': 'application/x-www-form-urlencoded' },
    body: form.toString(),
  });
  expect([refused.status, await refused.json()]).toEqual([400, expect.objectContaining({ error: 'invalid_request' })]);
  later(61);
  expect((await harness.refresh(client, refresh_token)).status).toBe(200);
});

describe('a client with a secret', () => {
  it('is authenticated by it, in the header or the body, and the table holds only its hash', async () => {
    const confidential = await harness.register({ token_endpoint_auth_method: 'client_secret_basic' });
    const basic = Buffer.from(`${confidential.client_id}:${confidential.client_secret}`).toString('base64');
    const { code, codeVerifier } = await harness.signIn(confidential);
    const wrong = await harness.redeem(confidential, { code, codeVerifier }, { client_secret: 'wrong' });
    expect([wrong.status, wrong.body.error]).toEqual([401, 'invalid_client']);
    const right = await harness.token(
      {
        grant_type: 'authorization_code',
        code,
        code_verifier: codeVerifier,
        redirect_uri: 'https://client.example.com/callback',
      },
      { authorization: `Basic ${basic}` },
    );
    expect(right.status).toBe(200);
    const posted = await harness.refresh(confidential, right.body.refresh_token, {
      client_secret: confidential.client_secret!,
    });
    expect(posted.status).toBe(200);
    expect(posted.body.refresh_token).not.toBe(right.body.refresh_token);
    const records = await harness.store.read([clientKey(confidential.client_id!)]);
    expect(JSON.stringify(records)).not.toContain(confidential.client_secret);
  });

  it('that nobody knows is told so in the words that make clients register anew', async () => {
    expect(await harness.refresh({ client_id: 'unknown' }, 'a.b')).toMatchObject({
      status: 401,
      body: { error: 'invalid_client' },
    });
  });
});
