import { type Check, must } from './check';
import { type Answer, type Deployment, shown } from './deployment';

/** What the local runner assumes of API Gateway without evidence (docs/local.md, What is unproven), as far as it can be seen from outside. */
export function assumptionChecks(deployment: Deployment): Check[] {
  const { mcpUrl } = deployment;
  const assumed = (name: string, expected: string, ask: () => Promise<Answer>, holds: (answer: Answer) => boolean) => ({
    name,
    expected,
    assumption: true,
    async look() {
      const answer = await ask();
      const renamed = answer.headers.get('x-amzn-remapped-www-authenticate');
      const plain = answer.headers.get('www-authenticate');
      const challenge = plain ?? renamed;
      const found =
        challenge === null
          ? `${answer.status}, ${shown(answer.text)}`
          : `${answer.status}, ${plain === null ? 'x-amzn-remapped-www-authenticate' : 'WWW-Authenticate'}: ${shown(challenge)}`;
      must(holds(answer), found);
      return found;
    },
  });
  const status = (expected: number) => (answer: Answer) => answer.status === expected;
  const long = { 'x-long': 'x'.repeat(11_000) };
  return [
    assumed('a slash after a path, HTTP API', '404: another path', () => deployment.at('/jwks/'), status(404)),
    assumed(
      'a slash after a path, REST API',
      '401: the same path',
      () => deployment.call({ id: 1, method: 'ping' }, {}, `${mcpUrl}/`),
      status(401),
    ),
    assumed('11,000 bytes of headers, HTTP API', '431', () => deployment.at('/jwks', { headers: long }), status(431)),
    assumed(
      '11,000 bytes of headers, REST API',
      '431',
      () => deployment.call({ id: 1, method: 'ping' }, long),
      status(431),
    ),
    assumed(
      'WWW-Authenticate of a function, HTTP API',
      '401, renamed to x-amzn-remapped-www-authenticate',
      () =>
        deployment.post(
          '/token',
          { grant_type: 'authorization_code', code: 'x', redirect_uri: 'http://127.0.0.1/callback' },
          { authorization: `Basic ${Buffer.from('nobody:nothing').toString('base64')}` },
        ),
      ({ status, headers }) => status === 401 && headers.has('x-amzn-remapped-www-authenticate'),
    ),
  ];
}
