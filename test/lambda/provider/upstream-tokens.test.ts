import { decodeJwt, importJWK, SignJWT } from 'jose';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { grantIdOf, grantKey, hash, upstreamTokenKey } from '../../../lambda/provider/keys';
import { TOKEN_EXCHANGE } from '../../../lambda/provider/resource-server';
import { nextKeySet } from '../../../lambda/rotate-keys/next-key-set';
import { DynamoStore } from '../../../lambda/store/dynamo-store';
import { ON_LAMBDA } from '../../hosts/attacked-hosts';
import { DpopClient } from '../../support/dpop-client';
import { SOON } from '../../support/soon';
import { Harness, ISSUER, later, NOTES, type Options, REDIRECT_URI, RESOURCE, type TokenResponse } from './harness';
import { ACCESS_TOKEN, exchange as exchangeAt, registerServer, SERVER } from './resource-server';

const OTHER = 'https://other.example.com/mcp';
const PLAIN = 'https://plain.example.com/mcp';

const OTHER_SERVER = { id: 'other-server', secret: 'secret of the other server' };

let harness: Harness;
let client: Record<string, string>;
let logged: string[];
beforeAll(async () => {
  harness = await Harness.start({
    instances: 3,
    upstream: { recheck: 86_400, allow: [{ claim: 'team', values: ['notes'] }] },
    resources: [
      { ...NOTES, upstreamTokens: true, default: true },
      { ...NOTES, identifier: OTHER, upstreamTokens: true },
      { ...NOTES, identifier: PLAIN },
    ],
  });
  client = await harness.register();
  await registerServer(harness, SERVER, [RESOURCE, PLAIN]);
  await registerServer(harness, OTHER_SERVER, [OTHER]);
});
afterAll(() => harness[Symbol.asyncDispose]());
beforeEach(() => {
  Object.assign(harness.upstream, {
    refreshTokens: true,
    accessTokenLifetime: 600,
    scope: 'openid calendar',
    claims: { sub: 'ada', team: 'notes' },
  });
  logged = [];
  for (const method of ['log', 'info', 'warn', 'error', 'debug'] as const) {
    vi.spyOn(console, method).mockImplementation((...args) => logged.push(args.map(String).join(' ')));
  }
});
afterEach(() => {
  vi.useRealTimers();
  vi.restoreAllMocks();
  for (const fault of ['tokenError', 'failure', 'failures', 'held'] as const) delete harness.upstream[fault];
});

/** A sign-in to the tokens of the client. */
async function tokens(resource = RESOURCE): Promise<{ access: string; refresh: string; grantId: string }> {
  const { body } = await harness.redeem(client, await harness.signIn(client, { resource }), { resource });
  const refresh = body.refresh_token ?? '';
  return { access: body.access_token ?? '', refresh, grantId: grantIdOf(refresh) };
}

const exchange = (subject: string, params: Record<string, string | undefined> = {}, as = SERVER) =>
  exchangeAt(harness, subject, params, as);

/** Upstream answers no token request before the function that this returns is called. */
function holdUpstream(): () => void {
  let release = () => {};
  harness.upstream.held = new Promise((resolve) => {
    release = resolve;
  });
  return () => release();
}

const refreshesUpstream = () => harness.upstream.tokenRequests.filter(({ form }) => form.has('refresh_token')).length;

const lastUpstream = () => `upstream-access-${harness.upstream.tokenRequests.length}`;

