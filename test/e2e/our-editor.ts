import { createHash, randomBytes } from 'node:crypto';
import type { PreRegisteredClientProps } from 'mcp-oidc-auth';
import type { LocalStack, Person } from './local-stack';

/** A client that the app declares. */
export const OUR_EDITOR: PreRegisteredClientProps = {
  clientId: 'our-editor',
  name: 'Our editor',
  redirectUris: ['http://127.0.0.1/callback'],
};

/** What the token endpoint answers it when a person has signed in. */
export async function tokensFor(local: LocalStack, person: Person): Promise<Record<string, string>> {
  const { clientId: client_id } = OUR_EDITOR;
  const [redirect_uri = ''] = OUR_EDITOR.redirectUris;
  const code_verifier = randomBytes(32).toString('base64url');
  const url = new URL('/authorize', local.issuer);
  url.search = new URLSearchParams({
    response_type: 'code',
    client_id,
    redirect_uri,
    code_challenge: createHash('sha256').update(code_verifier).digest('base64url'),
    code_challenge_method: 'S256',
  }).toString();
  const code = (await person.authorize(url, redirect_uri)).get('code') ?? '';
  const form = { grant_type: 'authorization_code', client_id, redirect_uri, code, code_verifier };
  const response = await fetch(new URL('/token', local.issuer), { method: 'POST', body: new URLSearchParams(form) });
  if (response.status !== 200) throw new Error(`The token endpoint answered ${response.status}`);
  return (await response.json()) as Record<string, string>;
}
