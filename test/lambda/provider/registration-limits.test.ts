import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { clientKey } from '../../../lambda/provider/keys';
import { atHalfPast, Harness, later, REDIRECT_URI } from './harness';

afterEach(() => {
  vi.useRealTimers();
});

const metadata = (name: string, more: object = {}) => ({
  client_name: name,
  redirect_uris: [REDIRECT_URI],
  token_endpoint_auth_method: 'none',
  ...more,
});

function register(harness: Harness, body: object, sourceIp = '203.0.113.7', type = 'application/json') {
  return harness.request({
    method: 'POST',
    path: '/register',
    headers: { 'content-type': type },
    body: Buffer.from(JSON.stringify(body)),
    sourceIp,
  });
}

const statuses = async (answers: Promise<{ status: number }>[]) =>
  (await Promise.all(answers)).map(({ status }) => status).sort();

describe('the same metadata', () => {
  it('registered again is the same client, in whatever order it is written', async () => {
    await using harness = await Harness.start({ instances: 2 });
    const first = await harness.register();
    const again = await harness.register();
    expect(again.client_id).toBe(first.client_id);
    const entries = Object.entries(metadata('App', { client_uri: 'https://app.example.com/', contacts: ['x'] }));
    const [one, other] = [entries, entries.toReversed()].map((each) => register(harness, Object.fromEntries(each)));
    const ids = (await Promise.all([one!, other!])).map(({ body }) => JSON.parse(String(body)).client_id);
    expect(ids[0]).toBe(ids[1]);
  });

  it('with a secret is a new client each time', async () => {
    await using harness = await Harness.start();
    const confidential = { token_endpoint_auth_method: 'client_secret_basic' };
    const [one, other] = [await harness.register(confidential), await harness.register(confidential)];
    expect(one.client_id).not.toBe(other.client_id);
    expect(one.client_secret).not.toBe(other.client_secret);
  });

  it.each([
    { client_name: 'Other' },
    { redirect_uris: ['https://other.example.com/cb'] },
    { grant_types: ['authorization_code'] },
  ])('with %j in it is another client', async (different) => {
    await using harness = await Harness.start();
    expect((await harness.register(different)).client_id).not.toBe((await harness.register()).client_id);
  });
});

describe('a client', () => {
  it('that is never used is forgotten after a day, unless it registers again', async () => {
    await using harness = await Harness.start();
    const client = await harness.register();
    const known = async () => (await harness.refresh(client, 'a.b')).status !== 401;
    later(23 * 3600);
    expect(await known()).toBe(true);
    await harness.register();
    later(23 * 3600);
    expect(await known()).toBe(true);
    later(2 * 3600);
    expect(await known()).toBe(false);
  });

  it('that has received a token is remembered for 90 days, also where it registers again', async () => {
    await using harness = await Harness.start();
    const client = await harness.register();
    await harness.redeem(client, await harness.signIn(client));
    await harness.register();
    const [record] = await harness.store.read([clientKey(client.client_id!)]);
    expect(record!.expiresAt! - Date.now() / 1000).toBeGreaterThan(89 * 86400);
  });
});

describe('a registration flood', () => {
  beforeEach(atHalfPast);

  it('from one address ends there with 429 and the time to wait, and nobody else notices', async () => {
    await using harness = await Harness.start({ registration: { perAddress: 3, inAll: 5 } });
    const flood = Array.from({ length: 10 }, (_, i) => register(harness, metadata(`App ${i}`)));
    expect(await statuses(flood)).toEqual([201, 201, 201, ...Array(7).fill(429)]);
    const limited = await register(harness, metadata('One more'));
    expect(limited.status).toBe(429);
    expect(Number(limited.headers['retry-after'])).toBeGreaterThan(0);
    expect(limited.headers['access-control-allow-origin']).toBe('*');
    expect((await register(harness, metadata('Somebody else'), '203.0.113.8')).status).toBe(201);
    later(3600);
    expect((await register(harness, metadata('One more'))).status).toBe(201);
  });

  it('from one IPv6 network is from one address', async () => {
    await using harness = await Harness.start({ registration: { perAddress: 1 } });
    expect((await register(harness, metadata('1'), '2001:db8::1')).status).toBe(201);
    expect((await register(harness, metadata('2'), '2001:db8::ffff:1')).status).toBe(429);
    expect((await register(harness, metadata('3'), '2001:db8:0:1::1')).status).toBe(201);
  });

  it('from everywhere ends with 429, while known metadata goes on', async () => {
    await using harness = await Harness.start({ registration: { inAll: 2 } });
    const known = metadata('Known');
    expect((await register(harness, known, '203.0.113.1')).status).toBe(201);
    expect((await register(harness, metadata('2'), '203.0.113.2')).status).toBe(201);
    expect((await register(harness, metadata('3'), '203.0.113.3')).status).toBe(429);
    expect((await register(harness, known, '203.0.113.4')).status).toBe(201);
    const secret = { token_endpoint_auth_method: 'client_secret_post' };
    expect((await register(harness, { ...known, ...secret }, '203.0.113.5')).status).toBe(429);
  });

  it('is no flood of what is refused', async () => {
    await using harness = await Harness.start({ registration: { perAddress: 1 } });
    for (const body of [metadata('App', { redirect_uris: [] }), metadata('App')]) {
      expect((await register(harness, body, undefined, 'text/plain')).status).toBe(400);
    }
    expect((await register(harness, metadata('App', { redirect_uris: [] }))).status).toBe(400);
    expect((await register(harness, metadata('App'))).status).toBe(201);
  });

  it('is told from the many people of one hosted client', async () => {
    await using harness = await Harness.start({ registration: { perAddress: 1, sharedEgress: ['160.79.104.0/21'] } });
    const hosted = Array.from({ length: 5 }, (_, i) => register(harness, metadata(`App ${i}`), '160.79.105.9'));
    expect(await statuses(hosted)).toEqual(Array(5).fill(201));
    const elsewhere = Array.from({ length: 2 }, (_, i) => register(harness, metadata(`Other ${i}`), '160.79.112.1'));
    expect(await statuses(elsewhere)).toEqual([201, 429]);
  });
});

describe('private-use schemes', () => {
  it.each([
    [undefined, 'cursor://anysphere.cursor-mcp/oauth/callback', 201],
    [undefined, 'com.example.app:/callback', 201],
    [undefined, 'unheard-of:/callback', 400],
    [['unheard-of'], 'unheard-of:/callback', 201],
    [['unheard-of'], 'cursor://anysphere.cursor-mcp/oauth/callback', 400],
    [[], 'com.example.app:/callback', 400],
    [[], 'http://127.0.0.1/callback', 201],
  ])('with %j allowed: %s gets %i', async (privateUseSchemes, uri, status) => {
    await using harness = await Harness.start(
      privateUseSchemes ? { registration: { privateUseSchemes: privateUseSchemes as string[] } } : {},
    );
    expect((await register(harness, metadata('App', { redirect_uris: [uri] }))).status).toBe(status);
  });
});