describe('a resource server', () => {
  it('gets the access token of upstream for the access token that it received (RFC 8693 section 2.2.1)', async () => {
    const { access } = await tokens();
    const { status, body, headers } = await exchange(access);
    expect([status, body]).toEqual([
      200,
      {
        access_token: lastUpstream(),
        issued_token_type: ACCESS_TOKEN,
        token_type: 'Bearer',
        expires_in: expect.any(Number),
        scope: 'openid calendar',
      },
    ]);
    expect(Number(body.expires_in)).toBeGreaterThan(590);
    expect(Number(body.expires_in)).toBeLessThanOrEqual(600);
    expect(headers.get('cache-control')).toBe('no-store');
    expect(refreshesUpstream()).toBe(0);
  });

  it('may authenticate by client_secret_post, and may name what it asks for', async () => {
    const { access } = await tokens();
    const { status } = await harness.token({
      grant_type: TOKEN_EXCHANGE,
      client_id: SERVER.id,
      client_secret: SERVER.secret,
      subject_token: access,
      subject_token_type: ACCESS_TOKEN,
      requested_token_type: ACCESS_TOKEN,
      audience: harness.upstream.issuer,
      scope: 'calendar',
    });
    expect(status).toBe(200);
  });

  it('gets a fresh one shortly before the end of the old, for the same access token', async () => {
    const { access } = await tokens();
    const first = await exchange(access);
    later(530);
    expect((await exchange(access)).body.access_token).toBe(first.body.access_token);
    later(15);
    const second = await exchange(access);
    expect(second.body.access_token).toBe(lastUpstream());
    expect(second.body.access_token).not.toBe(first.body.access_token);
    expect(Number(second.body.expires_in)).toBe(600);
  });

  it('gets a new one every hour where upstream does not say how long they live', async () => {
    delete harness.upstream.accessTokenLifetime;
    delete harness.upstream.scope;
    const { refresh } = await tokens();
    const { body } = await harness.refresh(client, refresh);
    const first = await exchange(body.access_token!);
    expect(first.body).toEqual({
      access_token: lastUpstream(),
      issued_token_type: ACCESS_TOKEN,
      token_type: 'Bearer',
    });
    later(3550);
    expect((await exchange(body.access_token!)).body.access_token).not.toBe(first.body.access_token);
  });
});

describe('an access token', () => {
  const own = async (options: Options = {}) => {
    const deployed = await Harness.start({ instances: 1, resources: [{ ...NOTES, upstreamTokens: true }], ...options });
    await registerServer(deployed);
    return deployed;
  };

  it.runIf(ON_LAMBDA)('that was signed before the key set turned over is exchanged too', async () => {
    await using rotated = await own();
    const app = await rotated.register();
    const { body } = await rotated.redeem(app, await rotated.signIn(app));
    const config = { algorithm: 'RS256', minimumPublication: 0, retirement: 86_400 } as const;
    const next = await nextKeySet(rotated.keySet, config, Math.floor(Date.now() / 1000));
    await rotated.putSecret(rotated.config.keySetSecretArn, JSON.stringify(next));
    later(rotated.config.keySetRefresh * 2 + 1);
    const [{ keys }, answer] = await Promise.all([
      (await rotated.fetch('/jwks')).json() as Promise<{ keys: { kid: string }[] }>,
      exchangeAt(rotated, body.access_token),
    ]);
    expect(keys[0]?.kid).toBe(next.current.jwk.kid);
    expect(answer.status).toBe(200);
  });

  it('that is bound to a key of the client is exchanged by the resource server, which has seen the proof', async () => {
    await using bound = await own({ dpop: true });
    const app = await bound.register();
    const key = await DpopClient.create();
    const { code, codeVerifier } = await bound.signIn(app);
    const { body } = await bound.token(
      {
        grant_type: 'authorization_code',
        client_id: app.client_id,
        code,
        code_verifier: codeVerifier,
        redirect_uri: REDIRECT_URI,
      },
      { dpop: await key.proof('POST', `${ISSUER}/token`) },
    );
    expect(decodeJwt(body.access_token!).cnf).toEqual({ jkt: key.thumbprint });
    const answer = await exchangeAt(bound, body.access_token);
    expect([answer.status, answer.body.token_type]).toEqual([200, 'Bearer']);
  });
});

describe('twenty exchanges at once', () => {
  it('of an expired upstream token ask upstream once, and all get what it gave', async () => {
    const { access } = await tokens();
    later(700);
    const before = refreshesUpstream();
    const answers = await Promise.all(Array.from({ length: 20 }, () => exchange(access)));
    expect(answers.map(({ status }) => status)).toEqual(Array(20).fill(200));
    expect(new Set(answers.map(({ body }) => body.access_token))).toEqual(new Set([lastUpstream()]));
    expect(refreshesUpstream() - before).toBe(1);
  });

  it('of one that is about to expire ask upstream once, and nobody waits for it', async () => {
    const { access } = await tokens();
    const first = await exchange(access);
    later(560);
    const release = holdUpstream();
    const before = refreshesUpstream();
    const all = Array.from({ length: 20 }, () => exchange(access));
    const soon: (TokenResponse | undefined)[] = [];
    for (const each of all) void each.then((answer) => soon.push(answer));
    await vi.waitUntil(() => soon.length === 19, SOON);
    expect(soon.map((answer) => answer?.body.access_token)).toEqual(Array(19).fill(first.body.access_token));
    release();
    const answers = await Promise.all(all);
    expect(answers.filter(({ body }) => body.access_token === lastUpstream())).toHaveLength(1);
    expect(refreshesUpstream() - before).toBe(1);
  });

  it('beside refreshes of the client, which look whether the person is still there, ask upstream once', async () => {
    const { refresh } = await tokens();
    later(86_401);
    const before = refreshesUpstream();
    // The access token is a day old: what is exchanged is its successor's, while the first refresh still asks upstream.
    const first = await Promise.all(Array.from({ length: 10 }, () => harness.refresh(client, refresh)));
    const answers = await Promise.all(first.map(({ body }) => exchange(body.access_token!)));
    expect(answers.map(({ status }) => status)).toEqual(Array(10).fill(200));
    expect(refreshesUpstream() - before).toBe(1);
  });
});

