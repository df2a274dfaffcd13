import { type AddressInfo, createServer, type Socket } from 'node:net';
import { decodeJwt } from 'jose';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { isAllowed } from '../../../lambda/provider/allow-rules';
import { ON_LAMBDA } from '../../hosts/attacked-hosts';
import { atClient, Harness, ISSUER, later, type Options } from './harness';

let harness: Harness;
let client: Record<string, string>;
beforeEach(async () => {
  await start();
});
afterEach(async () => {
  vi.restoreAllMocks();
  vi.useRealTimers();
  await harness[Symbol.asyncDispose]();
});

async function start(options: Options = {}) {
  await harness?.[Symbol.asyncDispose]();
  harness = await Harness.start({ instances: 1, ...options });
  client = await harness.register();
}

/** What this server withstands where it is configured so, a host does not even start with. */
async function refusesToStart(upstream: Options['upstream'], option: string) {
  await expect(Harness.start({ instances: 1, upstream })).rejects.toThrow(option);
}

async function consent() {
  const browser = harness.browser();
  return { browser, page: await browser.open(harness.authorizationRequest(client).url) };
}

/** RFC 6749 section 2.3.1: both are form-encoded first. */
function basicCredentials(authorization: string | undefined): string[] {
  const [, encoded] = authorization?.split(' ') ?? [];
  return encoded ? Buffer.from(encoded, 'base64').toString().split(':').map(decodeURIComponent) : [];
}

async function refusal() {
  const { answer } = await harness.signIn(client);
  expect(answer.searchParams.get('state')).toBe('client-state');
  expect(answer.searchParams.get('iss')).toBe(ISSUER);
  return answer.searchParams.get('error');
}

describe('the request to upstream', () => {
  it('is ours alone: nothing that the client asked for goes along', async () => {
    await start({ upstream: { scopes: ['email'], extraParameters: { hd: 'example.com' } } });
    await harness.signIn(client, {
      scope: 'openid notes:write',
      nonce: 'client-nonce',
      login_hint: 'x',
      acr_values: 'x',
      prompt: 'consent',
    });
    const [request] = harness.upstream.requests;
    expect(Object.fromEntries(request!)).toEqual({
      client_id: 'this-server',
      redirect_uri: `${ISSUER}/callback`,
      response_type: 'code',
      scope: 'openid email',
      hd: 'example.com',
      state: expect.stringMatching(/^[\w-]{16}\.[\w-]{43}$/),
      nonce: expect.stringMatching(/^[\w-]{43}$/),
      code_challenge: expect.stringMatching(/^[\w-]{43}$/),
      code_challenge_method: 'S256',
    });
  });

  it('keeps its own parameters, whatever extra ones are configured', async () => {
    const mine = { state: 'x', nonce: 'x', code_challenge: 'x', redirect_uri: 'https://evil.example', scope: 'x' };
    if (!ON_LAMBDA) return refusesToStart({ extraParameters: mine }, 'idpClient.additionalAuthParams');
    await start({ upstream: { extraParameters: mine } });
    const { answer } = await harness.signIn(client);
    expect(answer.searchParams.get('code')).toBeTruthy();
  });

  it.each([
    ['client_secret_basic', undefined, true],
    ['client_secret_basic', ['private_key_jwt', 'client_secret_basic'], true],
    ['client_secret_post', ['client_secret_post', 'client_secret_basic'], false],
  ])('for the code authenticates by %s where upstream offers %j', async (_, authMethods, basic) => {
    if (authMethods) harness.upstream.authMethods = authMethods;
    await harness.signIn(client);
    const { form, authorization } = harness.upstream.tokenRequests.at(-1)!;
    expect(basicCredentials(authorization)).toEqual(basic ? ['this-server', harness.upstreamSecret] : []);
    expect(form.get('client_secret')).toBe(basic ? null : harness.upstreamSecret);
  });

  it.runIf(ON_LAMBDA)('uses the operator’s new client secret within a minute', async () => {
    await harness.signIn(client);
    await harness.putSecret(harness.config.upstream.clientSecretId, 'new-secret');
    later(60);
    await harness.signIn(client);
    const { authorization } = harness.upstream.tokenRequests.at(-1)!;
    expect(basicCredentials(authorization)).toEqual(['this-server', 'new-secret']);
  });

  // Others do not start.
  it.runIf(ON_LAMBDA)('never leaves over plain HTTP, except to this machine', async () => {
    await start({ upstream: { issuer: 'http://login.example.com' } });
    const { browser, page } = await consent();
    const sent = vi.spyOn(globalThis, 'fetch');
    const down = await browser.submit(page, 'allow', {}, atClient);
    expect(down.status).toBe(503);
    const hosts = sent.mock.calls.map(([input]) => new URL(input instanceof Request ? input.url : input).hostname);
    expect(hosts).not.toContain('login.example.com');
  });
});

