import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { type Cost, meter } from '../../support/dynamodb-meter';
import { startMetadataHost, trust } from '../../support/metadata-host';
import { atClient, Harness, later, NOTES, REDIRECT_URI } from './harness';
import { exchange, registerServer } from './resource-server';

let harness: Harness;
/** What `act` costs at DynamoDB. */
let costOf: ReturnType<typeof meter>;
let client: Record<string, string>;
beforeEach(async () => {
  harness = await Harness.start({ instances: 1 });
  costOf = meter(harness.table);
  client = await harness.register();
  // As on an instance that has been answering for a while: secrets and resources are cached.
  await harness.redeem(client, await harness.signIn(client));
});
afterEach(async () => {
  vi.restoreAllMocks();
  vi.useRealTimers();
  await harness[Symbol.asyncDispose]();
});

/** One batch read, then the writes side by side. */
const TOKENS: Cost = {
  calls: { BatchGetItem: 1, PutItem: 1, UpdateItem: 1 },
  rounds: 2,
  units: { read: 3, write: 2 },
};
/** The same for a client that is due for renewal: its record is one more write beside the others. */
const TOKENS_AND_RENEWAL: Cost = {
  calls: { BatchGetItem: 1, PutItem: 2, UpdateItem: 1 },
  rounds: 2,
  units: { read: 3, write: 3 },
};
/** A refresh looks at upstream's refresh token too. */
const REFRESH: Cost = { ...TOKENS, units: { read: 4, write: 2 } };
const REFRESH_AND_RENEWAL: Cost = { ...TOKENS_AND_RENEWAL, units: { read: 4, write: 3 } };

async function refreshToken(): Promise<string> {
  const { body } = await harness.redeem(client, await harness.signIn(client));
  return body.refresh_token ?? '';
}

describe('a code exchange', () => {
  it('is one batch read and two writes, side by side', async () => {
    const signIn = await harness.signIn(client);
    const { cost, result } = await costOf(() => harness.redeem(client, signIn));
    expect(result.status).toBe(200);
    expect(cost).toEqual(TOKENS);
  });

  it('that is the first of its client renews that beside it', async () => {
    const first = await harness.register({ client_name: 'First' });
    const signIn = await harness.signIn(first);
    const { cost } = await costOf(() => harness.redeem(first, signIn));
    expect(cost).toEqual(TOKENS_AND_RENEWAL);
  });

  it('of a client with a metadata document costs the same as that of a registered one', async () => {
    await using host = await startMetadataHost();
    trust(host);
    await using published = await Harness.start({ instances: 1, internalHosts: ['localhost'] });
    const costThere = meter(published.table);
    const known = { client_id: host.publish('/client') };
    // As on an instance that has read the resources.
    await published.signIn(known);
    const signIn = await published.signIn(known);
    const { cost, result } = await costThere(() => published.redeem(known, signIn));
    expect(cost).toEqual(TOKENS_AND_RENEWAL);
    expect((await costThere(() => published.refresh(known, result.body.refresh_token))).cost).toEqual(REFRESH);
  });

  it('of a client that authenticates in the header reads no more', async () => {
    const confidential = await harness.register({ token_endpoint_auth_method: 'client_secret_basic' });
    const secret = { client_secret: confidential.client_secret };
    await harness.redeem(confidential, await harness.signIn(confidential), secret);
    const { code, codeVerifier } = await harness.signIn(confidential);
    const credentials = Buffer.from(`${confidential.client_id}:${confidential.client_secret}`).toString('base64');
    const form = { grant_type: 'authorization_code', code, code_verifier: codeVerifier, redirect_uri: REDIRECT_URI };
    const { cost, result } = await costOf(() => harness.token(form, { authorization: `Basic ${credentials}` }));
    expect(result.status).toBe(200);
    expect(cost).toEqual(TOKENS);
  });
});

describe('a refresh', () => {
  it('is one batch read and two writes, side by side', async () => {
    const token = await refreshToken();
    const { cost, result } = await costOf(() => harness.refresh(client, token));
    expect(result.status).toBe(200);
    expect(cost).toEqual(REFRESH);
  });

  it('costs the same again and again', async () => {
    let token = await refreshToken();
    for (let i = 0; i < 5; i++) {
      const { cost, result } = await costOf(() => harness.refresh(client, token));
      expect(cost).toEqual(REFRESH);
      token = result.body.refresh_token ?? '';
    }
  });

  it('writes the client anew only where a part of its lifetime has passed', async () => {
    const token = await refreshToken();
    later(5 * 86_400);
    await harness.fetch('/.well-known/oauth-authorization-server');
    const { cost, result } = await costOf(() => harness.refresh(client, token));
    expect(cost).toEqual(REFRESH_AND_RENEWAL);
    const next = await costOf(() => harness.refresh(client, result.body.refresh_token));
    expect(next.cost).toEqual(REFRESH);
    expect(JSON.stringify(await harness.items())).not.toContain('"deadline"');
  });
});

