import { type Check, must } from './check';
import { type Deployment, shown } from './deployment';

const ORIGIN = 'https://client.example';

/** What clients in a browser need. */
export function corsChecks(deployment: Deployment): Check[] {
  const { issuer, mcpUrl } = deployment;
  const opensTo = (headers: Headers) => headers.get('access-control-allow-origin');
  const preflight = (name: string, url: string, needed: string): Check => ({
    name: `preflight of ${name}`,
    expected: `2xx, open to ${ORIGIN}, ${needed} allowed`,
    async look() {
      const { status, headers } = await deployment.ask(url, {
        method: 'OPTIONS',
        headers: {
          origin: ORIGIN,
          'access-control-request-method': 'POST',
          'access-control-request-headers': needed,
        },
      });
      const allowed = headers.get('access-control-allow-headers')?.toLowerCase() ?? '';
      const found = `${status}, open to ${shown(opensTo(headers))}, allowed ${shown(allowed)}`;
      const open = ['*', ORIGIN].includes(opensTo(headers) ?? '');
      must(status < 300 && open && needed.split(', ').every((header) => allowed.includes(header)), found);
      return found;
    },
  });
  return [
    {
      name: 'metadata for clients in a browser',
      expected: `open to ${ORIGIN}`,
      async look() {
        const { headers } = await deployment.at('/.well-known/oauth-authorization-server', {
          headers: { origin: ORIGIN },
        });
        must(['*', ORIGIN].includes(opensTo(headers) ?? ''), `open to ${shown(opensTo(headers))}`);
        return `open to ${opensTo(headers)}`;
      },
    },
    preflight('registration', `${issuer}/register`, 'content-type'),
    preflight('the token endpoint', `${issuer}/token`, 'content-type'),
    preflight('the MCP server', mcpUrl, 'authorization, content-type, mcp-protocol-version'),
  ];
}