describe.runIf(ON_LAMBDA)('while the operator changes the client secret', () => {
  const REFUSALS = [
    { status: 400, error: 'invalid_client' },
    { status: 401, error: 'invalid_client' },
    // Auth0's words for it.
    { status: 401, error: 'access_denied' },
  ];

  async function useSecrets() {
    await start({ instances: 2, upstream: { recheck: 0 } });
    Object.assign(harness.upstream, {
      authMethods: ['client_secret_post'],
      refreshTokens: true,
      clientSecrets: [harness.upstreamSecret],
    });
  }
  const signsIn = async () => (await harness.signIn(client)).answer.searchParams.get('code') !== null;
  const presented = () => harness.upstream.tokenRequests.map(({ form }) => form.get('client_secret'));

  it.each(REFUSALS)(
    'at Secrets Manager first, the old one goes on, also for upstream’s refresh tokens: $status $error',
    async (refusal) => {
      await useSecrets();
      const log = vi.spyOn(console, 'log').mockImplementation(() => {});
      harness.upstream.clientRefusal = refusal;
      const { body } = await harness.redeem(client, await harness.signIn(client));
      await harness.putSecret(harness.config.upstream.clientSecretId, 'new-secret');
      later(61);
      expect(await signsIn()).toBe(true);
      expect(presented().slice(-2)).toEqual(['new-secret', harness.upstreamSecret]);

      later(120);
      expect((await harness.refresh(client, body.refresh_token)).status).toBe(200);
      expect(harness.upstream.tokenRequests.at(-1)?.form.get('grant_type')).toBe('refresh_token');
      expect(presented().slice(-2)).toEqual(['new-secret', harness.upstreamSecret]);
      expect(log.mock.calls.join()).toContain('upstream.other_secret_used');
    },
  );

  it('at upstream first, the new one is taken as soon as it is there, whatever an instance has seen', async () => {
    await useSecrets();
    expect(await signsIn()).toBe(true);
    expect(await signsIn()).toBe(true);
    harness.upstream.clientSecrets = ['new-secret'];
    expect(await refusal()).toBe('server_error');
    await harness.putSecret(harness.config.upstream.clientSecretId, 'new-secret');
    for (let i = 0; i < 2; i++) expect(await signsIn()).toBe(true);
  });

  it('a secret that upstream takes nowhere is refused once for each that may be right', async () => {
    await useSecrets();
    await harness.putSecret(harness.config.upstream.clientSecretId, 'wrong');
    harness.upstream.clientSecrets = ['unknown'];
    expect(await refusal()).toBe('server_error');
    expect(presented()).toEqual(['wrong', harness.upstreamSecret]);
  });

  it('another refusal than of this server is not tried again', async () => {
    await useSecrets();
    harness.upstream.tokenError = { status: 400, error: 'invalid_grant' };
    expect(await refusal()).toBe('access_denied');
    expect(presented()).toEqual([harness.upstreamSecret]);
  });
});

describe('upstream’s refusal', () => {
  it.each([
    ['access_denied', 'access_denied'],
    ['login_required', 'access_denied'],
    ['unauthorized_client', 'access_denied'],
    ['server_error', 'server_error'],
    ['temporarily_unavailable', 'temporarily_unavailable'],
  ])('%s reaches the client as %s', async (error, told) => {
    harness.upstream.error = error;
    expect(await refusal()).toBe(told);
  });

  it.each([
    [{ status: 400, error: 'invalid_grant' }, 'access_denied'],
    [{ status: 401, error: 'invalid_client' }, 'server_error'],
  ])('of its code, %j, reaches the client as %s', async (tokenError, told) => {
    harness.upstream.tokenError = tokenError;
    expect(await refusal()).toBe(told);
  });
});