describe('the line of upstream’s refresh tokens', () => {
  it('never forks: each is used once, in the order in which they were given', async () => {
    let { access, refresh } = await tokens();
    const used = harness.upstream.tokenRequests.length;
    for (let round = 0; round < 4; round++) {
      later(round % 2 === 0 ? 650 : 86_401);
      const answers = await Promise.all([
        ...Array.from({ length: 5 }, () => harness.refresh(client, refresh)),
        ...(round % 2 === 0 ? Array.from({ length: 5 }, () => exchange(access)) : []),
      ]);
      expect(answers.map(({ status }) => status)).toEqual(answers.map(() => 200));
      ({ access_token: access, refresh_token: refresh } = answers[0]!.body as Record<string, string> & {
        access_token: string;
        refresh_token: string;
      });
      expect((await exchange(access)).status).toBe(200);
    }
    const presented = harness.upstream.tokenRequests.slice(used).map(({ form }) => form.get('refresh_token'));
    expect(presented.length).toBeGreaterThanOrEqual(4);
    expect(presented).toEqual(presented.map((_, i) => `upstream-refresh-${used + i}`));
  });

  it('is not broken by who has read the record before another renewed it, and claims it afterwards', async () => {
    const { access } = await tokens();
    later(700);
    const { consume } = DynamoStore.prototype;
    let first: TokenResponse | undefined;
    vi.spyOn(DynamoStore.prototype, 'consume').mockImplementationOnce(async function (this: DynamoStore, ...args) {
      first = await exchange(access);
      return consume.apply(this, args);
    });
    const before = refreshesUpstream();
    const second = await exchange(access);
    expect([first?.status, second.status]).toEqual([200, 200]);
    expect(second.body.access_token).toBe(first?.body.access_token);
    expect(refreshesUpstream() - before).toBe(1);
  });

  it('goes on where somebody has claimed it and stopped: after half a minute, until then it is 503', async () => {
    const { access, grantId } = await tokens();
    later(700);
    await harness.store.consume(upstreamTokenKey(grantId));
    expect((await exchange(access)).status).toBe(503);
    later(31);
    expect((await exchange(access)).body.access_token).toBe(lastUpstream());
  });

  it('is not ended by the refusal of somebody who stood still, and whose token another has used since', async () => {
    const { access, refresh } = await tokens();
    later(700);
    const release = holdUpstream();
    const slow = exchange(access);
    await vi.waitUntil(() => harness.upstream.tokenRequests.at(-1)?.form.has('refresh_token'), SOON);
    delete harness.upstream.held;
    later(31);
    const quick = await exchange(access);
    expect(quick.body.access_token).toBe(lastUpstream());
    release();
    expect((await slow).body.access_token).toBe(quick.body.access_token);
    expect((await harness.refresh(client, refresh)).status).toBe(200);
  });

  it('is not broken by an answer that comes after somebody else has taken over', async () => {
    const { access, grantId } = await tokens();
    later(700);
    const release = holdUpstream();
    const slow = exchange(access);
    await vi.waitUntil(() => harness.upstream.tokenRequests.at(-1)?.form.has('refresh_token'), SOON);
    // An instance that stood still: its claim is over, and another one has put a newer line in place.
    const [record] = await harness.store.read([upstreamTokenKey(grantId)]);
    await harness.store.set(record!.key, { ...(record!.value as object), checkedAt: 1 }, record!.expiresAt! * 1000);
    const [taken] = await harness.store.read([record!.key]);
    await harness.store.consume(record!.key, { now: record!.consumedAt! + 5 });
    release();
    const done = Promise.race([slow, new Promise((resolve) => setTimeout(resolve, 500, 'waits'))]);
    expect(await done).toBe('waits');
    const [after] = await harness.store.read([record!.key]);
    expect(after!.value).toEqual(taken!.value);
    await harness.store.delete(grantKey(grantId));
    expect((await slow).body.error).toBe('invalid_grant');
  });
});

