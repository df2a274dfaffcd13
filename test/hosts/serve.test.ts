import { execFile } from 'node:child_process';
import { mkdtemp, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { McpApp } from '../e2e/mcp-app';
import { CLIENT_2, SDK_1 } from '../e2e/official-sdks';
import { createTable } from '../lambda/store/dynamodb';
import { postgresMissing, startPostgres } from '../stores/postgres-server';
import { redisMissing, startRedis, type TestServer } from '../stores/redis-server';
import { startFront } from '../stores/silent-front';
import { freePort } from '../support/free-port';
import { noteNotRun } from '../support/not-run';
import { ServerProcess } from '../support/server-process';
import { startUpstreamIssuer, type UpstreamIssuer } from '../support/upstream-issuer';
import { type ResourceServer, startResourceServer } from './resource-server';
import { Visitor } from './visitor';

const COMMAND = resolve('dist/bin/mcp-oidc-auth.js');
const SECRETS = {
  UPSTREAM_CLIENT_SECRET: 'the-client-secret-of-upstream',
  SESSION_SECRET: 'the-secret-of-thirty-two-letters',
};

let upstream: UpstreamIssuer;
beforeAll(async () => {
  upstream = await startUpstreamIssuer();
});
afterAll(() => upstream[Symbol.asyncDispose]());

const stopping: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  delete upstream.failure;
  for (const stop of stopping.splice(0).reverse()) await stop();
});

interface Served {
  readonly mcp: ResourceServer;
  readonly env: Record<string, string>;
  /** Another process with the same settings. */
  process(more?: Record<string, string>): ServerProcess;
  /** What another command prints, beside it. */
  command(...args: string[]): Promise<string>;
}

/** @param store `STORE_URL`, and what else its database needs */
async function served(store: Record<string, string>, directory?: string): Promise<Served> {
  const port = await freePort();
  const issuer = `http://localhost:${port}`;
  const mcp = await startResourceServer(issuer);
  stopping.push(async () => mcp[Symbol.asyncDispose]());
  const cwd = directory ?? (await mkdtemp(join(tmpdir(), 'serve-')));
  const env = {
    OIDC_ISSUER: issuer,
    OIDC_PORT: String(port),
    UPSTREAM_ISSUER: upstream.issuer,
    UPSTREAM_CLIENT_ID: 'mcp',
    MCP_RESOURCES: mcp.mcpUrl,
    ...SECRETS,
    ...store,
  };
  return {
    mcp,
    env,
    process(more = {}) {
      const options = { cwd, env: { PATH: process.env.PATH, ...env, ...more } };
      const server = new ServerProcess(process.execPath, [COMMAND, 'serve'], 'server.listening', options);
      stopping.push(() => server.stop());
      return server;
    },
    async command(...args) {
      const options = { cwd, env: { PATH: process.env.PATH, ...env } };
      return (await promisify(execFile)(process.execPath, [COMMAND, ...args], options)).stdout.trim();
    },
  };
}

/** At the process with this URL, with the app's refresh token. */
function refresh(app: McpApp, url: string): Promise<Response> {
  const params = {
    grant_type: 'refresh_token',
    refresh_token: app.current!.refresh_token!,
    client_id: app.clientInformation()!.client_id,
  };
  return fetch(`${url}/token`, { method: 'POST', body: new URLSearchParams(params) });
}

const SQLITE = { STORE_URL: 'sqlite:auth.db' };

async function startDynamoDb() {
  const table = await createTable();
  stopping.push(async () => table[Symbol.asyncDispose]());
  const aws = { AWS_REGION: 'us-east-1', AWS_ACCESS_KEY_ID: 'test', AWS_SECRET_ACCESS_KEY: 'test' };
  return { STORE_URL: `dynamodb:${table.tableName}`, AWS_ENDPOINT_URL_DYNAMODB: table.endpoint, ...aws };
}

async function startServer(start: () => Promise<TestServer>) {
  const { url, process } = await start();
  stopping.push(() => process.stop('SIGINT'));
  return { STORE_URL: url };
}