describe('an answer without an ID token', () => {
  it('says nothing about a person, so that the client hears access_denied', async () => {
    harness.upstream.withoutIdToken = true;
    expect(await refusal()).toBe('access_denied');
  });
});

describe('an upstream that is down', () => {
  it('before the person is sent there, is a page that says so, and nothing is lost', async () => {
    harness.upstream.failure = 503;
    const { browser, page } = await consent();
    const down = await browser.submit(page, 'allow', {}, atClient);
    expect([down.status, down.headers.get('retry-after')]).toEqual([503, '5']);
    delete harness.upstream.failure;
    const { url } = await browser.submit(await browser.open(page.url), 'allow', {}, atClient);
    expect(url.searchParams.get('code')).toBeTruthy();
  });

  it('when the code is redeemed, is a page that says so', async () => {
    harness.upstream.tokenError = { status: 502, error: 'server_error' };
    const { browser, page } = await consent();
    const down = await browser.submit(page, 'allow', {}, atClient);
    expect([down.status, down.headers.get('retry-after')]).toEqual([503, '5']);
  });

  it('and takes no connection, is a page that says so', async () => {
    const { browser, page } = await consent();
    const answer = await browser.submit(page, 'allow', {}, ({ pathname }) => pathname === '/callback');
    await harness.upstream[Symbol.asyncDispose]();
    expect((await browser.open(answer.url, atClient)).status).toBe(503);
  });

  it('and never answers, is a page that says so after 8 seconds, before the sign-in and after it', async () => {
    const neverAnswers = () => {
      const { timeout } = AbortSignal;
      return vi.spyOn(AbortSignal, 'timeout').mockImplementation((ms) => {
        const passed =
          ms === 8000 ? AbortSignal.abort(new DOMException('8 seconds have passed', 'TimeoutError')) : null;
        return passed ?? timeout(ms);
      });
    };
    const before = neverAnswers();
    const { browser, page } = await consent();
    expect((await browser.submit(page, 'allow', {}, atClient)).status).toBe(503);
    before.mockRestore();
    const answer = await browser.submit(page, 'allow', {}, ({ pathname }) => pathname === '/callback');
    neverAnswers();
    expect((await browser.open(answer.url, atClient)).status).toBe(503);
  });

  it('for its metadata only, is not noticed: the old ones serve on', async () => {
    await harness.signIn(client);
    later(3601);
    const { browser, page } = await consent();
    harness.upstream.failure = 503;
    const { url } = await browser.submit(page, 'allow', {}, ({ origin }) => origin === harness.upstream.issuer);
    expect(url.searchParams.get('client_id')).toBe('this-server');
  });
});

describe.runIf(ON_LAMBDA)('a client secret that cannot be read', () => {
  it('is this server’s problem, and not called the identity provider’s', async () => {
    await start({ upstream: { clientSecretId: 'unknown' } });
    const { browser, page } = await consent();
    const { status, text } = await browser.submit(page, 'allow', {}, atClient);
    expect([status, text]).toEqual([503, expect.stringContaining('This server is having a problem')]);
  });
});

describe('a claim of the person', () => {
  it('reaches access tokens only where it is configured', async () => {
    harness.upstream.claims = { sub: 'ada', email: 'ada@example.com', name: 'Ada', groups: ['a'] };
    const { body } = await harness.redeem(client, await harness.signIn(client));
    const refreshed = await harness.refresh(client, body.refresh_token);
    for (const token of [body.access_token, refreshed.body.access_token]) {
      const claims = decodeJwt(token!);
      expect(claims.email).toBe('ada@example.com');
      for (const name of ['name', 'groups', 'personClaims']) expect(claims).not.toHaveProperty(name);
    }
  });

  it('never takes the place of one of ours', async () => {
    const upstream = { claims: ['sub', 'iss', 'aud', 'exp', 'client_id', 'scope'] };
    if (!ON_LAMBDA) return refusesToStart(upstream, 'idpClient.claims');
    await start({ upstream });
    harness.upstream.claims = { sub: 'ada', client_id: 'other', scope: 'admin' };
    const { body } = await harness.redeem(client, await harness.signIn(client));
    const claims = decodeJwt(body.access_token!);
    expect(claims).toMatchObject({ iss: ISSUER, client_id: client.client_id, scope: 'notes:use' });
    expect(claims.sub).not.toBe('ada');
  });

  it('identifies the person by issuer and subject, and tells neither', async () => {
    harness.upstream.claims = { sub: 'ada@example.com' };
    const subOf = async () => {
      const { body } = await harness.redeem(client, await harness.signIn(client));
      return decodeJwt(body.access_token!).sub;
    };
    const first = await subOf();
    expect(first).toMatch(/^[\w-]{43}$/);
    expect(await subOf()).toBe(first);
    await start();
    harness.upstream.claims = { sub: 'ada@example.com' };
    expect(await subOf()).not.toBe(first);
  });
});

