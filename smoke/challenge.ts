import { type Check, must } from './check';
import { type Deployment, shown } from './deployment';

const PING = { id: 1, method: 'ping' };
const WELL_KNOWN = '/.well-known/oauth-protected-resource';

/** The value of a parameter in a challenge (RFC 9110 section 11.6.1). */
function parameter(challenge: string | null, name: string): string | undefined {
  return new RegExp(`\\b${name}="([^"]*)"`).exec(challenge ?? '')?.[1];
}

/** What tells a client without a token where to sign in. */
export function challengeChecks(deployment: Deployment): Check[] {
  const { issuer, mcpUrl } = deployment;
  const challenge = (name: string, headers: Record<string, string>): Check => ({
    name,
    expected: '401, WWW-Authenticate: Bearer resource_metadata="..."',
    async look() {
      const answer = await deployment.call(PING, headers);
      const value = answer.headers.get('www-authenticate');
      if (answer.status === 401 && value === null && (await isHttpApi(deployment, answer.text))) {
        return '401 without WWW-Authenticate, which an HTTP API cannot send; the metadata is at its well-known address';
      }
      const renamed = answer.headers.get('x-amzn-remapped-www-authenticate');
      const found = `${answer.status}, WWW-Authenticate: ${shown(value)}`;
      must(
        answer.status === 401 && /^Bearer /.test(value ?? '') && !!parameter(value, 'resource_metadata'),
        renamed === null ? found : `${found}, x-amzn-remapped-www-authenticate: ${shown(renamed)}`,
      );
      return found;
    },
  });
  return [
    challenge('call without a token', {}),
    challenge('call with a token that is none', { authorization: 'Bearer eyJhbGciOiJub25lIn0.e30.' }),
    {
      name: 'protected resource metadata',
      expected: `200, JSON, resource ${mcpUrl}, authorization server ${issuer}`,
      async look() {
        const url = await metadataUrl(deployment);
        const { status, json, text } = await deployment.ask(url);
        const servers = [json.authorization_servers].flat();
        must(
          status === 200 && json.resource === mcpUrl && servers.includes(issuer),
          `${status} at ${shown(url)}, ${shown(text)}`,
        );
        return `${status} at ${url}`;
      },
    },
  ];
}

/** Where the challenge says that the metadata is, or else where RFC 9728 section 3.1 does. */
export async function metadataUrl(deployment: Deployment): Promise<string> {
  const { headers } = await deployment.call(PING);
  return parameter(headers.get('www-authenticate'), 'resource_metadata') ?? wellKnown(deployment);
}

function wellKnown({ mcpUrl }: Deployment): string {
  const { origin, pathname } = new URL(mcpUrl);
  return `${origin}${WELL_KNOWN}${pathname === '/' ? '' : pathname}`;
}

/** What an HTTP API says by itself when an authorizer refuses; then clients look at the well-known address. */
async function isHttpApi(deployment: Deployment, body: string): Promise<boolean> {
  if (body !== '{"message":"Unauthorized"}') return false;
  const { status, json } = await deployment.ask(wellKnown(deployment));
  return status === 200 && json.resource === deployment.mcpUrl;
}
