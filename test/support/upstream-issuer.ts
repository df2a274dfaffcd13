import { createHash } from 'node:crypto';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { exportJWK, generateKeyPair, SignJWT } from 'jose';

/** An identity provider on loopback whose answers a test chooses: it signs in at once whoever the test says. */
export interface UpstreamIssuer extends AsyncDisposable {
  readonly issuer: string;
  /** The person that signs in next. */
  claims: Record<string, unknown>;
  /** The authorization endpoint answers with this error instead. */
  error?: string;
  /** Put into the ID token instead of the nonce that was asked for. */
  nonce?: string;
  /** Every endpoint answers with this status instead. */
  failure?: number;
  /** The same for each request that a server makes, as it comes. */
  failures?: () => number | undefined;
  /** The token endpoint answers with this error instead. */
  tokenError?: { readonly status: number; readonly error: string };
  /** The only client secrets that the token endpoint takes; any, where absent. */
  clientSecrets?: readonly string[];
  /** How the token endpoint refuses another one: as RFC 6749 section 5.2 has it, or as some providers do. */
  clientRefusal?: { readonly status: number; readonly error: string };
  /** The token endpoint answers no sooner. */
  held?: Promise<void>;
  /** Discovery answers no sooner, and with what comes of this. */
  discovery?: Promise<number>;
  /** How often discovery was asked for. */
  discoveries: number;
  /** The token endpoint leaves the ID token out. */
  withoutIdToken?: boolean;
  /** The token endpoint gives a refresh token with a code, and a new one at each use. */
  refreshTokens?: boolean;
  /** Seconds that an access token lives, as the token endpoint says; it does not say where this is absent. */
  accessTokenLifetime?: number;
  /** The `scope` of the token endpoint's answers. */
  scope?: string;
  /** What UserInfo answers, or with which status it refuses; there is none where this is absent. */
  userInfo?: Record<string, unknown> | number;
  /** The metadata's `token_endpoint_auth_methods_supported`. */
  authMethods?: readonly string[];
  /** The metadata's `authorization_endpoint`, where it is not the issuer's own. */
  authorizationEndpoint?: string;
  /** The metadata's `prompt_values_supported`. */
  promptValues?: readonly string[];
  /** The authorization requests that it got. */
  readonly requests: URLSearchParams[];
  /** The token requests that it got. */
  readonly tokenRequests: { readonly form: URLSearchParams; readonly authorization: string | undefined }[];
}

/** Made once for each file of tests: RSA keys take long. */
const keyPair = generateKeyPair('RS256');

export async function startUpstreamIssuer(): Promise<UpstreamIssuer> {
  const { publicKey, privateKey } = await keyPair;
  const jwk = { ...(await exportJWK(publicKey)), kid: 'upstream', alg: 'RS256', use: 'sig' };
  const codes = new Map<string, URLSearchParams>();
  const requests: UpstreamIssuer['requests'] = [];
  const tokenRequests: UpstreamIssuer['tokenRequests'] = [];

  const server = createServer(async (req, res) => {
    const url = new URL(req.url ?? '/', self.issuer);
    const json = (status: number, body: object) =>
      res.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body));
    const failure = self.failure ?? (url.pathname === '/authorize' ? undefined : self.failures?.());
    if (failure) return json(failure, { error: 'server_error' });
    switch (url.pathname) {
      case '/.well-known/openid-configuration':
        self.discoveries++;
        return json((await self.discovery) ?? 200, {
          issuer: self.issuer,
          authorization_endpoint: self.authorizationEndpoint ?? `${self.issuer}/authorize`,
          token_endpoint: `${self.issuer}/token`,
          jwks_uri: `${self.issuer}/jwks`,
          userinfo_endpoint: self.userInfo === undefined ? undefined : `${self.issuer}/userinfo`,
          id_token_signing_alg_values_supported: ['RS256'],
          token_endpoint_auth_methods_supported: self.authMethods,
          prompt_values_supported: self.promptValues,
        });
      case '/userinfo':
        return typeof self.userInfo === 'number' ? json(self.userInfo, {}) : json(200, self.userInfo ?? {});
      case '/jwks':
        return json(200, { keys: [jwk] });
      case '/authorize': {
        requests.push(url.searchParams);
        const back = new URL(url.searchParams.get('redirect_uri') ?? '');
        back.searchParams.set('state', url.searchParams.get('state') ?? '');
        if (self.error) back.searchParams.set('error', self.error);
        else {
          const code = `code-${codes.size}`;
          codes.set(code, url.searchParams);
          back.searchParams.set('code', code);
        }
        return res.writeHead(303, { location: back.href }).end();
      }
      case '/token': {
        const chunks: Buffer[] = [];
        for await (const chunk of req) chunks.push(chunk);
        const form = new URLSearchParams(Buffer.concat(chunks).toString());
        tokenRequests.push({ form, authorization: req.headers.authorization });
        await self.held;
        // RFC 6749 section 5.2: whoever tried HTTP Basic authentication is answered with a challenge.
        if (self.tokenError?.status === 401) res.setHeader('www-authenticate', 'Basic realm="upstream"');
        if (self.tokenError) return json(self.tokenError.status, { error: self.tokenError.error });
        if (self.clientSecrets && !self.clientSecrets.includes(form.get('client_secret') ?? '')) {
          const { status, error } = self.clientRefusal ?? { status: 400, error: 'invalid_client' };
          return json(status, { error });
        }
        const handle = form.get('refresh_token') ?? form.get('code') ?? '';
        const request = codes.get(handle);
        codes.delete(handle);
        if (!request || !(form.has('refresh_token') || isProved(request, form))) {
          return json(400, { error: 'invalid_grant' });
        }
        const refreshToken = self.refreshTokens ? `upstream-refresh-${tokenRequests.length}` : undefined;
        if (refreshToken) codes.set(refreshToken, request);
        const idToken = await new SignJWT({ ...self.claims, nonce: self.nonce ?? request.get('nonce') })
          .setProtectedHeader({ alg: 'RS256', kid: 'upstream' })
          .setIssuer(self.issuer)
          .setAudience(request.get('client_id') ?? '')
          .setIssuedAt()
          .setExpirationTime('5m')
          .sign(privateKey);
        return json(200, {
          access_token: `upstream-access-${tokenRequests.length}`,
          token_type: 'Bearer',
          expires_in: self.accessTokenLifetime,
          scope: self.scope,
          ...(self.withoutIdToken ? {} : { id_token: idToken }),
          ...(refreshToken ? { refresh_token: refreshToken } : {}),
        });
      }
      default:
        return json(404, {});
    }
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));

  const self: UpstreamIssuer = {
    issuer: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    claims: { sub: 'ada' },
    discoveries: 0,
    requests,
    tokenRequests,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
  return self;
}

/** RFC 7636 section 4.6, which this issuer requires. */
function isProved(request: URLSearchParams, form: URLSearchParams): boolean {
  const challenge = createHash('sha256')
    .update(form.get('code_verifier') ?? '')
    .digest('base64url');
  return request.get('code_challenge_method') === 'S256' && request.get('code_challenge') === challenge;
}
