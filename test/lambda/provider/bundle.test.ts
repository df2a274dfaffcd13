import { execFile } from 'node:child_process';
import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { describe, expect, it } from 'vitest';
import { CONFIG } from '../../../lib/contract';
import { Harness } from './harness';

const folder = join(__dirname, '../../../assets/provider');
const bundle = join(folder, 'index.js');

/** Runs a script in a fresh process that has the function's environment. */
async function run(harness: Harness, script: string): Promise<Record<string, unknown>> {
  const { stdout } = await promisify(execFile)(process.execPath, ['-e', script], {
    env: { ...harness.environment, [CONFIG]: JSON.stringify(harness.config) },
  });
  return JSON.parse(stdout.trim().split('\n').at(-1) ?? '');
}

const call = (method: string, path: string, body = '') => `
  const print = console.log;
  // For a list as a language has it Node loads what it knows of languages.
  let lists = 0;
  Intl.ListFormat = new Proxy(Intl.ListFormat, { construct: (...of) => { lists++; return Reflect.construct(...of); } });
  console.log = console.error = () => {};
  const { handler } = require(${JSON.stringify(bundle)});
  const event = {
    rawPath: ${JSON.stringify(path)}, rawQueryString: '', headers: { 'content-type': 'application/x-www-form-urlencoded' },
    body: ${JSON.stringify(body)},
    requestContext: { requestId: 'r', http: { method: ${JSON.stringify(method)}, path: ${JSON.stringify(path)}, sourceIp: '203.0.113.7' } },
  };
  handler(event, { getRemainingTimeInMillis: () => 29_000 }).then(({ statusCode, headers }) => {
    const loaded = [...process.moduleLoadList, ...Object.keys(require.cache)];
    const late = ['undici', 'NativeModule assert', 'NativeModule zlib', 'openid-client'];
    const needless = late.filter((part) => loaded.some((name) => name.includes(part)));
    if (lists > 0) needless.push('Intl.ListFormat');
    print(JSON.stringify({ statusCode, type: headers['content-type'], cache: headers['cache-control'], needless }));
    process.exit();
  });`;

describe('the bundle of the authorization server', () => {
  it('is small, because it starts in the way of the first click', () => {
    expect(statSync(bundle).size).toBeLessThanOrEqual(640 * 1024);
  });

  it('is small with all that it loads later', () => {
    const files = readdirSync(folder).map((name) => statSync(join(folder, name)).size);
    expect(files.reduce((sum, size) => sum + size)).toBeLessThanOrEqual(750 * 1024);
  });

  it('has nothing of what looks for credentials elsewhere than in the environment, and no debugger', () => {
    const text = readFileSync(bundle, 'utf8');
    for (const name of [
      'fromSSO',
      'fromInstanceMetadata',
      'AssumeRoleWithWebIdentity',
      'formatArgs',
      'application/vnd.',
    ])
      expect(text).not.toContain(name);
  });

  it('has what asks upstream in a file beside it, which is loaded when there is something to ask', () => {
    // An error code of openid-client's.
    const code = 'OAUTH_RESPONSE_BODY_ERROR';
    expect(readFileSync(bundle, 'utf8')).not.toContain(code);
    expect(readFileSync(join(folder, 'openid-client.js'), 'utf8')).toContain(code);
  });

  it.each([
    ['GET', '/jwks', 200, 'application/jwk-set+json; charset=utf-8', 'public, max-age=60'],
    ['GET', '/.well-known/openid-configuration', 200, 'application/json; charset=utf-8', 'public, max-age=300'],
    ['GET', '/.well-known/oauth-authorization-server', 200, 'application/json; charset=utf-8', 'public, max-age=300'],
  ])(
    'answers %s %s with its type and for as long as it may be kept, and loads nothing that it does not need',
    async (method, path, statusCode, type, cache) => {
      await using harness = await Harness.start({ instances: 1 });
      const answer = await run(harness, call(method, path));
      expect(answer).toEqual({ statusCode, type, cache, needless: [] });
    },
  );

  it('answers a refresh without loading what only other requests need', async () => {
    await using harness = await Harness.start({ instances: 1 });
    const client = await harness.register();
    const { body } = await harness.redeem(client, await harness.signIn(client));
    const params = { grant_type: 'refresh_token', client_id: client.client_id!, refresh_token: body.refresh_token! };
    const answer = await run(harness, call('POST', '/token', new URLSearchParams(params).toString()));
    expect(answer).toMatchObject({ statusCode: 200, cache: 'no-store', needless: [] });
  });
});
