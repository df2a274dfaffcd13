import { type Bearer, BearerError, type VerifyBearerOptions, verifyBearer } from 'mcp-oidc-auth/bearer';

const { CLIENT_ID = '', CLIENT_SECRET = '' } = process.env;

/** In the place of `verifyBearer`: refuses a token whose grant has been revoked, too. */
export async function verifyActive(authorization: string | undefined, options: VerifyBearerOptions): Promise<Bearer> {
  const bearer = await verifyBearer(authorization, options);
  const [, token = ''] = authorization?.split(/ +/) ?? [];
  if (await introspect(token, options.issuer)) return bearer;
  const { origin, pathname } = new URL(options.audience);
  const metadata = `${origin}/.well-known/oauth-protected-resource${pathname}`;
  const challenge = `Bearer error="invalid_token", resource_metadata="${metadata}"`;
  throw new BearerError('The access token is not active any more.', 401, 'invalid_token', challenge);
}

/** Whether the authorization server says that the token is active. Throws where it says nothing: that is no verdict. */
async function introspect(token: string, issuer: string): Promise<boolean> {
  const response = await fetch(`${issuer}/introspect`, {
    method: 'POST',
    headers: { authorization: `Basic ${btoa(`${CLIENT_ID}:${CLIENT_SECRET}`)}` },
    body: new URLSearchParams({ token }),
    signal: AbortSignal.timeout(5_000),
  });
  if (!response.ok) throw new Error(`${issuer}/introspect answered ${response.status}`);
  const { active } = (await response.json()) as { active: boolean };
  return active;
}
