import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, test, vi } from 'vitest';
import { KeptKeys } from '../../hosts/kept-keys';
import { parseKeySet } from '../../lambda/key-set/parse-key-set';
import { clientKey } from '../../lambda/provider/keys';
import type { OperatorCommand } from '../../operator';
import { Harness, later, NOTES, REDIRECT_URI, RESOURCE } from '../lambda/provider/harness';
import { exchange } from '../lambda/provider/resource-server';
import { DATABASES, describeOn } from '../stores/databases';
import { freePort } from '../support/free-port';
import { type } from './operator';

const SECRET = 'the-secret-of-thirty-two-letters';
const HAVE_URLS = ['SQLite', 'Redis', 'PostgreSQL'];

afterEach(() => {
  vi.useRealTimers();
  vi.restoreAllMocks();
});

describeOn(
  DATABASES.filter(({ name }) => HAVE_URLS.includes(name)),
  (database) => {
    let harness: Harness;
    beforeAll(async () => {
      const resources = [{ ...NOTES, upstreamTokens: true }];
      harness = await Harness.start({ database: database(), instances: 2, resources });
      harness.upstream.refreshTokens = true;
    });
    afterAll(() => harness[Symbol.asyncDispose]());

    const url = () => database().url!;
    const run = (command: OperatorCommand, ...args: string[]) => type({}, command, ...args, '--store', url());
    const add = async (...args: string[]) => {
      const { code, stdout, stderr } = await run('clients', 'add', '--name', 'Our editor', ...args);
      expect(code, stderr).toBe(0);
      return JSON.parse(stdout) as Record<string, string>;
    };

    test('a client is added that signs in and never expires, shown, and removed', async () => {
      const client = await add('--redirect-uri', REDIRECT_URI);
      expect((await harness.redeem(client, await harness.signIn(client))).status).toBe(200);
      const shown = await run('clients', 'show', client.client_id!);
      expect(JSON.parse(shown.stdout)).toMatchObject({ origin: 'operators', expires: 'never' });
      later(500 * 86_400);
      const { body } = await harness.redeem(client, await harness.signIn(client));
      expect((await run('clients', 'remove', client.client_id!)).code).toBe(0);
      expect((await harness.refresh(client, body.refresh_token)).status).toBe(401);
    });

    test('an MCP server gets a credential, has tokens introspected and exchanges them', async () => {
      const credential = await add('--resource', RESOURCE);
      const client = await harness.register();
      const { body } = await harness.redeem(client, await harness.signIn(client));
      const asked = await harness.post('/introspect', {
        token: body.access_token,
        client_id: credential.client_id,
        client_secret: credential.client_secret,
      });
      expect(await asked.json()).toMatchObject({ active: true, aud: RESOURCE });
      const server = { id: credential.client_id!, secret: credential.client_secret! };
      const exchanged = await exchange(harness, body.access_token, {}, server);
      expect(exchanged).toMatchObject({ status: 200, body: { token_type: 'Bearer' } });
    });

    test('what a person has granted is listed, and ended', async () => {
      const client = await harness.register();
      harness.upstream.claims = { sub: 'grace' };
      const { body } = await harness.redeem(client, await harness.signIn(client));
      const grace = ['--issuer', harness.upstream.issuer, '--subject', 'grace'];
      expect((await run('people', 'grants', ...grace)).stdout).toContain(client.client_id);
      expect((await run('people', 'revoke', ...grace)).code).toBe(0);
      expect((await harness.refresh(client, body.refresh_token)).status).toBe(400);
      const { stderr } = await run('people', 'grants', ...grace);
      expect(stderr).toMatch(/^Nothing is granted by /);
      expect(stderr).not.toMatch(/:[^/]+@/);
    });

    test('the namespace of a Keyv is another place', async () => {
      const store = database().inNamespace('mcp');
      const { client_id: id = '' } = await add('--redirect-uri', REDIRECT_URI, '--namespace', 'mcp');
      expect((await store.read([clientKey(id)]))[0]?.value).toMatchObject({ client_id: id });
      expect((await run('clients', 'show', id)).stderr).toMatch(/^No client has the id/);
    });

    test('the namespace that Keyv 5 has by default is none', async () => {
      const { client_id: id = '' } = await add('--redirect-uri', REDIRECT_URI, '--namespace', 'keyv');
      expect((await run('clients', 'show', id)).code).toBe(0);
    });

    describe('keys that the server keeps there', () => {
      let kept: KeptKeys;
      const namespace = crypto.randomUUID();
      const rotate = (environment: Record<string, string>, ...args: string[]) =>
        type(environment, 'keys', 'rotate', '--store', url(), '--namespace', namespace, ...args);
      const inUse = async () => parseKeySet((await kept.fetch()).text);
      beforeAll(async () => {
        const none = await rotate({ SESSION_SECRET: SECRET });
        expect(none).toMatchObject({
          code: 1,
          stderr: expect.stringMatching(/^No authorization server keeps its keys/),
        });
        kept = new KeptKeys(database().inNamespace(namespace), [SECRET], 3600);
        await kept.turnOver();
      });

      test('are turned over once the next key is known everywhere', async () => {
        const before = await inUse();
        const early = await rotate({ SESSION_SECRET: SECRET });
        expect(early.stderr).toContain(`${before.current.jwk.kid} signs on`);
        expect((await inUse()).current).toEqual(before.current);
        later(86_400);
        const { code, stderr } = await rotate({ SESSION_SECRET: SECRET });
        expect([code, stderr]).toEqual([0, expect.stringContaining(`${before.next.jwk.kid} signs from now on.`)]);
        const after = await inUse();
        expect(after.current).toEqual(before.next);
        expect(after.previous.map(({ jwk }) => jwk.kid)).toContain(before.current.jwk.kid);
      });

      test('--revoke-current takes the key that signs out at once, with every copy of it', async () => {
        const before = await inUse();
        const { code, stdout, stderr } = await rotate({ SESSION_SECRET: SECRET }, '--revoke-current');
        expect([code, stdout]).toEqual([0, before.current.jwk.kid]);
        expect(stderr).toContain(`${before.next.jwk.kid} signs from now on.`);
        const after = await inUse();
        expect(after.current).toEqual(before.next);
        expect(JSON.stringify(after)).not.toContain(before.current.jwk.kid);
        expect(await database().inNamespace(namespace).list('keys')).toHaveLength(1);
        for (const secret of [after.current.jwk.d!, before.current.jwk.d!])
          expect(stdout + stderr).not.toContain(secret);
      });

      test('are opened by the secret of the server alone', async () => {
        const other = await rotate({ SESSION_SECRET: 'another secret, of as many letters' });
        expect(other.stderr).toBe('SESSION_SECRET is not the secret that the keys in the store are sealed under.');
        const none = await rotate({});
        expect(none.stderr).toBe('The keys in the store are sealed: set SESSION_SECRET to the secret of the server.');
        expect([other.code, none.code]).toEqual([1, 1]);
      });
    });
  },
);

