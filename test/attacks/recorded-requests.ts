import { vi } from 'vitest';
import type { HttpRequest } from '../../lambda/provider/http';
import { Harness, REDIRECT_URI } from '../lambda/provider/harness';

export interface Recorded {
  readonly valid: Readonly<Record<string, HttpRequest>>;
  /** What was issued and presented on the way. */
  readonly secrets: readonly string[];
}

/** One request of each kind as it really is: each from a sign-in of its own that has come just so far. */
export async function recordRequests(harness: Harness): Promise<Recorded> {
  const requests: HttpRequest[] = [];
  const request = vi.spyOn(harness, 'request');
  const last = (path: string, method = 'GET') =>
    requests.findLast((each) => each.path.startsWith(path) && each.method === method) as HttpRequest;
  request.mockImplementation(function (this: Harness, given) {
    requests.push({ headers: {}, body: Buffer.alloc(0), sourceIp: '203.0.113.7', query: '', ...given } as HttpRequest);
    return Harness.prototype.request.call(harness, given);
  });

  await harness.fetch('/.well-known/oauth-authorization-server', { headers: { 'mcp-protocol-version': '2026-07-28' } });
  await harness.fetch('/.well-known/openid-configuration');
  await harness.fetch('/jwks');
  await harness.fetch('/token', {
    method: 'OPTIONS',
    headers: { origin: 'https://client.example.com', 'access-control-request-method': 'POST' },
  });
  const client = await harness.register({ token_endpoint_auth_method: 'client_secret_post' });
  const stopAt = (prefix: string) => (url: URL) => url.pathname.startsWith(prefix);
  const begin = async () => {
    const browser = harness.browser();
    const { url, codeVerifier } = harness.authorizationRequest(client, { scope: 'openid notes:write', nonce: 'n' });
    return { browser, codeVerifier, consent: await browser.open(url) };
  };

  const atConsent = await begin();
  const shown = last('/interaction/');
  const answered = await begin();
  await answered.browser.submit(answered.consent, 'allow', {}, stopAt('/callback'));
  const decided = {
    ...last('/interaction/', 'POST'),
    path: atConsent.consent.url.pathname,
    headers: {
      ...last('/interaction/', 'POST').headers,
      cookie: atConsent.browser.cookieHeader(atConsent.consent.url),
    },
    body: Buffer.from(`decision=allow&token=${/name="token" value="([^"]+)"/.exec(atConsent.consent.text)?.[1]}`),
  };
  const calledBack = await begin();
  const callback = await calledBack.browser.submit(calledBack.consent, 'allow', {}, stopAt('/callback'));
  const resumed = await begin();
  const resume = await resumed.browser.submit(resumed.consent, 'deny', {}, stopAt('/authorize/'));
  const unredeemed = await harness.signIn(client);
  const secret = { client_secret: client.client_secret };
  const { body } = await harness.redeem(client, await harness.signIn(client), secret);
  const form = (path: string, params: Record<string, string | undefined>) => {
    const body = new URLSearchParams();
    for (const [name, value] of Object.entries(params)) if (value !== undefined) body.set(name, value);
    const headers = { 'content-type': 'application/x-www-form-urlencoded' };
    return { ...last('/token', 'POST'), path, headers, body: Buffer.from(body.toString()) };
  };
  const navigation = (browser: typeof resumed.browser, url: URL) => ({
    ...last('/authorize'),
    path: url.pathname,
    query: url.search.slice(1),
    headers: { accept: 'text/html', cookie: browser.cookieHeader(url) },
  });
  const valid = {
    'GET root': { ...last('/jwks'), path: '/', headers: { accept: 'text/html', 'accept-language': 'de-AT,en;q=0.5' } },
    'GET OAuth metadata': last('/.well-known/oauth-authorization-server'),
    'GET OpenID metadata': last('/.well-known/openid-configuration'),
    'GET key set': last('/jwks'),
    'OPTIONS token': last('/token', 'OPTIONS'),
    'POST register': last('/register', 'POST'),
    'GET authorize': requests.find(({ path }) => path === '/authorize') as HttpRequest,
    'GET interaction': shown,
    'POST interaction': decided,
    'GET callback': navigation(calledBack.browser, callback.url),
    'GET resume': navigation(resumed.browser, resume.url),
    'POST token, code': form('/token', {
      grant_type: 'authorization_code',
      client_id: client.client_id,
      ...secret,
      code: unredeemed.code,
      code_verifier: unredeemed.codeVerifier,
      redirect_uri: REDIRECT_URI,
      resource: 'https://mcp.example.com/mcp',
    }),
    'POST token, refresh': form('/token', {
      grant_type: 'refresh_token',
      client_id: client.client_id,
      ...secret,
      refresh_token: body.refresh_token,
      resource: 'https://mcp.example.com/mcp',
    }),
    'POST revoke': form('/revoke', {
      client_id: client.client_id,
      ...secret,
      token: 'a.b',
      token_type_hint: 'access_token',
    }),
  };
  request.mockRestore();
  const cookies = [atConsent, calledBack, resumed].flatMap(({ browser, consent }) =>
    browser
      .cookieHeader(consent.url)
      .split('; ')
      .map((pair) => pair.slice(pair.indexOf('=') + 1)),
  );
  const handles = [
    client.client_secret,
    unredeemed.code,
    unredeemed.codeVerifier,
    body.refresh_token,
    body.access_token,
  ];
  return {
    valid,
    secrets: [...handles, ...cookies].filter((secret) => secret !== undefined && secret.length > 20) as string[],
  };
}