describe('an identity provider that takes connections and never answers', () => {
  it('does not keep the consent page waiting, which names the issuer’s host', async () => {
    const open = new Set<Socket>();
    const silent = createServer((socket) => {
      open.add(socket);
      socket.on('close', () => open.delete(socket));
    });
    await new Promise<void>((resolve) => silent.listen(0, '127.0.0.1', resolve));
    const host = `127.0.0.1:${(silent.address() as AddressInfo).port}`;
    try {
      await start({ upstream: { issuer: `http://${host}` } });
      // Less than it takes to give up on discovery.
      harness.timeLimit = 7_500;
      const { page } = await consent();
      expect(page.status).toBe(200);
      expect(page.text).toContain(host);
    } finally {
      for (const socket of open) socket.destroy();
      silent.close();
    }
  });
});

describe('a client that asks who has signed in, or when', () => {
  const seconds = () => Math.floor(Date.now() / 1000);
  const signIn = (params: Record<string, string>) => harness.signIn(client, { scope: 'openid notes:use', ...params });
  const errorOf = async (params: Record<string, string>) => (await signIn(params)).answer.searchParams.get('error');
  const idTokenOf = async (params: Record<string, string> = {}) =>
    (await harness.redeem(client, await signIn(params))).body.id_token ?? '';

  it.each([
    [{ prompt: 'login' }, { prompt: 'login' }],
    [{ max_age: '600' }, { max_age: '600' }],
    [{ max_age: '0' }, { prompt: 'login' }],
    [
      { max_age: '600', prompt: 'login consent' },
      { max_age: '600', prompt: 'login' },
    ],
    [{ prompt: 'consent' }, {}],
  ])('asks %j, and that is what upstream is asked: %j', async (params, sent) => {
    await signIn(params);
    const { prompt, max_age } = Object.fromEntries(harness.upstream.requests[0]!);
    expect({ prompt, max_age }).toEqual({ prompt: undefined, max_age: undefined, ...sent });
  });

  it.each([
    [{ max_age: '600' }, 500],
    [{ max_age: '0' }, 0],
    [{ prompt: 'login' }, 0],
    [{ prompt: 'consent' }, 80_000],
  ])('with %j gets a code where that was %i seconds ago', async (params, ago) => {
    harness.upstream.claims = { sub: 'ada', auth_time: seconds() - ago };
    const { auth_time } = decodeJwt(await idTokenOf(params));
    if ('max_age' in params) expect(auth_time).toBe(harness.upstream.claims.auth_time);
  });

  it.each([
    [{ max_age: '600' }, 700],
    [{ max_age: '0' }, 86_400],
    [{ prompt: 'login' }, 86_400],
    [{ max_age: '100000', prompt: 'login' }, 86_400],
    [{ max_age: '100000' }, undefined],
  ])('with %j is told that the person has to sign in, where that was %j seconds ago', async (params, ago) => {
    harness.upstream.claims = { sub: 'ada', ...(ago === undefined ? {} : { auth_time: seconds() - ago }) };
    expect(await errorOf(params)).toBe('login_required');
  });

  it('takes the word of a provider that does not say when, as most do', async () => {
    expect(await idTokenOf({ prompt: 'login' })).not.toBe('');
  });

  it('gets no code for another person than the one it knows', async () => {
    const id_token_hint = await idTokenOf();
    expect(decodeJwt(await idTokenOf({ id_token_hint })).sub).toBe(decodeJwt(id_token_hint).sub);
    harness.upstream.claims = { sub: 'eve' };
    expect(await errorOf({ id_token_hint })).toBe('login_required');
  });
});

