import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { smoke } from '../../smoke';
import type { Send } from '../../smoke/deployment';
import { type LocalStack, Person, startLocalStack } from '../e2e/local-stack';
import { Browser } from '../support/browser';

let local: LocalStack;
beforeAll(async () => {
  local = await startLocalStack();
});
afterAll(() => local?.[Symbol.asyncDispose]());

/** What there is between the command and the stack, or between the person and the command. */
interface Between {
  readonly send?: Send;
  readonly answer?: (parameters: URLSearchParams) => URLSearchParams;
}

/** The command with a person who opens what it shows. */
async function looked({ send, answer = (parameters) => parameters }: Between, browser = true) {
  const { issuer, mcpUrl } = local;
  const lines: string[] = [];
  const person = new Person(local, local.identityProvider.users[0]!, new Browser());
  const findings = await smoke({
    issuer,
    mcpUrl,
    browser,
    print: (line) => lines.push(line),
    async show(address) {
      const url = new URL(address);
      const redirectUri = url.searchParams.get('redirect_uri') ?? '';
      const page = await fetch(`${redirectUri}?${answer(await person.authorize(url, redirectUri))}`);
      expect(await page.text()).toBe('Close this window: the terminal goes on.');
    },
    send,
  });
  const named = (result: string) => findings.filter((finding) => finding.result === result).map(({ name }) => name);
  return { findings, lines, failed: named('FAIL'), noted: named('note') };
}

interface Change {
  readonly status?: number;
  readonly headers?: Record<string, string | undefined>;
  // biome-ignore lint/suspicious/noExplicitAny: whatever the server says
  readonly json?: (body: any) => unknown;
}

/** The stack, but its answers to some requests are others. */
function breaking(when: (path: string, init: RequestInit) => boolean, change: Change): Send {
  return async (url, init) => {
    const response = await fetch(url, init);
    if (!when(url.replace(local.issuer, '').replace(local.mcpUrl, 'MCP'), init)) return response;
    const headers = new Headers(response.headers);
    for (const [name, value] of Object.entries(change.headers ?? {})) {
      if (value === undefined) headers.delete(name);
      else headers.set(name, value);
    }
    const text = await response.text();
    const body = change.json ? JSON.stringify(change.json(JSON.parse(text))) : text;
    const status = change.status ?? response.status;
    return new Response(status === 204 ? null : body, { status, headers });
  };
}

const get = (wanted: string) => (path: string, init: RequestInit) => path === wanted && init.method === undefined;
const post = (wanted: string) => (path: string, init: RequestInit) => path === wanted && init.method === 'POST';
const preflight = (wanted: string) => (path: string, init: RequestInit) => path === wanted && init.method === 'OPTIONS';
const said = (init: RequestInit) => String(init.body);
const bearer = ({ headers }: RequestInit) => new Headers(headers).get('authorization') ?? '';
const withGrant = (type: string) => (path: string, init: RequestInit) =>
  path === '/token' && said(init).includes(`grant_type=${type}`);

let accessToken = '';
/** Remembers the token that was issued, so that a changed one can be told from it. */
const remembering = (send: Send): Send => {
  return async (url, init) => {
    const response = await send(url, init);
    if (url.endsWith('/token') && response.status === 200) {
      const issued = (await response.clone().json()) as { access_token: string };
      accessToken = issued.access_token;
    }
    return response;
  };
};
const withToken = (path: string, init: RequestInit) => path === 'MCP' && bearer(init) === `Bearer ${accessToken}`;
const withChangedToken = (path: string, init: RequestInit) =>
  path === 'MCP' && bearer(init).length > 200 && !withToken(path, init);

const METADATA = '/.well-known/oauth-authorization-server';
const error = { status: 500 };