describe('a revocation', () => {
  const NOTHING_DELETED: Cost = { calls: { BatchGetItem: 1 }, rounds: 1, units: { read: 2, write: 0 } };
  const revoke = (token: string, params: Record<string, string> = {}) =>
    harness.post('/revoke', { client_id: client.client_id, token, ...params });

  it.each<Record<string, string>>([{}, { token_type_hint: 'refresh_token' }, { token_type_hint: 'access_token' }])(
    'is one batch read and the end of the grant, and of what upstream gave for it, side by side: %j',
    async (hint) => {
      const token = await refreshToken();
      const { cost, result } = await costOf(() => revoke(token, hint));
      expect(result.status).toBe(200);
      expect(cost).toEqual({ calls: { BatchGetItem: 1, DeleteItem: 2 }, rounds: 2, units: { read: 2, write: 2 } });
      expect((await harness.refresh(client, token)).body.error).toBe('invalid_grant');
    },
  );

  it('of a token that is not there deletes nothing', async () => {
    expect((await costOf(() => revoke('a.b'))).cost).toEqual(NOTHING_DELETED);
  });

  it('by another client deletes nothing', async () => {
    const other = await harness.register({ client_name: 'Other' });
    const token = await refreshToken();
    const { cost } = await costOf(() => revoke(token, { client_id: other.client_id! }));
    expect(cost).toEqual(NOTHING_DELETED);
    expect((await harness.refresh(client, token)).status).toBe(200);
  });
});

describe('a token exchange', () => {
  it('is one batch read, and three more calls where the upstream token has to be renewed first', async () => {
    await using acting = await Harness.start({ instances: 1, resources: [{ ...NOTES, upstreamTokens: true }] });
    Object.assign(acting.upstream, { refreshTokens: true, accessTokenLifetime: 600 });
    await registerServer(acting);
    const app = await acting.register();
    const { body } = await acting.redeem(app, await acting.signIn(app));
    const measure = meter(acting.table);
    const costOfExchange = async () => {
      const { cost, result } = await measure(() => exchange(acting, body.access_token));
      expect(result.status).toBe(200);
      return cost.calls;
    };
    expect(await costOfExchange()).toEqual({ BatchGetItem: 1 });
    later(580);
    await acting.fetch('/.well-known/oauth-authorization-server');
    expect(await costOfExchange()).toEqual({ BatchGetItem: 2, UpdateItem: 1, PutItem: 1 });
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
    const { cost, result } = await costOf(() => harness.redeem(client, signIn, params));
    expect(result.status).toBeGreaterThanOrEqual(400);
    expect(cost).toEqual({ calls: { BatchGetItem: 1 }, rounds: 1, units: { read: 3, write: 0 } });
    expect(await harness.items()).toEqual(before);
  });
});

const NOTHING: Cost = { calls: {}, rounds: 0, units: { read: 0, write: 0 } };

describe('a token request that is not a form', () => {
  it('is refused without a look at the table', async () => {
    const body = { grant_type: 'authorization_code', client_id: client.client_id, code: 'a.b' };
    const json = { 'content-type': 'application/json' };
    const { cost, result } = await costOf(() => harness.post('/token', body, json));
    expect([result.status, await result.json()]).toEqual([400, expect.objectContaining({ error: 'invalid_request' })]);
    expect(cost).toEqual(NOTHING);
  });
});

describe('what everyone may read', () => {
  it.each(['/.well-known/oauth-authorization-server', '/.well-known/openid-configuration'])(
    '%s asks for the resources once a minute',
    async (path) => {
      expect((await costOf(() => harness.fetch(path))).cost).toEqual(NOTHING);
      later(61);
      const aMinuteLater = await costOf(() => harness.fetch(path));
      expect(aMinuteLater.cost).toEqual({ calls: { Query: 1 }, rounds: 1, units: { read: 1, write: 0 } });
      expect((await costOf(() => harness.fetch(path))).cost).toEqual(NOTHING);
    },
  );

  it('/jwks asks the table for nothing', async () => {
    later(61);
    expect((await costOf(() => harness.fetch('/jwks'))).cost).toEqual(NOTHING);
  });
});

describe('a sign-in', () => {
  it('is 8 rounds from the authorization request to the code', async () => {
    const browser = harness.browser();
    const { url } = harness.authorizationRequest(client);
    const atConsent = ({ pathname }: URL) => pathname.startsWith('/interaction/');
    const request = await costOf(() => browser.open(url, atConsent));
    const consent = await costOf(() => browser.open(request.result.url));
    const decision = await costOf(() =>
      browser.submit(consent.result, 'allow', {}, ({ pathname }) => pathname === '/callback'),
    );
    const callback = await costOf(() => browser.open(decision.result.url, atClient));
    expect(callback.result.url.searchParams.get('code')).toBeTruthy();
    const steps = { request, consent, decision, callback };
    expect(Object.fromEntries(Object.entries(steps).map(([name, { cost }]) => [name, cost]))).toEqual({
      // The client; then the interaction.
      request: { calls: { BatchGetItem: 1, PutItem: 1 }, rounds: 2, units: { read: 1, write: 1 } },
      // Interaction, decision and client.
      consent: { calls: { BatchGetItem: 1 }, rounds: 1, units: { read: 3, write: 0 } },
      // The same; then what upstream's answer must find.
      decision: { calls: { BatchGetItem: 1, PutItem: 1 }, rounds: 2, units: { read: 3, write: 1 } },
      // The same and what it finds; that is used up; then the interaction's end, grant, its entry under the person, code.
      callback: { calls: { BatchGetItem: 1, UpdateItem: 2, PutItem: 3 }, rounds: 3, units: { read: 4, write: 5 } },
    });
  });
});
