import { spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { Harness, REDIRECT_URI } from '../lambda/provider/harness';

const COMMAND = join(__dirname, '../../dist/bin/mcp-oidc-auth.js');

let harness: Harness;
beforeAll(async () => {
  harness = await Harness.start({ instances: 1 });
});
afterAll(() => harness[Symbol.asyncDispose]());

/** Runs the command as it is published. */
async function run(...args: string[]) {
  return runIn({}, ...args);
}

async function runIn(environment: Record<string, string>, ...args: string[]) {
  const env = { PATH: process.env.PATH, ...harness.environment, ...environment };
  const child = spawn(process.execPath, [COMMAND, ...args], { env, stdio: ['ignore', 'pipe', 'pipe'] });
  const ended = new Promise((resolve) => child.on('close', resolve));
  const [stdout, stderr] = await Promise.all([text(child.stdout), text(child.stderr)]);
  return { code: await ended, stdout, stderr };
}

describe('mcp-oidc-auth', () => {
  test('adds a client, ends what a person has granted to it, and removes it', async () => {
    const add = ['clients', 'add', '--table', 'auth', '--name', 'Our editor', '--redirect-uri', REDIRECT_URI];
    const client = JSON.parse((await run(...add)).stdout);
    const tokens: Record<string, string | undefined> = {};
    for (const sub of ['ada', 'bob']) {
      harness.upstream.claims = { sub };
      tokens[sub] = (await harness.redeem(client, await harness.signIn(client))).body.refresh_token;
    }

    const ada = ['--table', 'auth', '--issuer', harness.upstream.issuer, '--subject', 'ada'];
    const revoked = await run('people', 'revoke', ...ada);
    expect(revoked).toMatchObject({ code: 0, stdout: expect.stringContaining('Our editor') });
    expect((await harness.refresh(client, tokens.ada)).status).toBe(400);
    expect((await harness.refresh(client, tokens.bob)).status).toBe(200);

    expect((await run('clients', 'remove', '--table', 'auth', client.client_id)).code).toBe(0);
    expect((await harness.refresh(client, tokens.bob)).status).toBe(401);
  });

  test('says with its exit code that it could not', async () => {
    const { code, stdout, stderr } = await run('people', 'revoke', '--table', 'none', '--sub', 'x'.repeat(43));
    expect({ code, stdout, stderr }).toEqual({
      code: 1,
      stdout: '',
      stderr: expect.stringMatching(/^There is no table 'none' in the region us-east-1\. [^\n]+\n$/),
    });
  });

  test.each([
    ['20.19.0', 1],
    ['22.0.0', 0],
  ])('needs Node 22 for what operators do (here: %s)', async (version, expected) => {
    const directory = mkdtempSync(join(tmpdir(), 'node-'));
    const preload = join(directory, 'version.cjs');
    writeFileSync(preload, `Object.defineProperty(process.versions, 'node', { value: '${version}' });`);
    const { code, stderr } = await runIn({ NODE_OPTIONS: `--require ${preload}` }, 'people', '--help');
    expect({ code, stderr }).toEqual({
      code: expected,
      stderr: expected === 0 ? '' : 'people needs Node 22 or newer. This is Node 20.19.0.\n',
    });
  });

  test('--version prints the version', async () => {
    const { version } = JSON.parse(readFileSync('package.json', 'utf8'));
    expect(await run('--version')).toEqual({ code: 0, stdout: `${version}\n`, stderr: '' });
  });

  test.each(['people', 'clients', 'keys'])('%s --help shows its usage', async (command) => {
    const { code, stdout } = await run(command, '--help');
    expect({ code, stdout }).toEqual({
      code: 0,
      stdout: expect.stringMatching(new RegExp(`^Usage: mcp-oidc-auth ${command} `)),
    });
  });
});
