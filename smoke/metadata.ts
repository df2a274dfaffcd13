import { type Check, must } from './check';
import { type Deployment, shown } from './deployment';

/** What clients and authorizers read of the authorization server. */
export function metadataChecks(deployment: Deployment): Check[] {
  const { issuer } = deployment;
  const document = (name: string, path: string): Check => ({
    name,
    expected: `200, JSON, issuer ${issuer}, its endpoints, S256`,
    async look() {
      const { status, headers, json, text } = await deployment.at(path);
      must(
        status === 200 && !!headers.get('content-type')?.startsWith('application/json'),
        `${status}, ${shown(text)}`,
      );
      must(json.issuer === issuer, `issuer ${shown(String(json.issuer))}`);
      for (const endpoint of ['authorization_endpoint', 'token_endpoint', 'registration_endpoint', 'jwks_uri']) {
        must(String(json[endpoint]).startsWith(`${issuer}/`), `${endpoint} ${shown(String(json[endpoint]))}`);
      }
      const methods = String(json.code_challenge_methods_supported);
      must(methods === 'S256', `code_challenge_methods_supported ${shown(methods)}`);
      return `${status}, issuer ${json.issuer}, S256`;
    },
  });
  return [
    document('authorization server metadata', '/.well-known/oauth-authorization-server'),
    document('OpenID configuration', '/.well-known/openid-configuration'),
    {
      name: 'key set',
      expected: '200, the public halves of two signing keys: the current and the next',
      async look() {
        const { status, json, text } = await deployment.at('/jwks');
        const keys: Record<string, string>[] = Array.isArray(json.keys) ? json.keys : [];
        must(status === 200 && keys.length >= 2, `${status}, ${keys.length} keys, ${shown(text)}`);
        must(
          keys.every((key) => Object(key).d === undefined),
          'a private key',
        );
        return `${status}, ${keys.length} keys, ${[...new Set(keys.map(({ kty, alg }) => alg ?? kty))].join(', ')}`;
      },
    },
  ];
}