/** What runs here; the others are said to be missing at the end. */
const DATABASES: [name: string, start: () => Promise<Record<string, string>>][] = [
  ['SQLite', async () => SQLITE],
  ['DynamoDB', startDynamoDb],
];
if (redisMissing) noteNotRun(redisMissing);
else DATABASES.push(['Redis', () => startServer(startRedis)]);
if (postgresMissing) noteNotRun(postgresMissing);
else DATABASES.push(['PostgreSQL', () => startServer(startPostgres)]);

describe.each(DATABASES)('serve, on %s', (_, startDatabase) => {
  it.each([CLIENT_2, SDK_1])(
    'serves $name, is started anew with nobody signed out, and tells its log no secret',
    async (sdk) => {
      const { mcp, process: next } = await served(await startDatabase());
      const server = next();
      await server.start();
      const app = new McpApp(mcp.mcpUrl, new Visitor(), { sdk });
      await app.connect();
      const { sub } = JSON.parse(await app.call('whoami'));
      const before = app.current!;

      await server.stop();
      await server.start();
      expect(JSON.parse(await app.call('whoami'))).toMatchObject({ sub, aud: mcp.mcpUrl, scope: 'mcp:use' });
      app.current = { ...before, access_token: 'worn out' };
      expect(JSON.parse(await app.call('whoami'))).toMatchObject({ sub });
      expect(app.current.refresh_token).not.toBe(before.refresh_token);
      expect(app.authorizations).toHaveLength(1);
      await app.close();

      const lines = server.output.trim().split('\n');
      const events = lines.map((line) => JSON.parse(line).event);
      expect(events).toEqual(
        expect.arrayContaining(['server.listening', 'person.signed_in', 'token.issued', 'server.stopped']),
      );
      for (const secret of [...app.secrets, ...Object.values(SECRETS)]) expect(server.output).not.toContain(secret);
    },
  );

  it('runs in several processes, which have one set of keys and one memory', async () => {
    const first = await served(await startDatabase());
    const port = String(await freePort());
    const both = [first.process(), first.process({ OIDC_PORT: port })];
    await Promise.all(both.map((server) => server.start()));
    const [one, other] = await Promise.all(
      [first.env.OIDC_ISSUER, `http://localhost:${port}`].map(async (url) => (await fetch(`${url}/jwks`)).json()),
    );
    expect(one).toEqual(other);
    const app = new McpApp(first.mcp.mcpUrl, new Visitor());
    await app.connect();
    // A refresh at the process that has not issued the token.
    expect((await refresh(app, `http://localhost:${port}`)).status).toBe(200);
  });

  it("is looked after by the operators' commands, which have the same settings", async () => {
    const { mcp, env, command, process: next } = await served(await startDatabase());
    const server = next();
    await server.start();
    const app = new McpApp(mcp.mcpUrl, new Visitor());
    await app.connect();
    const { sub } = JSON.parse(await app.call('whoami'));

    const credential = JSON.parse(await command('clients', 'add', '--name', 'Whoami', '--resource', mcp.mcpUrl));
    const asked = await fetch(`${env.OIDC_ISSUER}/introspect`, {
      method: 'POST',
      body: new URLSearchParams({
        token: app.current!.access_token,
        client_id: credential.client_id,
        client_secret: credential.client_secret,
      }),
    });
    expect(await asked.json()).toMatchObject({ active: true, sub });

    const published = async () => {
      const { keys } = (await (await fetch(`${env.OIDC_ISSUER}/jwks`)).json()) as { keys: { kid: string }[] };
      return keys.map(({ kid }) => kid);
    };
    const kid = await command('keys', 'rotate', '--revoke-current');
    expect(await published()).toContain(kid);
    await server.stop();
    await server.start();
    expect(await published()).not.toContain(kid);

    const person = ['--sub', sub];
    expect(await command('people', 'grants', ...person)).toContain(mcp.mcpUrl);
    expect(await command('people', 'revoke', ...person)).toContain(mcp.mcpUrl);
    expect(await command('people', 'grants', ...person)).toBe('');
    expect((await refresh(app, env.OIDC_ISSUER!)).status).toBe(400);
  });
});

