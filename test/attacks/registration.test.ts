import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { clientKey } from '../../lambda/provider/keys';
import { Harness, REDIRECT_URI } from '../lambda/provider/harness';

let harness: Harness;
beforeAll(async () => {
  harness = await Harness.start();
});
afterAll(() => harness[Symbol.asyncDispose]());

async function register(body: string) {
  const headers = { 'content-type': 'application/json' };
  const response = await harness.request({ method: 'POST', path: '/register', headers, body: Buffer.from(body) });
  return { status: response.status, body: JSON.parse(String(response.body)) as Record<string, unknown> };
}

/** A registration that is right, with one member more, written as it stands. */
const withMember = (name: string, json: string) =>
  `{"redirect_uris":["${REDIRECT_URI}"],"token_endpoint_auth_method":"private_key_jwt","${name}":${json}}`;

describe('a registration', () => {
  const brackets = (depth: number) => '['.repeat(depth) + ']'.repeat(depth);

  it.each([
    'client_name',
    'software_id',
    'software_version',
    'token_endpoint_auth_method',
    'jwks',
    'grant_types',
    'redirect_uris',
    'response_types',
    'contacts',
    'x',
  ])('nested 100,000 deep in %s does not exhaust the stack', async (name) => {
    expect((await register(withMember(name, brackets(100_000)))).status).toBeLessThan(500);
  });

  it.each([
    '{"keys":%s}',
    '{"keys":[%s]}',
    '{"keys":[{"kty":%s}]}',
    '{"keys":[{"x5c":[%s]}]}',
    '{"more":%s,"keys":[]}',
  ])('nested 10,000 deep in the key set %s does not exhaust the stack', async (jwks) => {
    expect((await register(withMember('jwks', jwks.replace('%s', brackets(10_000))))).status).toBeLessThan(500);
  });

  it('of 5 MB is refused', async () => {
    const { status } = await register(withMember('client_name', `"${'x'.repeat(5_000_000)}"`));
    // Hosts other than Lambda read no further (RFC 9110 section 15.5.14).
    expect([400, 413]).toContain(status);
  });

  it('cannot reach the prototype of anything', async () => {
    await register(
      `{"__proto__":{"polluted":1},"constructor":{"prototype":{"polluted":1}},"redirect_uris":["${REDIRECT_URI}"]}`,
    );
    expect({}).not.toHaveProperty('polluted');
  });

  it('cannot choose its client id, its secret, or to be trusted', async () => {
    const chosen = {
      client_id: 'chosen',
      client_secret: 'chosen',
      client_id_issued_at: 1,
      may_be_public: true,
      application_type: 'native',
    };
    const client = await harness.register({ ...chosen, token_endpoint_auth_method: 'client_secret_basic' });
    for (const [name, value] of Object.entries(chosen)) expect([name, client[name]]).not.toEqual([name, value]);
    expect(await harness.store.read([clientKey('chosen')])).toEqual([undefined]);
  });

  it.each(['GET', 'PUT', 'DELETE'])('is neither read, changed nor deleted later: %s', async (method) => {
    const client = await harness.register();
    const { status } = await harness.request({ method, path: `/register/${client.client_id}` });
    expect(status).toBeGreaterThanOrEqual(400);
    expect(status).toBeLessThan(500);
    expect((await harness.refresh(client, 'a.b')).status).toBe(400);
  });
});
