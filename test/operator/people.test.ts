import { decodeJwt } from 'jose';
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest';
import { DynamoStore } from '../../lambda/store/dynamo-store';
import { Harness, RESOURCE } from '../lambda/provider/harness';
import { type } from './operator';

let harness: Harness;
let client: Record<string, string>;
let other: Record<string, string>;
beforeAll(async () => {
  harness = await Harness.start({ instances: 2 });
  client = await harness.register({ client_name: 'Editor' });
  other = await harness.register({ client_name: 'Other \u001b]0;editor\u0007\u202e' });
});
afterEach(() => {
  vi.restoreAllMocks();
  vi.useRealTimers();
});
afterAll(() => harness[Symbol.asyncDispose]());

const people = (...args: string[]) => type(harness.environment, 'people', ...args);
const named = (subject: string) => ['--issuer', harness.upstream.issuer, '--subject', subject];
const grants = (...person: string[]) => people('grants', '--table', 'auth', ...person);
const revoke = (...person: string[]) => people('revoke', '--table', 'auth', ...person);

/** Signs a person in with a client, and redeems the code. */
async function grant(subject: string, by = client): Promise<Record<string, string>> {
  harness.upstream.claims = { sub: subject };
  const { status, body } = await harness.redeem(by, await harness.signIn(by));
  expect(status).toBe(200);
  return body;
}

const REFUSED = { status: 400, body: { error: 'invalid_grant' } };

describe('people revoke', () => {
  it('ends everything that one person has granted, and nothing of anybody else', async () => {
    const ada = [await grant('ada'), await grant('ada'), await grant('ada', other)];
    const bob = await grant('bob');
    const { body: refreshed } = await harness.refresh(client, ada[0]!.refresh_token);

    const { code, stdout, stderr } = await revoke(...named('ada'));

    expect(code).toBe(0);
    expect(stdout.split('\n')).toHaveLength(3);
    expect(stderr).toMatch(/^3 grants of \S{43} ended: .* Access tokens already issued live on until they expire/);
    for (const token of [ada[0], refreshed, ada[1]]) {
      expect(await harness.refresh(client, token!.refresh_token)).toMatchObject(REFUSED);
    }
    expect(await harness.refresh(other, ada[2]!.refresh_token)).toMatchObject(REFUSED);
    expect((await harness.refresh(client, bob.refresh_token)).status).toBe(200);
    expect((await grants(...named('ada'))).stdout).toBe('');
    expect((await grants(...named('bob'))).stdout.split('\n')).toHaveLength(1);
  });

  it('deletes what upstream gave, too', async () => {
    harness.upstream.refreshTokens = true;
    await grant('erin');
    harness.upstream.refreshTokens = false;
    const kept = async () => (await harness.items()).filter(({ sk }) => sk?.S === '/upstream');
    expect(await kept()).toHaveLength(1);
    await revoke(...named('erin'));
    expect(await kept()).toEqual([]);
  });

  it('ends a code that has not been redeemed yet', async () => {
    harness.upstream.claims = { sub: 'carol' };
    const signIn = await harness.signIn(client);
    expect((await revoke(...named('carol'))).stderr).toMatch(/^1 grant of/);
    expect(await harness.redeem(client, signIn)).toMatchObject(REFUSED);
  });

  it('takes the person by the sub of access tokens too', async () => {
    const { access_token, refresh_token } = await grant('dave');
    const { sub } = decodeJwt(access_token!);
    expect(await revoke('--sub', sub!)).toMatchObject({ code: 0, stderr: expect.stringMatching(`^1 grant of ${sub}`) });
    expect(await harness.refresh(client, refresh_token)).toMatchObject(REFUSED);
  });

  it('fails where it finds nothing, and says what may have been spelled wrong', async () => {
    await grant('erin');
    const misspelled = await revoke('--issuer', `${harness.upstream.issuer}/`, '--subject', 'erin');
    expect(misspelled).toEqual({
      code: 1,
      stdout: '',
      stderr: expect.stringMatching(/^Nothing is granted by \S{43} in auth\. .*--issuer must be exactly the iss /),
    });
    expect(await revoke(...named('erin'))).toMatchObject({ code: 0 });
    expect(await revoke(...named('erin'))).toMatchObject({ code: 1 });
  });

  it('ends what is granted while it runs', async () => {
    await grant('frank');
    let late: Record<string, string> = {};
    const { deleteMany } = DynamoStore.prototype;
    vi.spyOn(DynamoStore.prototype, 'deleteMany').mockImplementationOnce(async function (this: DynamoStore, keys) {
      late = await grant('frank');
      return deleteMany.call(this, keys);
    });
    expect((await revoke(...named('frank'))).stderr).toMatch(/^2 grants of/);
    expect(await harness.refresh(client, late.refresh_token)).toMatchObject(REFUSED);
  });

  it('that was interrupted is finished by the next', async () => {
    const { refresh_token } = await grant('grace');
    const { deleteMany } = DynamoStore.prototype;
    vi.spyOn(DynamoStore.prototype, 'deleteMany')
      .mockImplementationOnce(deleteMany)
      .mockRejectedValueOnce(Object.assign(new Error('connect ECONNREFUSED'), { code: 'ECONNREFUSED' }));
    expect(await revoke(...named('grace'))).toMatchObject({
      code: 1,
      stderr: 'AWS cannot be reached: connect ECONNREFUSED.',
    });
    expect(await harness.refresh(client, refresh_token)).toMatchObject(REFUSED);
    expect((await revoke(...named('grace'))).stderr).toMatch(/^1 grant of/);
    expect((await grants(...named('grace'))).stdout).toBe('');
  });

  it('asks for no Scan, and writes nothing', async () => {
    await grant('heidi');
    const before = harness.calls.length;
    await revoke(...named('heidi'));
    expect(new Set(harness.calls.slice(before))).toEqual(new Set(['dynamodb:Query', 'dynamodb:DeleteItem']));
  });
});