describe('an exchange is refused', () => {
  const refused = (error: string) => ({ status: error === 'invalid_client' ? 401 : 400, body: { error } });

  it('to an MCP client, whatever it presents and however it registers', async () => {
    const { access } = await tokens();
    const form = { grant_type: TOKEN_EXCHANGE, subject_token: access, subject_token_type: ACCESS_TOKEN };
    expect(await harness.token({ ...form, client_id: client.client_id })).toMatchObject(refused('invalid_request'));
    const eager = await harness.register({
      grant_types: ['authorization_code', 'refresh_token', TOKEN_EXCHANGE],
      token_endpoint_auth_method: 'client_secret_post',
      resource_server_of: [RESOURCE],
    });
    expect(eager.grant_types).not.toContain(TOKEN_EXCHANGE);
    const credentials = { client_id: eager.client_id, client_secret: eager.client_secret };
    expect(await harness.token({ ...form, ...credentials })).toMatchObject(refused('invalid_request'));
  });

  it('without the right secret', async () => {
    const { access } = await tokens();
    const wrong = await exchange(access, {}, { ...SERVER, secret: 'wrong' });
    expect(wrong).toMatchObject(refused('invalid_client'));
    const form = { grant_type: TOKEN_EXCHANGE, subject_token: access, subject_token_type: ACCESS_TOKEN };
    expect(await harness.token({ ...form, client_id: SERVER.id })).toMatchObject(refused('invalid_client'));
  });

  it('of a token for another resource server', async () => {
    const { access } = await tokens();
    expect(await exchange(access, {}, OTHER_SERVER)).toMatchObject(refused('invalid_request'));
  });

  it('of a token for a resource that has no upstream tokens, and of one from before it had them', async () => {
    const { access } = await tokens(PLAIN);
    // Elsewhere MCP servers find the person's claims by it.
    if (ON_LAMBDA) expect(decodeJwt(access)).not.toHaveProperty('grant_ref');
    expect(await exchange(access)).toMatchObject(refused('invalid_target'));

    await using later = await Harness.start({ instances: 2 });
    const app = await later.register();
    const { body } = await later.redeem(app, await later.signIn(app));
    await later.store.set(`resources/${RESOURCE}`, { ...NOTES, upstreamTokens: true });
    await registerServer(later);
    vi.useFakeTimers({ toFake: ['Date'], now: Date.now() + 61_000 });
    const { body: refreshed } = await later.refresh(app, body.refresh_token);
    for (const subject of [body.access_token, refreshed.access_token]) {
      expect(await exchangeAt(later, subject)).toMatchObject(refused('invalid_grant'));
    }
  });

  it.each<[string, Record<string, string | undefined>, string]>([
    ['no subject token', { subject_token: undefined }, 'invalid_request'],
    ['something else than a token', { subject_token: 'x' }, 'invalid_request'],
    ['no type', { subject_token_type: undefined }, 'invalid_request'],
    ['another type', { subject_token_type: 'urn:ietf:params:oauth:token-type:id_token' }, 'invalid_request'],
    [
      'the wish for another type',
      { requested_token_type: 'urn:ietf:params:oauth:token-type:refresh_token' },
      'invalid_request',
    ],
    ['an actor', { actor_token: 'x', actor_token_type: ACCESS_TOKEN }, 'invalid_request'],
    ['another target by resource', { resource: OTHER }, 'invalid_target'],
    ['another target by audience', { audience: 'https://elsewhere.example.com' }, 'invalid_target'],
  ])('with %s', async (_, params, error) => {
    const { access } = await tokens();
    expect(await exchange(access, params)).toMatchObject(refused(error));
  });

  it('of a token that has expired, was changed, or is another thing', async () => {
    const { access, refresh } = await tokens();
    const [header, payload, signature] = access.split('.') as [string, string, string];
    const claims = Buffer.from(JSON.stringify({ ...decodeJwt(access), sub: 'mallory' })).toString('base64url');
    const unsigned = `${Buffer.from('{"alg":"none","typ":"at+jwt"}').toString('base64url')}.${payload}.`;
    const { body } = await harness.redeem(client, await harness.signIn(client, { scope: 'openid notes:use' }));
    for (const subject of [`${header}.${claims}.${signature}`, unsigned, body.id_token!, refresh]) {
      expect(await exchange(subject)).toMatchObject(refused('invalid_request'));
    }
    later(3601);
    expect(await exchange(access)).toMatchObject(refused('invalid_request'));
  });

  it.each<[string, object, object]>([
    ['of another issuer', { iss: 'https://elsewhere.example.com' }, {}],
    ['for another resource server beside this one', { aud: [RESOURCE, OTHER] }, {}],
    ['that is no access token', {}, { typ: 'JWT' }],
    ['without an end', { exp: undefined }, {}],
  ])('of a token %s, whoever signed it', async (_, claims, header) => {
    const { access } = await tokens();
    const { jwk } = harness.keySet.current;
    const signed = async (changes: object, headerChanges: object) =>
      new SignJWT(JSON.parse(JSON.stringify({ ...decodeJwt(access), ...changes })))
        .setProtectedHeader({ alg: 'RS256', typ: 'at+jwt', kid: jwk.kid, ...headerChanges })
        .sign(await importJWK({ ...jwk }, 'RS256'));
    expect((await exchange(await signed({}, {}))).status).toBe(200);
    expect(await exchange(await signed(claims, header))).toMatchObject(refused('invalid_request'));
  });

  it('once the grant has been revoked, at once', async () => {
    const { access, refresh, grantId } = await tokens();
    await harness.post('/revoke', { token: refresh, client_id: client.client_id });
    expect(await exchange(access)).toMatchObject(refused('invalid_grant'));
    // Nobody keeps what nobody may use.
    expect(await harness.store.read([grantKey(grantId), upstreamTokenKey(grantId)])).toEqual([undefined, undefined]);
  });

  it('with the reference to a grant of somebody else', async () => {
    const mine = await tokens();
    harness.upstream.claims = { sub: 'grace', team: 'notes' };
    const other = await tokens();
    expect((decodeJwt(mine.access) as Record<string, unknown>).grant_ref).toBe(hash(mine.grantId));
    // As if this server had signed the one's token with the other's reference.
    const [record] = await harness.store.read([grantKey(other.grantId)]);
    await harness.store.set(grantKey(mine.grantId), record!.value, record!.expiresAt! * 1000);
    expect(await exchange(mine.access)).toMatchObject(refused('invalid_grant'));
  });
});