describe('serve', () => {
  it('takes its settings from .env, unless the environment has them', async () => {
    const cwd = await mkdtemp(join(tmpdir(), 'serve-'));
    const { env, process: next } = await served(SQLITE, cwd);
    const lines = Object.entries({ ...SECRETS, UPSTREAM_CLIENT_ID: 'of the file', OIDC_PORT: '1' });
    await writeFile(join(cwd, '.env'), lines.map(([name, value]) => `${name}="${value}"`).join('\n'));
    const fromFile = Object.fromEntries(Object.keys(SECRETS).map((name) => [name, '']));
    const server = next(fromFile);
    await server.start();
    expect((await fetch(`${env.OIDC_ISSUER}/ready`)).status).toBe(200);
  });

  it('ends with an error and a word for each setting that is missing or wrong', async () => {
    const cwd = await mkdtemp(join(tmpdir(), 'serve-'));
    const env = { PATH: process.env.PATH, STORE_URL: 'sqlite:auth.db', TRUSTED_PROXIES: 'two' };
    const failed = await promisify(execFile)(process.execPath, [COMMAND, 'serve'], { cwd, env }).catch(
      (error) => error,
    );
    expect(failed).toMatchObject({ code: 1, stdout: '' });
    const named = failed.stderr.split('\n').flatMap((line: string) => /^- (\w+): got .*; needs /.exec(line)?.[1] ?? []);
    expect(named.toSorted()).toEqual([
      'OIDC_ISSUER',
      'SESSION_SECRET',
      'TRUSTED_PROXIES',
      'UPSTREAM_CLIENT_ID',
      'UPSTREAM_CLIENT_SECRET',
      'UPSTREAM_ISSUER',
    ]);
  });

  it.skipIf(redisMissing !== undefined)('ends when it is told to, also while its database is silent', async () => {
    const redis = await startRedis();
    stopping.push(() => redis.process.stop());
    await using front = await startFront(redis.url);
    const { env, process: next } = await served({ STORE_URL: front.url });
    const server = next();
    await server.start();
    expect((await fetch(`${env.OIDC_ISSUER}/ready`)).status).toBe(200);
    front.silence();
    const params = { grant_type: 'refresh_token', refresh_token: 'grant.token', client_id: 'client' };
    const response = await fetch(`${env.OIDC_ISSUER}/token`, { method: 'POST', body: new URLSearchParams(params) });
    expect(response.status).toBe(503);
    await server.stop();
    expect(server.output).toContain('server.stopped');
  });

  it('says how it is called where an argument is not known', async () => {
    const failed = await promisify(execFile)(process.execPath, [COMMAND, 'serve', '--port', '3']).catch(
      (error) => error,
    );
    expect(failed).toMatchObject({ code: 1, stdout: '' });
    expect(failed.stderr).toMatch(/Unknown option '--port'.*Usage: mcp-oidc-auth serve.*OIDC_PORT/s);
  });

  it('goes on, and ends as it should, where nobody reads its log any more', async () => {
    const { env, process: next } = await served(SQLITE);
    const server = next();
    await server.start();
    server.closeOutput();
    upstream.failure = 503;
    // The one is logged on stdout, the other on stderr.
    for (const [path, status] of [
      ['/jwks', 200],
      ['/ready', 503],
      ['/jwks', 200],
      ['/ready', 503],
    ] as const) {
      expect((await fetch(`${env.OIDC_ISSUER}${path}`)).status).toBe(status);
    }
    await server.stop();
    expect(server.exitCode).toBe(0);
  });

  it('does not start with another secret than that of its store, and says what would help', async () => {
    const { process: next } = await served(SQLITE, await mkdtemp(join(tmpdir(), 'serve-')));
    const server = next();
    await server.start();
    await server.stop();
    const SESSION_SECRET = 'another-secret-of-as-many-letters';
    await expect(next({ SESSION_SECRET }).start()).rejects.toThrow(/- SESSION_SECRET: got one that does not open/);
    const changed = next({ SESSION_SECRET, SESSION_SECRET_PREVIOUS: SECRETS.SESSION_SECRET });
    await changed.start();
    await changed.stop();
    await next({ SESSION_SECRET }).start();
  });
});