describe('discovery, once it has been answered', () => {
  const codeOf = async () => (await harness.signIn(client)).answer.searchParams.get('code');
  beforeEach(codeOf);

  it('is asked for again after an hour', async () => {
    later(3_590);
    await codeOf();
    expect(harness.upstream.discoveries).toBe(1);
    later(20);
    await codeOf();
    expect(harness.upstream.discoveries).toBe(2);
  });

  it('is asked for again where the clock was set back', async () => {
    later(-7_200);
    await codeOf();
    expect(harness.upstream.discoveries).toBe(2);
  });

  it('keeps no sign-in from going on that gets no answer, and is asked for by one of all', async () => {
    harness.upstream.discovery = new Promise(() => {});
    // Less than it takes to give up on discovery.
    harness.timeLimit = 7_500;
    later(3_600);
    for (const code of await Promise.all([codeOf(), codeOf(), codeOf()])) expect(code).toBeTruthy();
    expect(harness.upstream.discoveries).toBe(2);
  });

  it('is asked for once a minute where it is down', async () => {
    harness.upstream.discovery = Promise.resolve(503);
    later(3_600);
    for (let i = 0; i < 3; i++) expect(await codeOf()).toBeTruthy();
    expect(harness.upstream.discoveries).toBe(2);
    later(60);
    await codeOf();
    expect(harness.upstream.discoveries).toBe(3);
  });
});

describe('a claim that the ID token leaves out', () => {
  const rules = { claims: ['email'], allow: [{ claim: 'groups', values: ['staff'] }] };
  const emailOf = async () => {
    const { body } = await harness.redeem(client, await harness.signIn(client));
    return body.access_token && decodeJwt(body.access_token).email;
  };

  it('is looked for in UserInfo, for rules and for access tokens', async () => {
    await start({ upstream: rules });
    harness.upstream.userInfo = { sub: 'ada', email: 'ada@example.com', groups: ['staff'] };
    expect(await emailOf()).toBe('ada@example.com');
  });

  it('is not taken from there where the ID token has it', async () => {
    await start({ upstream: rules });
    harness.upstream.claims = { sub: 'ada', email: 'ada@example.com' };
    harness.upstream.userInfo = { sub: 'ada', email: 'other@example.com', groups: ['staff'] };
    expect(await emailOf()).toBe('ada@example.com');
  });

  const ada = 'ada@example.com';
  const mallory = 'mallory@gmail.com';
  it.each([
    ['the same address there', { email: ada }, { email: ada, email_verified: true }, 303],
    ['another address there', { email: ada }, { email: mallory, email_verified: true }, 403],
    ['no address there', { email: ada }, { email_verified: true }, 403],
    ['an address that is there alone', {}, { email: ada, email_verified: true }, 303],
    ['an address that is there alone, of which it says nothing', { email_verified: true }, { email: ada }, 403],
  ])('verifies the address that it was said of: %s', async (_, claims, more, status) => {
    await start({ upstream: { allow: [{ claim: 'email', values: ['@example.com'] }] } });
    harness.upstream.claims = { sub: 'ada', ...claims };
    harness.upstream.userInfo = { sub: 'ada', ...more };
    const browser = harness.browser();
    const consent = await browser.open(harness.authorizationRequest(client).url);
    const { url, status: shown } = await browser.submit(consent, 'allow', {}, atClient);
    expect(url.searchParams.has('code') && atClient(url) ? 303 : shown).toBe(status);
  });

  it('verifies the address in another claim, by the one that is there alone', async () => {
    await start({ upstream: { claims: [], allow: [{ claim: 'upn', values: ['@example.com'] }] } });
    harness.upstream.claims = { sub: 'ada', upn: ada, email_verified: true };
    harness.upstream.userInfo = { sub: 'ada', email: ada, email_verified: true };
    expect((await harness.signIn(client)).answer).toSatisfy(atClient);
  });

  it('is nobody’s where UserInfo is about somebody else, or refuses', async () => {
    await start({ upstream: rules });
    const before = harness.upstream.tokenRequests.length;
    for (const userInfo of [{ sub: 'grace', groups: ['staff'] }, 403]) {
      harness.upstream.userInfo = userInfo;
      const browser = harness.browser();
      const consent = await browser.open(harness.authorizationRequest(client).url);
      const page = await browser.submit(consent, 'allow');
      expect(page.status).toBe(403);
    }
    expect(harness.upstream.tokenRequests.length - before).toBe(2);
  });

  it('is an outage where UserInfo is down', async () => {
    await start({ upstream: rules });
    harness.upstream.userInfo = 503;
    const browser = harness.browser();
    const consent = await browser.open(harness.authorizationRequest(client).url);
    expect((await browser.submit(consent, 'allow')).status).toBe(503);
  });
});

