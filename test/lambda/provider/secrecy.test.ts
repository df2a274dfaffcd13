import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { grantIdOf } from '../../../lambda/provider/keys';
import { DynamoStore } from '../../../lambda/store/dynamo-store';
import { ON_LAMBDA } from '../../hosts/attacked-hosts';
import { Browser } from '../../support/browser';
import { atCallback, atClient, atHalfPast, Harness, later } from './harness';

let harness: Harness;
let logged: string[];
beforeEach(async () => {
  harness = await Harness.start();
  logged = [];
  for (const method of ['log', 'info', 'warn', 'error', 'debug'] as const) {
    vi.spyOn(console, method).mockImplementation((...args) => logged.push(args.map(String).join(' ')));
  }
});
afterEach(async () => {
  vi.restoreAllMocks();
  vi.useRealTimers();
  await harness[Symbol.asyncDispose]();
});

interface Secrets {
  [name: string]: string | undefined;
}

/** A sign-in to tokens and a refresh, and all that must stay between the parties; `seen` is called after each response. */
async function signIn(seen: () => Promise<void>): Promise<Secrets> {
  const client = await harness.register({ token_endpoint_auth_method: 'client_secret_post' });
  const secrets: Secrets = { clientSecret: client.client_secret, upstreamSecret: harness.upstreamSecret };
  const browser = new Browser(async (url, init) => {
    const response = await harness.fetch(url, init);
    await seen();
    return response;
  });
  const { url, codeVerifier } = harness.authorizationRequest(client, { scope: 'openid notes:use' });
  const consent = await browser.open(url);
  const uid = consent.url.pathname.split('/').at(-1);
  const cookies = browser.cookieHeader(consent.url).split('; ');
  secrets.binding = cookies.find((cookie) => cookie.startsWith('__Host-mcp-'))?.split('=')[1];
  secrets.formToken = /name="token" value="([^"]+)"/.exec(consent.text)?.[1];
  const { url: answer } = await browser.submit(consent, 'allow', {}, atClient);
  const code = answer.searchParams.get('code') ?? '';
  const { body } = await harness.redeem(client, { code, codeVerifier }, { client_secret: client.client_secret });
  await seen();
  const refreshed = await harness.refresh(client, body.refresh_token, { client_secret: client.client_secret! });
  await seen();
  const upstreamRequest = harness.upstream.requests.at(-1);
  const upstreamRedemption = harness.upstream.tokenRequests.at(-1)?.form;
  return Object.assign(secrets, {
    uid,
    clientId: client.client_id,
    code,
    codeVerifier,
    accessToken: body.access_token,
    idToken: body.id_token,
    refreshToken: body.refresh_token,
    successor: refreshed.body.refresh_token,
    upstreamState: upstreamRequest?.get('state'),
    upstreamNonce: upstreamRequest?.get('nonce'),
    upstreamCode: upstreamRedemption?.get('code'),
    upstreamVerifier: upstreamRedemption?.get('code_verifier'),
    privateKey: harness.keySet.current.jwk.d,
    successorKey: harness.keySet.successorKeys[0]?.key,
  });
}

function expectNone(secrets: Secrets, where: string): void {
  for (const [name, secret] of Object.entries(secrets)) {
    expect(secret, `${name} is known`).toMatch(/.{6}/);
    expect(where.includes(secret!), `${name} is in the clear`).toBe(false);
  }
}

describe('the table', () => {
  it('never holds a value that a bearer could present', async () => {
    const dumps: string[] = [];
    const {
      uid: _,
      clientId: __,
      ...bearerValues
    } = await signIn(async () => {
      dumps.push(JSON.stringify(await harness.items()));
    });
    for (const record of ['client#', 'interaction#', '/upstream#', '/grant', '/code#', '/refresh#', 'person#']) {
      expect(dumps.join(), `a record of ${record} was seen`).toContain(record);
    }
    expectNone(bearerValues, dumps.join());
  });

  it('has keys that hold handles only as hashes', async () => {
    const keys: string[] = [];
    const { uid, code, clientId } = await signIn(async () => {
      keys.push(...(await harness.items()).map(({ pk, sk }) => `${pk?.S} ${sk?.S}`));
    });
    expectNone({ uid, clientId, grantId: grantIdOf(code ?? '') }, keys.join());
  });

  it('has a schema version and an end on every record that a client or a person causes', async () => {
    await signIn(async () => {
      for (const { pk, v, expiresAt, deadline } of await harness.items()) {
        expect(v).toEqual({ N: '1' });
        expect(deadline).toBeUndefined();
        if (pk?.S === 'resources') continue;
        expect(Number(expiresAt?.N)).toBeGreaterThan(Date.now() / 1000);
        expect(Number(expiresAt?.N)).toBeLessThanOrEqual(Date.now() / 1000 + 400 * 86_400);
      }
    });
  });
});

describe('a record', () => {
  it.each([
    ['/interaction', 'interaction'],
    ['/code#', 'authorizationCode'],
    ['/refresh#', 'refreshTokenIdle'],
    ['grant#', 'grant'],
    ['person#', 'grant'],
  ] as const)('of %s lives as long as the lifetime %s says', async (kind, lifetime) => {
    const ends = new Set<number>();
    await signIn(async () => {
      for (const { pk, sk, expiresAt } of await harness.items()) {
        const key = sk?.S === 'value' ? pk?.S : sk?.S === '/grant' || pk?.S?.startsWith('person#') ? pk?.S : sk?.S;
        if (key?.startsWith(kind)) ends.add(Number(expiresAt?.N));
      }
    });
    expect(ends.size).toBeGreaterThan(0);
    const wanted = Date.now() / 1000 + harness.config.lifetimes[lifetime];
    for (const end of ends) {
      expect(end).toBeLessThanOrEqual(wanted);
      expect(end).toBeGreaterThan(wanted - 20);
    }
  });
});