/** What is broken, by the check that must see it. */
const BROKEN: [check: string, what: string, () => Between][] = [
  [
    'authorization server metadata',
    'another issuer',
    () => ({ send: breaking(get(METADATA), { json: (body) => ({ ...body, issuer: 'https://other.example' }) }) }),
  ],
  [
    'authorization server metadata',
    'a token endpoint elsewhere',
    () => ({ send: breaking(get(METADATA), { json: (body) => ({ ...body, token_endpoint: 'https://x.example' }) }) }),
  ],
  [
    'authorization server metadata',
    'plain PKCE',
    () => ({
      send: breaking(get(METADATA), { json: (b) => ({ ...b, code_challenge_methods_supported: ['plain', 'S256'] }) }),
    }),
  ],
  [
    'OpenID configuration',
    'no route',
    () => ({ send: breaking(get('/.well-known/openid-configuration'), { status: 404 }) }),
  ],
  ['key set', 'one key alone', () => ({ send: breaking(get('/jwks'), { json: ({ keys }) => ({ keys: [keys[0]] }) }) })],
  [
    'key set',
    'a private key',
    () => ({
      send: breaking(get('/jwks'), { json: ({ keys }) => ({ keys: [keys[0], { ...keys[1], d: 'secret' }] }) }),
    }),
  ],
  [
    'metadata for clients in a browser',
    'no CORS',
    () => ({ send: breaking(get(METADATA), { headers: { 'access-control-allow-origin': undefined } }) }),
  ],
  ['preflight of registration', 'no route', () => ({ send: breaking(preflight('/register'), { status: 404 }) })],
  [
    'preflight of the token endpoint',
    'no allowed headers',
    () => ({ send: breaking(preflight('/token'), { headers: { 'access-control-allow-headers': undefined } }) }),
  ],
  [
    'preflight of the MCP server',
    'a header forgotten',
    () => ({
      send: breaking(preflight('MCP'), { headers: { 'access-control-allow-headers': 'Authorization, Content-Type' } }),
    }),
  ],
  [
    'call without a token',
    'a challenge that API Gateway has renamed',
    () => ({
      send: breaking((path, init) => post('MCP')(path, init) && bearer(init) === '', {
        headers: { 'www-authenticate': undefined, 'x-amzn-remapped-www-authenticate': 'Bearer resource_metadata="x"' },
      }),
    }),
  ],
  [
    'call with a token that is none',
    'a header mapping without the metadata',
    () => ({
      send: breaking((path, init) => path === 'MCP' && bearer(init).startsWith('Bearer eyJhbGciOiJub25lIn0'), {
        headers: { 'www-authenticate': 'Bearer scope="notes:use"' },
      }),
    }),
  ],
  [
    'protected resource metadata',
    'another authorization server',
    () => ({
      send: breaking((path) => path.includes('oauth-protected-resource'), {
        json: (body) => ({ ...body, authorization_servers: ['https://other.example'] }),
      }),
    }),
  ],
  ['registration', 'an error', () => ({ send: breaking(post('/register'), error) })],
  [
    'consent page',
    'cookies that get lost on the way',
    () => ({
      send: breaking((path) => path.startsWith('/authorize') || path.startsWith('/interaction'), {
        headers: { 'set-cookie': undefined },
      }),
    }),
  ],
  [
    'consent page',
    'no content security policy',
    () => ({
      send: breaking((path) => path.startsWith('/interaction'), { headers: { 'content-security-policy': undefined } }),
    }),
  ],
  [
    'authorization request for an address that is not the client’s',
    'a redirect there',
    () => ({
      send: breaking((path) => path.includes('attacker'), {
        status: 303,
        headers: { location: 'https://attacker.example/callback?error=invalid_request' },
      }),
    }),
  ],
  [
    'code that was never issued',
    'a 500',
    () => ({ send: breaking((path, init) => path === '/token' && said(init).includes('code=xxx'), error) }),
  ],
  [
    'code that was never issued',
    'an answer that caches keep',
    () => ({ send: breaking(withGrant('authorization_code'), { headers: { 'cache-control': 'max-age=60' } }) }),
  ],
  [
    'sign-in',
    'another iss',
    () => ({
      answer: (parameters) => {
        parameters.set('iss', 'https://other.example');
        return parameters;
      },
    }),
  ],
  [
    'sign-in',
    'another state',
    () => ({
      answer: (parameters) => {
        parameters.set('state', 'other');
        return parameters;
      },
    }),
  ],
  ['sign-in', 'an error', () => ({ answer: () => new URLSearchParams({ error: 'access_denied' }) })],
  [
    'access token',
    'a signature of nobody',
    () => ({
      send: breaking((path, init) => withGrant('authorization_code')(path, init) && !said(init).includes('code=xxx'), {
        json: (body) => ({ ...body, access_token: `${body.access_token.slice(0, -8)}AAAAAAAA` }),
      }),
    }),
  ],
  [
    'access token',
    'no refresh token',
    () => ({
      send: breaking((path, init) => withGrant('authorization_code')(path, init) && !said(init).includes('code=xxx'), {
        json: ({ refresh_token, ...body }) => body,
      }),
    }),
  ],
  ['call with the token', 'no permission', () => ({ send: remembering(breaking(withToken, { status: 503 })) })],
  [
    'call with a token that was changed',
    'an authorizer that lets everyone through',
    () => ({ send: remembering(breaking(withChangedToken, { status: 200 })) }),
  ],
  ['refresh', 'an error', () => ({ send: breaking(withGrant('refresh_token'), error) })],
  [
    'revocation',
    'none at all',
    () => ({
      send: async (url, init) => (url.endsWith('/revoke') ? new Response(null, { status: 200 }) : fetch(url, init)),
    }),
  ],
];