describe('a resource server’s credential', () => {
  it('gets nothing else: no code, no refresh, no token of its own', async () => {
    const { refresh } = await tokens();
    const page = await harness.browser().open(harness.authorizationRequest({ client_id: SERVER.id }).url);
    expect(page.status).toBe(400);
    for (const form of [
      { grant_type: 'refresh_token', refresh_token: refresh },
      { grant_type: 'authorization_code', code: 'a.b', redirect_uri: 'https://x.example.com' },
      { grant_type: 'client_credentials', scope: 'notes:use' },
    ]) {
      expect((await exchangeAt(harness, undefined, { subject_token_type: undefined, ...form })).status).toBe(400);
    }
    expect((await harness.refresh(client, refresh)).status).toBe(200);
  });

  it('lies in the table as a hash', async () => {
    expect(JSON.stringify(await harness.items())).not.toContain(SERVER.secret);
  });
});

describe('a person whom upstream has ended', () => {
  it.each([
    ['by invalid_grant', () => (harness.upstream.tokenError = { status: 400, error: 'invalid_grant' })],
    ['by a claim that `allow` asks for', () => (harness.upstream.claims = { sub: 'ada', team: 'other' })],
  ])('%s is out at the next exchange, and their grant is gone', async (_, end) => {
    const { access, refresh, grantId } = await tokens();
    later(700);
    end();
    const answers = await Promise.all(Array.from({ length: 5 }, () => exchange(access)));
    expect(answers.map(({ body }) => body.error)).toEqual(Array(5).fill('invalid_grant'));
    expect(await harness.store.read([grantKey(grantId), upstreamTokenKey(grantId)])).toEqual([undefined, undefined]);
    delete harness.upstream.tokenError;
    expect((await harness.refresh(client, refresh)).body.error).toBe('invalid_grant');
    expect(logged.join('\n')).toContain('"event":"grant.ended_by_upstream"');
  });

  it('whose access cannot be renewed for lack of a refresh token has to sign in again when it ends', async () => {
    harness.upstream.refreshTokens = false;
    const { access, refresh } = await tokens();
    expect(logged.join('\n')).toContain('"event":"upstream_token.not_renewable"');
    expect((await exchange(access)).status).toBe(200);
    later(601);
    expect((await exchange(access)).body.error).toBe('invalid_grant');
    expect((await harness.refresh(client, refresh)).body.error).toBe('invalid_grant');
  });
});