describe('the log', () => {
  it('tells of a sign-in without any of its secrets and handles', async () => {
    const { clientId: _, ...secrets } = await signIn(async () => {});
    for (const event of ['client.registered', 'consent.given', 'person.signed_in', 'code.issued', 'token.issued']) {
      expect(logged.join('\n')).toContain(`"event":"${event}"`);
    }
    expectNone(secrets, logged.join('\n'));
  });

  it('tells of refusals without what was presented', async () => {
    const client = await harness.register();
    const presented = await harness.signIn(client);
    await harness.redeem(client, { ...presented, codeVerifier: 'w'.repeat(43) });
    const { body } = await harness.redeem(client, presented);
    const { body: successor } = await harness.refresh(client, body.refresh_token);
    await harness.refresh(client, successor.refresh_token);
    await harness.redeem(await harness.register(), presented);
    await harness.refresh({ client_id: 'unknown' }, successor.refresh_token);
    later(3600);
    await harness.refresh(client, body.refresh_token);
    await harness.redeem(client, presented);

    const browser = harness.browser();
    const page = await browser.open(harness.authorizationRequest(client).url);
    const { url: answer } = await browser.submit(page, 'allow', {}, atCallback);
    harness.upstream.nonce = 'another-nonce';
    const cookie = browser.cookieHeader(answer);
    await harness.fetch(answer, { headers: { cookie } });
    await harness.fetch(answer, { headers: { cookie } });

    for (const event of ['token.refused', 'refresh.reused', 'grant.revoked', 'upstream.refused']) {
      expect(logged.join('\n')).toContain(`"event":"${event}"`);
    }
    const secrets = {
      code: presented.code,
      wrongVerifier: 'w'.repeat(43),
      codeVerifier: presented.codeVerifier,
      refreshToken: body.refresh_token,
      successor: successor.refresh_token,
      state: answer.searchParams.get('state') ?? undefined,
      upstreamCode: answer.searchParams.get('code') ?? undefined,
      nonce: 'another-nonce',
      cookie,
    };
    expectNone(secrets, logged.join('\n'));
  });

  it('tells of an outage without the handle in the address', async () => {
    const failing = Object.assign(new Error('throttled'), { $fault: 'server' });
    vi.spyOn(DynamoStore.prototype, 'read').mockRejectedValue(failing);
    const uid = 'interaction-handle';
    const cookie = `__Host-mcp-${uid}=x; __Secure-mcp-resume=${uid}`;
    for (const path of ['interaction', 'authorize']) {
      expect((await harness.fetch(`/${path}/${uid}`, { headers: { cookie } })).status).toBe(503);
      expect(logged.join('\n')).toContain(`"path":"/${path}/{uid}"`);
    }
    expect(logged.join('\n')).not.toContain(uid);
  });
});

describe('of a person the log', () => {
  const PERSON = {
    sub: 'upstream-subject-of-ada',
    email: 'ada.lovelace@example.com',
    name: 'Ada King Lovelace',
    team: 'notes',
  };
  const ADDRESS = '198.51.100.77';
  const UA = 'Lovelace Analytical Browser';

  function expectNobody(): void {
    // Where no API Gateway writes an access log, these lines are it.
    const isAccessLog = (line: string) => !ON_LAMBDA && line.includes('"event":"request.answered"');
    const log = logged.map((line) => (isAccessLog(line) ? line.replace(ADDRESS, '') : line)).join('\n');
    for (const known of [...Object.values(PERSON), 'ada.lovelace', 'Lovelace', ADDRESS, UA]) {
      expect(log.includes(known), `${known} is in the log`).toBe(false);
    }
  }

  beforeEach(() => {
    harness.upstream.claims = PERSON;
    const { request } = harness;
    harness.request = (given) =>
      request.call(harness, { ...given, sourceIp: ADDRESS, headers: { ...given.headers, 'user-agent': UA } });
  });

  it('has the hash of the subject alone', async () => {
    await signIn(async () => {});
    expect(logged.join('\n')).toMatch(/"event":"person.signed_in".*"sub":"[\w-]{43}"/);
    expectNobody();
  });

  it.runIf(ON_LAMBDA)('has nothing else where the person is kept out', async () => {
    harness.redeploy({ upstream: { ...harness.config.upstream, allow: [{ claim: 'team', values: ['others'] }] } });
    const browser = harness.browser();
    const page = await browser.open(harness.authorizationRequest(await harness.register()).url);
    await browser.submit(page, 'allow');
    expect(logged.join('\n')).toContain('"event":"person.not_allowed"');
    expectNobody();
  });

  it('has nothing of what the identity provider says of the account', async () => {
    const client = await harness.register();
    const browser = harness.browser();
    const page = await browser.open(harness.authorizationRequest(client).url);
    const { url } = await browser.submit(page, 'allow', {}, atCallback);
    url.searchParams.delete('code');
    url.searchParams.set('error', 'access_denied');
    url.searchParams.set('error_description', `AADSTS50020: User account '${PERSON.email}' does not exist in tenant.`);
    await browser.open(url, atClient);
    expect(logged.join('\n')).toContain("User account '{address}' does not exist in tenant.");
    expectNobody();
  });

  it.runIf(ON_LAMBDA)('does not have the address that too many clients come from', async () => {
    atHalfPast();
    harness.redeploy({ registration: { perAddress: 1, inAll: 10, sharedEgress: [] } });
    await harness.register();
    await harness.register({ client_name: 'Another' });
    expect(logged.join('\n')).toMatch(/"event":"registration.limited".*"limit":"perAddress"/);
    expectNobody();
  });
});