/** The checks that take a person. */
const SIGN_IN = BROKEN.map(([check]) => check).slice(BROKEN.findIndex(([check]) => check === 'sign-in'));

/** What cannot be seen any more without what a check looks at. */
const WITHOUT: Record<string, string[]> = {
  'call without a token': ['protected resource metadata'],
  registration: [
    'consent page',
    'authorization request for an address that is not the client’s',
    'code that was never issued',
  ],
};

describe('smoke', () => {
  it('finds a healthy stack as it must be, from the metadata to the revocation', async () => {
    const { findings, lines, failed, noted } = await looked({});
    expect([...failed, ...noted]).toEqual([]);
    expect(lines).toHaveLength(findings.length);
    for (const line of lines) expect(line).toMatch(/^ok {4}.+: expected .+; found .+$/);
    // Each check that may fail is shown to fail below.
    const assumptions = findings.filter(({ name }) => / API$/.test(name));
    const others = findings.filter((finding) => !assumptions.includes(finding)).map(({ name }) => name);
    expect(others).toEqual([...new Set(BROKEN.map(([check]) => check))]);
    expect(assumptions).toHaveLength(5);
  });

  it.each(BROKEN)('sees in "%s": %s', async (check, _, between) => {
    const { failed, lines } = await looked(between(), SIGN_IN.includes(check));
    expect(lines.find((line) => line.startsWith(`FAIL  ${check}: expected `))).toBeTruthy();
    // It is that check which sees it, and no other by the way.
    expect(failed).toEqual([check, ...(WITHOUT[check] ?? [])]);
  });

  it('says where an assumption is wrong, without failing', async () => {
    const { failed, noted } = await looked({
      send: breaking((_, { headers }) => new Headers(headers).has('x-long'), { status: 400 }),
    });
    expect(failed).toEqual([]);
    expect(noted).toEqual(['11,000 bytes of headers, HTTP API', '11,000 bytes of headers, REST API']);
  });

  it('is content with an HTTP API, which cannot send the challenge', async () => {
    const { origin, pathname } = new URL(local.mcpUrl);
    const atStage = `${origin}/prod/.well-known/oauth-protected-resource/mcp`;
    const { failed, lines } = await looked(
      {
        async send(url, init) {
          // HTTP APIs have no stage in their paths: the well-known address is theirs.
          if (url === `${origin}/.well-known/oauth-protected-resource${pathname}`) return fetch(atStage, init);
          const response = await fetch(url, init);
          if (url !== local.mcpUrl || response.status !== 401) return response;
          return new Response('{"message":"Unauthorized"}', { status: 401 });
        },
      },
      false,
    );
    expect(failed).toEqual([]);
    expect(lines.join('\n')).toContain('which an HTTP API cannot send');
  });

  it('fails on everything where nothing answers', async () => {
    const { findings } = await looked({ send: () => fetch('http://127.0.0.1:1') });
    for (const { result, found } of findings) {
      expect(result).not.toBe('ok');
      expect(found).toMatch(/^no answer from http/);
    }
  });
});

describe('mcp-oidc-auth smoke', () => {
  const command = join(__dirname, '..', '..', 'dist', 'bin', 'mcp-oidc-auth.js');
  const run = (...args: string[]) =>
    promisify(execFile)(process.execPath, [command, 'smoke', ...args]).then(
      ({ stdout }) => ({ code: 0, stdout, stderr: '' }),
      (failed: { code: number; stdout: string; stderr: string }) => failed,
    );

  it('ends with 0 where nothing fails, whether there is a slash after the issuer or not', async () => {
    const { code, stdout } = await run(`${local.issuer}/`, local.mcpUrl);
    expect(code).toBe(0);
    expect(stdout).toContain('19 checks, 0 failed.\nNobody has signed in. With --browser a sign-in is looked at, too.');
  });

  it('ends with 1 where something fails', async () => {
    const { code, stdout } = await run(local.issuer, `${new URL(local.mcpUrl).origin}/prod/other`);
    expect(code).toBe(1);
    expect(stdout).toMatch(/^FAIL {2}call without a token: expected 401, .+; found 403/m);
    expect(stdout).toMatch(/^19 checks, [1-9]\d* failed\.$/m);
  });

  it.each([[], ['https://auth.example.com'], ['auth.example.com', 'mcp.example.com'], ['a:', 'b', 'c'], ['--what']])(
    'says what it needs: %j',
    async (...args: string[]) => {
      const { code, stderr } = await run(...args);
      expect(code).toBe(1);
      expect(stderr).toContain('Usage: mcp-oidc-auth smoke ISSUER MCP_URL [--browser]');
    },
  );

  it('explains itself', async () => {
    expect(await run('--help')).toMatchObject({
      code: 0,
      stdout: expect.stringMatching(/^Usage: mcp-oidc-auth smoke/),
    });
  });
});
