import { type Check, must } from './check';
import { type Answer, type Deployment, shown } from './deployment';
import type { TestClient } from './test-client';

/** Of no verifier. */
const CHALLENGE = 'E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM';

/** What clients ask of the authorization server up to where a person is needed. */
export function authorizationChecks(deployment: Deployment, client: TestClient): Check[] {
  return [
    {
      name: 'registration',
      expected: '201, a client_id',
      async look() {
        return `201, client_id ${shown(await client.id())}`;
      },
    },
    {
      name: 'consent page',
      expected: `200, HTML that names '${client.name}' and may not be framed`,
      async look() {
        const url = await client.authorizationUrl({
          redirect_uri: 'http://127.0.0.1:3000/callback',
          code_challenge: CHALLENGE,
        });
        const { status, headers, text } = await followed(deployment, url);
        const policy = headers.get('content-security-policy') ?? '';
        must(status === 200 && text.includes(client.name), `${status}, ${shown(text)}`);
        must(policy.includes("frame-ancestors 'none'"), `content-security-policy ${shown(policy)}`);
        return `${status}, names '${client.name}', frame-ancestors 'none'`;
      },
    },
    {
      name: 'authorization request for an address that is not the client’s',
      expected: 'an error page, no redirect',
      async look() {
        const url = await client.authorizationUrl({
          redirect_uri: 'https://attacker.example/callback',
          code_challenge: CHALLENGE,
        });
        const { status, headers } = await deployment.ask(url);
        must(status === 400, `${status}, location ${shown(headers.get('location'))}`);
        return `${status}`;
      },
    },
    {
      name: 'code that was never issued',
      expected: '400, invalid_grant, no-store',
      async look() {
        const { status, headers, json, text } = await deployment.post('/token', {
          grant_type: 'authorization_code',
          client_id: await client.id(),
          code: 'x'.repeat(43),
          code_verifier: 'x'.repeat(43),
          redirect_uri: 'http://127.0.0.1:3000/callback',
        });
        const cache = headers.get('cache-control');
        must(status === 400 && json.error === 'invalid_grant', `${status}, ${shown(text)}`);
        must(!!cache?.includes('no-store'), `cache-control ${shown(cache)}`);
        return `${status}, ${json.error}, ${cache}`;
      },
    },
  ];
}

/** The page at the end of the redirects, as long as they lead to the authorization server, with the cookies that were set on the way. */
async function followed(deployment: Deployment, begin: string): Promise<Answer> {
  const cookies = new Map<string, string>();
  for (let url = begin, hops = 0; ; hops++) {
    const cookie = [...cookies].map(([name, value]) => `${name}=${value}`).join('; ');
    const answer = await deployment.ask(url, { headers: { accept: 'text/html', ...(cookie && { cookie }) } });
    for (const line of answer.headers.getSetCookie()) {
      const [, name = '', value = ''] = /^([^=]+)=([^;]*)/.exec(line) ?? [];
      cookies.set(name, value);
    }
    const location = answer.headers.get('location');
    if (answer.status < 300 || answer.status > 399 || location === null) return answer;
    must(URL.canParse(location, url), `redirected to ${shown(location)}`);
    url = new URL(location, url).href;
    must(url.startsWith(`${deployment.issuer}/`), `redirected to ${shown(url)}`);
    must(hops < 5, 'more than five redirects');
  }
}
