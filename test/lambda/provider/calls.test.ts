import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { DynamoStore } from '../../../lambda/store/dynamo-store';
import { startMetadataHost, trust } from '../../support/metadata-host';
import { atClient, Harness, later, NOTES, REDIRECT_URI } from './harness';
import { exchange, registerServer } from './resource-server';

let harness: Harness;
let client: Record<string, string>;
beforeEach(async () => {
  harness = await Harness.start({ instances: 1 });
  client = await harness.register();
  // As on an instance that has been answering for a while: secrets and resources are cached.
  await harness.redeem(client, await harness.signIn(client));
});
afterEach(async () => {
  vi.restoreAllMocks();
  vi.useRealTimers();
  await harness[Symbol.asyncDispose]();
});

const READ = 'dynamodb:BatchGetItem';
const PUT = 'dynamodb:PutItem';
const UPDATE = 'dynamodb:UpdateItem';
const LIST = 'dynamodb:Query';

/** The calls to AWS that `act` makes; those that run side by side in no order. */
async function callsOf<T>(act: () => Promise<T>): Promise<{ calls: string[]; result: T }> {
  const before = harness.calls.length;
  const result = await act();
  return { calls: harness.calls.slice(before), result };
}

/** Holds each of the two writes until the other has begun: one after the other they would never end. */
function holdUntilBothWrite(): void {
  const { consume, putIfAbsent } = DynamoStore.prototype;
  let begun = 0;
  const bothBegun = () => {
    begun++;
    return vi.waitUntil(() => begun === 2);
  };
  vi.spyOn(DynamoStore.prototype, 'consume').mockImplementation(async function (this: DynamoStore, ...args) {
    await bothBegun();
    return consume.apply(this, args);
  });
  vi.spyOn(DynamoStore.prototype, 'putIfAbsent').mockImplementation(async function (this: DynamoStore, ...args) {
    await bothBegun();
    return putIfAbsent.apply(this, args);
  });
}

describe('a code exchange', () => {
  it('that is the first of its client renews that beside it', async () => {
    const first = await harness.register({ client_name: 'First' });
    const signIn = await harness.signIn(first);
    const { calls } = await callsOf(() => harness.redeem(first, signIn));
    expect([calls[0], ...calls.slice(1).sort()]).toEqual([READ, PUT, PUT, UPDATE]);
  });

  it('is one batch read and two writes', async () => {
    const signIn = await harness.signIn(client);
    const { calls, result } = await callsOf(() => harness.redeem(client, signIn));
    expect(result.status).toBe(200);
    expect([calls[0], ...calls.slice(1).sort()]).toEqual([READ, PUT, UPDATE]);
  });

  it('writes side by side', async () => {
    const signIn = await harness.signIn(client);
    holdUntilBothWrite();
    expect((await harness.redeem(client, signIn)).status).toBe(200);
  });

  it('of a client with a metadata document costs the same as that of a registered one', async () => {
    await using host = await startMetadataHost();
    trust(host);
    await using published = await Harness.start({ instances: 1, internalHosts: ['localhost'] });
    const known = { client_id: host.publish('/client') };
    const signIn = await published.signIn(known);
    const before = published.calls.length;
    const { body } = await published.redeem(known, signIn);
    const [read, ...writes] = published.calls.slice(before);
    expect([read, ...writes.sort()]).toEqual([READ, PUT, PUT, UPDATE]);
    const between = published.calls.length;
    await published.refresh(known, body.refresh_token);
    expect(published.calls.slice(between).sort()).toEqual([READ, PUT, UPDATE]);
  });

  it('of a client that authenticates in the header reads no more', async () => {
    const confidential = await harness.register({ token_endpoint_auth_method: 'client_secret_basic' });
    const secret = { client_secret: confidential.client_secret };
    await harness.redeem(confidential, await harness.signIn(confidential), secret);
    const { code, codeVerifier } = await harness.signIn(confidential);
    const credentials = Buffer.from(`${confidential.client_id}:${confidential.client_secret}`).toString('base64');
    const form = { grant_type: 'authorization_code', code, code_verifier: codeVerifier, redirect_uri: REDIRECT_URI };
    const { calls, result } = await callsOf(() => harness.token(form, { authorization: `Basic ${credentials}` }));
    expect(result.status).toBe(200);
    expect([calls[0], ...calls.slice(1).sort()]).toEqual([READ, PUT, UPDATE]);
  });
});

