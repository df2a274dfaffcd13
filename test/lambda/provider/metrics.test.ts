import { SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { lambdaLog } from '../../../lambda/lambda-log';
import { logTo } from '../../../lambda/provider/log';
import { DynamoStore } from '../../../lambda/store/dynamo-store';
import type { SERVER_METRICS } from '../../../lib/counted-events';
import { countsOf, metricsOf } from '../../support/embedded-metrics';
import { catchLog } from '../../support/log-lines';
import { SOON } from '../../support/soon';
import { atCallback, atClient, atHalfPast, Harness, ISSUER, later, NOTES } from './harness';
import { exchange, registerServer } from './resource-server';

let harness: Harness;
let client: Record<string, string>;
let log: ReturnType<typeof catchLog>;
beforeEach(async () => {
  atHalfPast();
  harness = await Harness.start({ instances: 1, registration: { perAddress: 1 } });
  logTo(() => {});
  client = await harness.register();
  logTo(lambdaLog(ISSUER));
  log = catchLog();
});
afterEach(async () => {
  vi.restoreAllMocks();
  vi.useRealTimers();
  await harness[Symbol.asyncDispose]();
});

type Counts = Partial<Record<keyof typeof SERVER_METRICS, number>>;

const counts = () => countsOf(metricsOf(log.lines()));
const events = () => log.lines().map(({ event }) => event);

/** What adds to each metric, and all that is counted meanwhile. */
const CAUSES: Record<keyof typeof SERVER_METRICS, readonly [act: () => Promise<unknown>, counted: Counts]> = {
  ClientsRegistered: [() => harness.register(), { ClientsRegistered: 1 }],
  RegistrationsLimited: [() => harness.register({ client_name: 'Another' }), { RegistrationsLimited: 1 }],
  SignInsStarted: [() => harness.browser().open(harness.authorizationRequest(client).url), { SignInsStarted: 1 }],
  SignInsCompleted: [() => harness.signIn(client), { SignInsStarted: 1, SignInsCompleted: 1 }],
  TokensIssued: [signInToTokens, { SignInsStarted: 1, SignInsCompleted: 1, TokensIssued: 1 }],
  Refreshes: [
    async () => harness.refresh(client, (await signInToTokens()).refresh_token),
    { SignInsStarted: 1, SignInsCompleted: 1, TokensIssued: 2, Refreshes: 1 },
  ],
  CodesReused: [
    async () => {
      const signIn = await harness.signIn(client);
      await harness.redeem(client, signIn);
      later(30);
      await harness.redeem(client, signIn);
    },
    { SignInsStarted: 1, SignInsCompleted: 1, TokensIssued: 1, CodesReused: 1 },
  ],
  RefreshTokensReused: [
    async () => {
      const first = (await signInToTokens()).refresh_token;
      const second = (await harness.refresh(client, first)).body.refresh_token;
      await harness.refresh(client, second);
      later(120);
      await harness.refresh(client, first);
    },
    { SignInsStarted: 1, SignInsCompleted: 1, TokensIssued: 3, Refreshes: 2, RefreshTokensReused: 1 },
  ],
  UpstreamFailures: [
    async () => {
      const browser = harness.browser();
      const consent = await browser.open(harness.authorizationRequest(client).url);
      harness.upstream.tokenError = { status: 401, error: 'invalid_client' };
      await browser.submit(consent, 'allow', {}, atClient);
    },
    { SignInsStarted: 1, UpstreamFailures: 1 },
  ],
  SecretFailures: [
    async () => {
      vi.spyOn(SecretsManagerClient.prototype, 'send').mockImplementation(() => Promise.reject(new Error('no answer')));
      later(90);
      await harness.fetch('/jwks');
      await vi.waitFor(() => expect(events()).toContain('secret.unavailable'), SOON);
    },
    { SecretFailures: 1 },
  ],
  RequestsUnavailable: [
    () => tokenRequestWithout(Object.assign(new Error('throttled'), { $fault: 'server' })),
    { RequestsUnavailable: 1 },
  ],
  RequestsFailed: [() => tokenRequestWithout(new Error('a bug')), { RequestsFailed: 1 }],
};

async function signInToTokens(): Promise<Record<string, string>> {
  return (await harness.redeem(client, await harness.signIn(client))).body;
}

function tokenRequestWithout(failure: Error) {
  vi.spyOn(DynamoStore.prototype, 'read').mockRejectedValue(failure);
  return harness.refresh(client, 'grant.token');
}

describe('the metric', () => {
  it.each(Object.entries(CAUSES))('%s counts what it is named after, once', async (_, [act, counted]) => {
    await act();
    expect(counts()).toEqual(counted);
  });

  it('is kept for the issuer, and rides on the line of its event', async () => {
    await harness.refresh(client, (await signInToTokens()).refresh_token);
    const line = log.lines().at(-1);
    expect(line).toEqual({
      level: 'INFO',
      timestamp: expect.any(String),
      event: 'token.issued',
      requestId: 'none',
      grantType: 'refresh_token',
      clientId: client.client_id,
      sub: expect.stringMatching(/^[\w-]{43}$/),
      Issuer: ISSUER,
      TokensIssued: 1,
      Refreshes: 1,
      _aws: {
        Timestamp: expect.any(Number),
        CloudWatchMetrics: [
          {
            Namespace: 'McpOidcAuth',
            Dimensions: [['Issuer']],
            Metrics: [
              { Name: 'TokensIssued', Unit: 'Count' },
              { Name: 'Refreshes', Unit: 'Count' },
            ],
          },
        ],
      },
    });
  });

  it.each([
    [
      'that cannot be reached',
      () => Object.assign(harness.upstream, { failures: () => 503 }),
      'upstream.unavailable',
      1,
    ],
    [
      'that says it is out of order',
      () => Object.assign(harness.upstream, { error: 'temporarily_unavailable' }),
      'upstream.refused',
      1,
    ],
    [
      'that refuses the person is none',
      () => Object.assign(harness.upstream, { error: 'access_denied' }),
      'upstream.refused',
      undefined,
    ],
  ])('UpstreamFailures: an identity provider %s', async (_, happen, event, counted) => {
    const browser = harness.browser();
    const consent = await browser.open(harness.authorizationRequest(client).url);
    happen();
    await browser.submit(consent, 'allow', {}, atClient);
    expect(events()).toContain(event);
    expect(counts().UpstreamFailures).toBe(counted);
  });
});

describe('UpstreamFailures', () => {
  it('counts an access token of upstream that could not be renewed', async () => {
    await using withTokens = await Harness.start({ instances: 1, resources: [{ ...NOTES, upstreamTokens: true }] });
    Object.assign(withTokens.upstream, { refreshTokens: true, accessTokenLifetime: 600 });
    await registerServer(withTokens);
    const app = await withTokens.register();
    const { body } = await withTokens.redeem(app, await withTokens.signIn(app));
    later(700);
    withTokens.upstream.failure = 500;
    expect((await exchange(withTokens, body.access_token)).status).toBe(503);
    expect(events()).toContain('upstream_token.renewal_failed');
    expect(counts()).toMatchObject({ UpstreamFailures: 1, RequestsUnavailable: 1 });
  });
});

describe('the log', () => {
  it('does not tell of a code that could not be stored', async () => {
    const browser = harness.browser();
    const consent = await browser.open(harness.authorizationRequest(client).url);
    const { url } = await browser.submit(consent, 'allow', {}, atCallback);
    vi.spyOn(DynamoStore.prototype, 'set').mockRejectedValue(Object.assign(new Error('down'), { $fault: 'server' }));
    const answer = await harness.fetch(url, { headers: { cookie: browser.cookieHeader(url) } });
    expect(answer.status).toBe(503);
    expect(events()).not.toContain('code.issued');
    expect(counts().SignInsCompleted).toBeUndefined();
  });

  it('tells of each decision of a sign-in once', async () => {
    await harness.register();
    await harness.refresh(client, (await signInToTokens()).refresh_token);
    expect(events()).toEqual([
      'client.registered',
      'sign_in.started',
      'consent.given',
      'person.signed_in',
      'code.issued',
      'token.issued',
      'token.issued',
    ]);
  });

  it.each(['CodesReused', 'RefreshTokensReused'] as const)('names whose grant has ended: %s', async (metric) => {
    await CAUSES[metric][0]();
    const sub = log.lines().find(({ event }) => event === 'person.signed_in')?.sub;
    expect(sub).toMatch(/^[\w-]{43}$/);
    const reuse = log.lines().find(({ event }) => /^(code|refresh)\.reused$/.test(event));
    expect(reuse).toMatchObject({ clientId: client.client_id, sub });
    expect(events().at(events().indexOf(reuse?.event ?? '') + 1)).toBe('grant.revoked');
  });

  it('tells of tokens only where somebody gets them', async () => {
    const signIn = await harness.signIn(client);
    const answers = await Promise.all(Array.from({ length: 5 }, () => harness.redeem(client, signIn)));
    expect(answers.filter(({ status }) => status === 200)).toHaveLength(1);
    expect(events().filter((event) => event === 'token.issued')).toHaveLength(1);
    vi.spyOn(DynamoStore.prototype, 'consume').mockRejectedValue(Object.assign(new Error(), { $fault: 'server' }));
    const token = answers.find(({ status }) => status === 200)?.body.refresh_token;
    expect((await harness.refresh(client, token)).status).toBe(503);
    expect(events().filter((event) => event === 'token.issued')).toHaveLength(1);
  });
});
