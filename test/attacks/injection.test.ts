import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { currentRequest } from '../../lambda/provider/log';
import { atCallback, atClient, Harness, REDIRECT_URI } from '../lambda/provider/harness';

let harness: Harness;
let lines: string[];
beforeAll(async () => {
  harness = await Harness.start({ upstream: { allow: [{ claim: 'team', values: ['notes'] }] } });
});
afterAll(() => harness[Symbol.asyncDispose]());
beforeEach(() => {
  harness.upstream.claims = { sub: 'ada', team: 'notes' };
  lines = [];
  for (const method of ['log', 'info', 'warn', 'error', 'debug'] as const) {
    vi.spyOn(console, method).mockImplementation((...args) => lines.push(args.map(String).join(' ')));
  }
});
afterEach(() => {
  vi.restoreAllMocks();
});

const MARKUP = `</title></style><script>alert(1)</script><img src=x onerror=alert(1)>"'`;
/** Clears the screen and turns what follows, by the seven-bit and the eight-bit introducer; a second line; the directions of a text. */
const TERMINAL = '\u001b[2J\u009b31m\u0007\u007f\u0085\r\n{"event":"forged"}\u2028\u202e\u2066\u{e0041}';

/** That nothing of a page can run, whatever it shows. */
function expectInert({ text, headers }: { text: string; headers: Headers }): void {
  expect(text).not.toMatch(/<script|<img src=x/i);
  expect(headers.get('content-type')).toBe('text/html; charset=utf-8');
  expect(headers.get('x-content-type-options')).toBe('nosniff');
  expect(headers.get('content-security-policy')).toContain("default-src 'none'");
}

/** That each entry of the log is one line of JSON in characters that a terminal only shows. */
function expectPlainLog(): void {
  expect(lines.length).toBeGreaterThan(0);
  for (const line of lines) {
    expect(line).not.toMatch(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/u);
    expect(JSON.parse(line)).not.toMatchObject({ event: 'forged' });
  }
}

describe('markup', () => {
  it('in everything that a client says of itself is text on the consent page', async () => {
    const client = await harness.register({
      client_name: MARKUP,
      client_uri: `https://client.example.com/${MARKUP}`,
      logo_uri: `https://client.example.com/${MARKUP}`,
      redirect_uris: [REDIRECT_URI],
    });
    const page = await harness
      .browser()
      .open(harness.authorizationRequest(client, { state: MARKUP, scope: MARKUP }).url);
    expect([page.status, page.text.includes('&#60;script&#62;')]).toEqual([200, true]);
    expectInert(page);
  });

  it.each([
    'client_id',
    'redirect_uri',
    'resource',
    'state',
    'scope',
    'response_type',
    'prompt',
    'code_challenge',
    'nonce',
    'request',
    'request_uri',
    'claims',
  ])(
    'in the parameter %s is text wherever a page shows it, and never leaves for another place than the client’s',
    async (name) => {
      const client = await harness.register();
      const { url } = harness.authorizationRequest(client, {
        [name]: MARKUP,
        scope: name === 'scope' ? MARKUP : 'openid',
      });
      const page = await harness.browser().open(url, atClient);
      if (page.status > 0) expectInert(page);
    },
  );

  it.each(['state', 'code', 'error', 'error_description', 'iss'])('in upstream’s %s is text', async (name) => {
    const client = await harness.register();
    const browser = harness.browser();
    const page = await browser.open(harness.authorizationRequest(client).url);
    const { url } = await browser.submit(page, 'allow', {}, atCallback);
    url.searchParams.set(name, MARKUP);
    const answer = await browser.open(url, atClient);
    if (answer.status > 0) expectInert(answer);
    else expect(answer.url.href).not.toContain('alert');
  });

  it('in a path that leads nowhere is no markup of the answer', async () => {
    for (const path of ['/authorize/', '/interaction/', '/']) {
      const inPath = MARKUP.replaceAll('/', '');
      const { status, body } = await harness.request({ path: path + inPath });
      expect(status).toBe(404);
      expect(String(body)).not.toContain(inPath);
    }
  });

  it('in the claims of the person is text on the page that keeps the account out', async () => {
    harness.upstream.claims = { sub: MARKUP, email: `${MARKUP}@example.com`, name: MARKUP, team: 'other' };
    const client = await harness.register();
    const browser = harness.browser();
    const page = await browser.open(harness.authorizationRequest(client).url);
    const out = await browser.submit(page, 'allow', {}, atClient);
    expect([out.status, out.text.includes('&#60;script&#62;')]).toEqual([403, true]);
    expectInert(out);
  });
});

describe('a command for the terminal', () => {
  it('in what a client says of itself and asks for reaches no log', async () => {
    const client = await harness.register({ client_name: TERMINAL });
    await harness.signIn(client, { state: TERMINAL });
    await harness.redeem({ client_id: TERMINAL }, { code: TERMINAL, codeVerifier: TERMINAL });
    await harness.refresh({ client_id: TERMINAL }, `${TERMINAL}.x`, { scope: TERMINAL, resource: TERMINAL });
    await harness.token({ grant_type: TERMINAL, client_id: client.client_id });
    await harness.register({ redirect_uris: [TERMINAL] });
    await harness.register({ token_endpoint_auth_method: TERMINAL });
    for (const name of ['client_id', 'redirect_uri', 'response_type', 'code_challenge_method', 'resource']) {
      await harness.fetch(harness.authorizationRequest(client, { [name]: TERMINAL }).url);
    }
    expectPlainLog();
  });

  it('in upstream’s error reaches no log', async () => {
    const client = await harness.register();
    const browser = harness.browser();
    const page = await browser.open(harness.authorizationRequest(client).url);
    const { url } = await browser.submit(page, 'allow', {}, atCallback);
    url.searchParams.delete('code');
    url.searchParams.set('error', 'access_denied');
    url.searchParams.set('error_description', `tried ${TERMINAL}`);
    await browser.open(url, atClient);
    expect(lines.join()).toContain('"event":"upstream.refused"');
    expect(lines.join()).toContain('tried \\u001b[2J\\u009b31m');
    expectPlainLog();
  });

  it('in the claims of the person reaches no log', async () => {
    harness.upstream.claims = { sub: TERMINAL, email: TERMINAL, name: TERMINAL, team: TERMINAL };
    const client = await harness.register();
    const browser = harness.browser();
    const page = await browser.open(harness.authorizationRequest(client).url);
    await browser.submit(page, 'allow', {}, atClient);
    expect(lines.join()).toContain('"event":"person.not_allowed"');
    expectPlainLog();
  });

  it('in the id of a request reaches no log', async () => {
    await currentRequest.run({ id: TERMINAL }, () => harness.fetch('/callback'));
    expectPlainLog();
  });
});

describe('a second header', () => {
  const LINES = 'x\r\nset-cookie: planted=1\r\n\r\n<script>alert(1)</script>';

  it.each(['state', 'scope', 'resource', 'client_id', 'redirect_uri', 'response_mode'])(
    'is not made of %s',
    async (name) => {
      const client = await harness.register();
      const { url } = harness.authorizationRequest(client, {
        [name]: LINES,
        ...(name === 'state' ? { response_type: 'token' } : {}),
      });
      const { headers, cookies } = await harness.request({ path: url.pathname, query: url.search.slice(1) });
      for (const value of [...Object.values(headers), ...cookies]) expect(value).not.toMatch(/[\r\n]/);
      expect(cookies.filter((cookie) => cookie.startsWith('planted'))).toEqual([]);
    },
  );
});