describe('a refresh', () => {
  async function refreshToken(): Promise<string> {
    const { body } = await harness.redeem(client, await harness.signIn(client));
    return body.refresh_token ?? '';
  }

  it('is one batch read and two writes', async () => {
    const token = await refreshToken();
    const { calls, result } = await callsOf(() => harness.refresh(client, token));
    expect(result.status).toBe(200);
    expect([calls[0], ...calls.slice(1).sort()]).toEqual([READ, PUT, UPDATE]);
  });

  it('writes side by side', async () => {
    const token = await refreshToken();
    holdUntilBothWrite();
    expect((await harness.refresh(client, token)).status).toBe(200);
  });

  it('writes the client anew only where a part of its lifetime has passed', async () => {
    const token = await refreshToken();
    later(5 * 86_400);
    await harness.fetch('/.well-known/oauth-authorization-server');
    const { calls, result } = await callsOf(() => harness.refresh(client, token));
    expect(calls.filter((call) => call.startsWith('dynamodb:')).sort()).toEqual([READ, PUT, PUT, UPDATE]);
    const next = await callsOf(() => harness.refresh(client, result.body.refresh_token));
    expect(next.calls.sort()).toEqual([READ, PUT, UPDATE]);
    expect(JSON.stringify(await harness.items())).not.toContain('"deadline"');
  });
});

describe('a token exchange', () => {
  it('is one batch read, and three more calls where the upstream token has to be renewed first', async () => {
    await using acting = await Harness.start({ instances: 1, resources: [{ ...NOTES, upstreamTokens: true }] });
    Object.assign(acting.upstream, { refreshTokens: true, accessTokenLifetime: 600 });
    await registerServer(acting);
    const app = await acting.register();
    const { body } = await acting.redeem(app, await acting.signIn(app));
    const calls = async () => {
      const before = acting.calls.length;
      expect((await exchange(acting, body.access_token)).status).toBe(200);
      return acting.calls.slice(before).filter((call) => call.startsWith('dynamodb:'));
    };
    expect(await calls()).toEqual([READ]);
    later(580);
    await acting.fetch('/.well-known/oauth-authorization-server');
    expect(await calls()).toEqual([READ, UPDATE, READ, PUT]);
  });
});

describe('a refused token request', () => {
  it.each([
    ['a wrong verifier', { code_verifier: 'w'.repeat(43) }],
    ['another redirect URI', { redirect_uri: 'https://other.example.com/' }],
    ['another resource', { resource: 'https://other.example.com/mcp' }],
    ['an unknown client', { client_id: 'unknown' }],
    ['an unknown grant type', { grant_type: 'password' }],
  ])('writes nothing: %s', async (_, params) => {
    const signIn = await harness.signIn(client);
    const before = await harness.items();
    const { calls, result } = await callsOf(() => harness.redeem(client, signIn, params));
    expect(result.status).toBeGreaterThanOrEqual(400);
    expect(calls).toEqual([READ]);
    expect(await harness.items()).toEqual(before);
  });
});

describe('a token request that is not a form', () => {
  it('is refused without a look at the table', async () => {
    const body = { grant_type: 'authorization_code', client_id: client.client_id, code: 'a.b' };
    const json = { 'content-type': 'application/json' };
    const { calls, result } = await callsOf(() => harness.post('/token', body, json));
    expect([result.status, await result.json()]).toEqual([400, expect.objectContaining({ error: 'invalid_request' })]);
    expect(calls).toEqual([]);
  });
});

describe('what everyone may read', () => {
  it.each(['/.well-known/oauth-authorization-server', '/.well-known/openid-configuration'])(
    '%s asks for the resources once a minute',
    async (path) => {
      expect((await callsOf(() => harness.fetch(path))).calls).toEqual([]);
      later(61);
      const aMinuteLater = (await callsOf(() => harness.fetch(path))).calls;
      expect(aMinuteLater.filter((call) => call.startsWith('dynamodb:'))).toEqual([LIST]);
    },
  );

  it('/jwks asks the table for nothing', async () => {
    later(61);
    const { calls } = await callsOf(() => harness.fetch('/jwks'));
    expect(calls.filter((call) => call.startsWith('dynamodb:'))).toEqual([]);
  });
});

describe('a sign-in', () => {
  it('is 19 calls from the authorization request to the code', async () => {
    const browser = harness.browser();
    const { url } = harness.authorizationRequest(client);
    const consent = await callsOf(() => browser.open(url));
    const decision = await callsOf(() =>
      browser.submit(consent.result, 'allow', {}, ({ pathname }) => pathname === '/callback'),
    );
    const atResume = ({ pathname }: URL) => pathname.startsWith('/authorize/');
    const callback = await callsOf(() => browser.open(decision.result.url, atResume));
    const resume = await callsOf(() => browser.open(callback.result.url, atClient));
    expect(resume.result.url.searchParams.get('code')).toBeTruthy();
    expect({
      consent: consent.calls.sort(),
      decision: decision.calls.filter((call) => call.startsWith('dynamodb:')).sort(),
      callback: callback.calls.sort(),
      resume: resume.calls.sort(),
    }).toEqual({
      consent: [READ, READ, READ, PUT],
      decision: [READ, READ, PUT],
      callback: [READ, READ, READ, PUT, PUT, PUT, UPDATE],
      resume: [READ, READ, READ, UPDATE, PUT].sort(),
    });
  });
});