describe('while upstream is down', () => {
  const outages: [string, () => void][] = [
    ['answers 500', () => (harness.upstream.failure = 500)],
    ['is busy', () => (harness.upstream.tokenError = { status: 429, error: 'slow_down' })],
    ['refuses this server', () => (harness.upstream.tokenError = { status: 401, error: 'invalid_client' })],
  ];

  it.each(outages)('because it %s, an exchange is 503, and nothing is lost', async (_, down) => {
    const { access, refresh } = await tokens();
    later(700);
    down();
    const { status, body, headers } = await exchange(access);
    expect([status, body, headers.get('retry-after')]).toEqual([503, { error: 'temporarily_unavailable' }, '5']);
    expect(logged.join('\n')).toContain('"event":"upstream_token.renewal_failed"');
    delete harness.upstream.failure;
    delete harness.upstream.tokenError;
    expect((await exchange(access)).body.access_token).toBe(lastUpstream());
    expect((await harness.refresh(client, refresh)).status).toBe(200);
  });

  it('what is still good is given', async () => {
    const { access } = await tokens();
    const first = await exchange(access);
    later(560);
    harness.upstream.failure = 500;
    expect((await exchange(access)).body.access_token).toBe(first.body.access_token);
  });
});

describe('upstream’s tokens', () => {
  it('lie sealed, only where the resource asks for them, and neither opens in the place of the other', async () => {
    const { access, grantId } = await tokens();
    const plain = await tokens(PLAIN);
    const table = JSON.stringify(await harness.items());
    expect(table).not.toContain('upstream-access-');
    expect(table).not.toContain('upstream-refresh-');
    const [wanted, not] = await harness.store.read([upstreamTokenKey(grantId), upstreamTokenKey(plain.grantId)]);
    expect(wanted!.value).toHaveProperty('access');
    expect(not!.value).not.toHaveProperty('access');

    const value = wanted!.value as { sealed: string; access: object };
    const swapped = { ...value, access: { ...value.access, sealed: value.sealed } };
    await harness.store.set(wanted!.key, swapped, wanted!.expiresAt! * 1000);
    expect((await exchange(access)).status).toBe(500);
  });

  it('never reach the client, another audience, or the log', async () => {
    const answers: unknown[] = [];
    const signIn = await harness.signIn(client);
    const redeemed = await harness.redeem(client, signIn);
    answers.push(signIn.answer.href, redeemed.body, decodeJwt(redeemed.body.access_token!));
    later(700);
    const refreshed = await harness.refresh(client, redeemed.body.refresh_token);
    answers.push(refreshed.body, decodeJwt(refreshed.body.access_token!));
    const { body } = await exchange(refreshed.body.access_token!);
    answers.push((await exchange(refreshed.body.access_token!, {}, OTHER_SERVER)).body);
    harness.upstream.failure = 500;
    later(700);
    answers.push((await exchange(refreshed.body.access_token!)).body);
    expect(body.access_token).toMatch(/^upstream-access-/);
    const everything = JSON.stringify(answers) + logged.join('\n');
    expect(logged.join('\n')).toContain(`"grantType":"${TOKEN_EXCHANGE}","clientId":"${SERVER.id}"`);
    for (const secret of ['upstream-access-', 'upstream-refresh-', SERVER.secret, redeemed.body.access_token!]) {
      expect(logged.join('\n').includes(secret), `${secret} in the log`).toBe(false);
      if (secret.startsWith('upstream-')) expect(everything).not.toContain(secret);
    }
  });
});

describe.runIf(ON_LAMBDA)('an MCP server in the same process', () => {
  it('gets what an exchange gives, under the same rules', async () => {
    const { access, refresh } = await tokens();
    const server = harness.instance;
    const claims = decodeJwt(access) as { sub: string; client_id: string; aud: string };
    expect(await server.upstreamToken(claims)).toEqual({
      accessToken: lastUpstream(),
      tokenType: 'Bearer',
      expiresIn: expect.any(Number),
      scope: 'openid calendar',
    });
    await expect(server.upstreamToken({ ...claims, aud: PLAIN })).rejects.toMatchObject({ error: 'invalid_target' });
    await harness.post('/revoke', { token: refresh, client_id: client.client_id });
    await expect(server.upstreamToken(claims)).rejects.toMatchObject({ error: 'invalid_grant' });
  });
});