describe('people grants', () => {
  it('says what, to whom and since when, and ends nothing', async () => {
    const now = new Date(Math.floor(Date.now() / 1000) * 1000);
    vi.useFakeTimers({ toFake: ['Date'], now });
    const { refresh_token } = await grant('ivan', other);
    const { code, stdout, stderr } = await grants(...named('ivan'));
    expect({ code, stdout }).toEqual({
      code: 0,
      // Nothing in a client's name reaches the terminal's own language.
      stdout: `${now.toISOString()}  Other ]0;editor  ${other.client_id}  ${RESOURCE}  notes:use`,
    });
    expect(stderr).toMatch(/^1 grant of \S{43}\.$/);
    expect((await harness.refresh(other, refresh_token)).status).toBe(200);
  });
});

describe('a grant that cannot be listed under its person', () => {
  it('is never given out', async () => {
    harness.upstream.claims = { sub: 'judy' };
    const { set } = DynamoStore.prototype;
    vi.spyOn(DynamoStore.prototype, 'set').mockImplementation(async function (this: DynamoStore, key, ...rest) {
      if (key.startsWith('person#')) throw Object.assign(new Error('busy'), { $metadata: {} });
      return set.call(this, key, ...rest);
    });
    const log = vi.spyOn(console, 'error').mockReturnValue();
    const browser = harness.browser();
    const consent = await browser.open(harness.authorizationRequest(client).url);
    const atCallback = await browser.submit(consent, 'allow');
    expect(atCallback.status).toBe(503);
    expect(log.mock.calls.join('\n')).toContain('busy');
    vi.restoreAllMocks();
    const uid = new URL(consent.url).pathname.split('/').at(-1)!;
    const resumed = await browser.open(new URL(`/authorize/${uid}`, consent.url));
    expect(resumed.url.searchParams.has('code')).toBe(false);
  });
});

describe('people is refused', () => {
  const SUB = 'a'.repeat(43);
  it.each<[string[], string]>([
    [[], 'people needs grants or revoke, got nothing.'],
    [['end', '--table', 'auth', '--sub', SUB], 'people needs grants or revoke, got end.'],
    [['revoke', 'ada', '--table', 'auth', '--sub', SUB], 'people needs grants or revoke, got revoke ada.'],
    [
      ['revoke', '--sub', SUB],
      'The store is named by --table, by --store, or by STORE_URL in the environment or in .env.',
    ],
    [['revoke', '--table', 'auth'], 'A person is named by --sub, or by --issuer and --subject together.'],
    [['revoke', '--table', 'auth', '--issuer', 'https://x.example'], 'A person is named by --sub, or by'],
    [['revoke', '--table', 'auth', '--sub', SUB, '--subject', 'x'], 'A person is named by --sub, or by'],
    [
      ['revoke', '--table', 'auth', '--sub', 'ada'],
      '--sub needs the 43 characters that access tokens and the log have',
    ],
    [['revoke', '--everyone'], "Unknown option '--everyone'"],
  ])('%j', async (args, message) => {
    const before = harness.calls.length;
    const { code, stdout, stderr } = await people(...args);
    expect({ code, stdout }).toEqual({ code: 1, stdout: '' });
    expect(stderr).toContain(message);
    expect(stderr).toContain('Usage: mcp-oidc-auth people grants (--table NAME | --store URL)');
    expect(harness.calls.length).toBe(before);
  });

  it.each<[string, Record<string, string | undefined>, string[], string]>([
    ['no table of that name', {}, ['--table', 'auht'], "There is no table 'auht' in the region us-east-1. AWS_REGION"],
    ['no region', { AWS_REGION: undefined }, [], 'No AWS region is set. Set AWS_REGION, or AWS_PROFILE'],
    ['a region that cannot be', { AWS_REGION: 'not a region' }, [], 'AWS has no such region: Region not accepted'],
    [
      'no credentials',
      { AWS_ACCESS_KEY_ID: undefined, AWS_SECRET_ACCESS_KEY: undefined },
      [],
      'There are no AWS credentials. Sign in with the AWS CLI',
    ],
    ['credentials of before', { AWS_SESSION_TOKEN: 'old' }, [], 'AWS does not take these credentials; sign in again.'],
    [
      'no way to AWS',
      { AWS_ENDPOINT_URL_DYNAMODB: 'http://127.0.0.1:1' },
      [],
      'AWS cannot be reached: connect ECONNREFUSED 127.0.0.1:1.',
    ],
  ])('with %s', async (_, environment, args, message) => {
    const whole = { ...harness.environment, ...environment };
    const table = args.length > 0 ? args : ['--table', 'auth'];
    const outcome = await type(whole, 'people', 'revoke', ...table, '--sub', SUB);
    expect(outcome).toEqual({ code: 1, stdout: '', stderr: expect.stringContaining(message) });
  });
});