// It trusts whoever comes from this machine, whatever the password.
describeOn(
  DATABASES.filter(({ name }) => name === 'PostgreSQL'),
  (database) => {
    test('the password of a URL is in nothing that is said', async () => {
      const url = Object.assign(new URL(database().url!), { password: 'hunter2' }).href;
      const { code, stderr } = await type({}, 'people', 'grants', '--store', url, '--sub', 'a'.repeat(43));
      expect([code, stderr]).toEqual([
        0,
        expect.stringMatching(/^Nothing is granted by a+ in postgres:\/\/[\w.]+:\d+\/\w+\. /),
      ]);
    });
  },
);

describe('a store', () => {
  const ADA = ['--sub', 'a'.repeat(43)];
  const grants = (environment: Record<string, string>, ...args: string[]) =>
    type(environment, 'people', 'grants', ...args, ...ADA);

  test('is the one of STORE_URL where the command names none', async () => {
    const directory = mkdtempSync(join(tmpdir(), 'operator-'));
    const file = join(directory, 'auth.db');
    writeFileSync(file, '');
    vi.spyOn(process, 'cwd').mockReturnValue(directory);
    const { code, stderr } = await grants({ STORE_URL: `sqlite:${file}` });
    expect([code, stderr]).toEqual([0, expect.stringContaining(`Nothing is granted by ${ADA[1]} in sqlite:${file}. `)]);
  });

  test.each<[string, () => Promise<string>, RegExp]>([
    ['is not there', async () => 'sqlite:/nowhere/auth.db', /^There is no file \/nowhere\/auth\.db\.$/],
    ['is the memory of another process', async () => 'memory:', /^A store in memory: is the server process alone/],
    ['is of no known kind', async () => 'mysql://localhost/auth', /^The URL of the store begins with "mysql:"/],
    [
      'does not answer',
      async () => `postgres://auth:hunter2@127.0.0.1:${await freePort()}/auth`,
      /^PostgreSQL did not do what it was asked: ECONNREFUSED[^\n]*\.$/,
    ],
  ])('that %s is named in words, without a password', async (_, url, message) => {
    const { code, stdout, stderr } = await grants({}, '--store', await url());
    expect([code, stdout]).toEqual([1, '']);
    expect(stderr).toMatch(message);
    expect(stderr).not.toContain('hunter2');
  });

  test('is named once', async () => {
    const { stderr } = await grants({}, '--store', 'sqlite:auth.db', '--table', 'auth');
    expect(stderr).toMatch(/^Give --table or --store, not both\.\n/);
  });
});