describe('a rule about who may sign in', () => {
  const email = { email: 'ada@example.com', email_verified: true };

  it.each([
    ['no rule', {}, [], true],
    ['an absent claim', {}, [{ claim: 'hd', values: ['example.com'] }], false],
    ['a rule without values', { hd: 'example.com' }, [{ claim: 'hd', values: [] }], false],
    ['an equal value', { hd: 'example.com' }, [{ claim: 'hd', values: ['other', 'example.com'] }], true],
    ['another case', { hd: 'Example.com' }, [{ claim: 'hd', values: ['example.com'] }], false],
    ['a part of a value', { hd: 'example.com.evil' }, [{ claim: 'hd', values: ['example.com'] }], false],
    ['a member', { groups: ['a', 'b'] }, [{ claim: 'groups', values: ['b'] }], true],
    ['a nested member', { groups: [['b']] }, [{ claim: 'groups', values: ['b'] }], false],
    ['a boolean', { staff: true }, [{ claim: 'staff', values: ['true'] }], true],
    ['a number', { tenant: 7 }, [{ claim: 'tenant', values: ['7'] }], true],
    [
      'two rules of which one holds',
      { a: '1', b: '2' },
      [
        { claim: 'a', values: ['1'] },
        { claim: 'b', values: ['1'] },
      ],
      false,
    ],
    ['a verified domain', email, [{ claim: 'email', values: ['@Example.com'] }], true],
    [
      'a verified domain, told as text',
      { ...email, email_verified: 'true' },
      [{ claim: 'email', values: ['@example.com'] }],
      true,
    ],
    ['a domain that nobody verified', { email: email.email }, [{ claim: 'email', values: ['@example.com'] }], false],
    ['a verified address', email, [{ claim: 'email', values: ['ada@example.com'] }], true],
    [
      'an address that nobody verified',
      { ...email, email_verified: false },
      [{ claim: 'email', values: ['ada@example.com'] }],
      false,
    ],
    ['a subdomain', { ...email, email: 'a@x.example.com' }, [{ claim: 'email', values: ['@example.com'] }], false],
    [
      'the domain after a quoted one',
      { ...email, email: '"a@evil.net"@example.com' },
      [{ claim: 'email', values: ['@example.com'] }],
      true,
    ],
    [
      'a domain in another claim than that of the verified address',
      { email: 'mallory@gmail.com', email_verified: true, preferred_username: 'x@example.com' },
      [{ claim: 'preferred_username', values: ['@example.com'] }],
      false,
    ],
    [
      'the verified address in another claim',
      { ...email, preferred_username: 'Ada@example.com' },
      [{ claim: 'preferred_username', values: ['@example.com'] }],
      true,
    ],
    [
      'a domain in another claim, without a verified address',
      { email_verified: true, preferred_username: 'x@example.com' },
      [{ claim: 'preferred_username', values: ['@example.com'] }],
      false,
    ],
    [
      'a domain before another',
      { ...email, email: 'a@example.com@evil.net' },
      [{ claim: 'email', values: ['@example.com'] }],
      false,
    ],
    [
      'a claim that is the domain itself',
      { ...email, email: 'example.com' },
      [{ claim: 'email', values: ['@example.com'] }],
      false,
    ],
  ])('about %s', (_, claims, rules, allowed) => {
    expect(isAllowed(claims, rules)).toBe(allowed);
  });
});
