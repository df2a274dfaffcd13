import { createHash, randomBytes } from 'node:crypto';
import { setTimeout } from 'node:timers/promises';
import { createLocalJWKSet, jwtVerify } from 'jose';
import { listenForCallback } from './callback-listener';
import { metadataUrl } from './challenge';
import { type Check, must, Unexpected } from './check';
import { type Deployment, shown } from './deployment';
import type { TestClient } from './test-client';

/** How long a person may take, in milliseconds. */
const PATIENCE = 5 * 60_000;

/** What the client holds after a sign-in. */
interface Tokens {
  readonly access: string;
  readonly refresh: string;
}

/**
 * A sign-in from the first address to its end. Each check needs what the one before has got, so that the first that fails is the last.
 *
 * @param show asks the person to open an address in a browser
 */
export function signInChecks(deployment: Deployment, client: TestClient, show: (url: string) => void): Check[] {
  const { issuer, mcpUrl } = deployment;
  const verifier = randomBytes(32).toString('base64url');
  let code: { readonly value: string; readonly redirectUri: string };
  let tokens: Tokens;

  async function tokensFrom(parameters: Record<string, string>): Promise<Tokens> {
    const { status, json, text } = await deployment.post('/token', { client_id: await client.id(), ...parameters });
    // Not what was found: that may be tokens.
    must(status === 200, `${status}, ${shown(text)}`);
    must(typeof json.access_token === 'string', '200 without an access_token');
    must(typeof json.refresh_token === 'string', '200 without a refresh_token');
    return { access: json.access_token, refresh: json.refresh_token };
  }
  const refreshed = (refresh: string) => tokensFrom({ grant_type: 'refresh_token', refresh_token: refresh });

  return [
    {
      name: 'sign-in',
      expected: `a code, the same state, iss ${issuer}`,
      async look() {
        await using listener = await listenForCallback();
        const state = randomBytes(16).toString('base64url');
        const { redirectUri } = listener;
        const { json } = await deployment.ask(await metadataUrl(deployment));
        show(
          await client.authorizationUrl({
            redirect_uri: redirectUri,
            state,
            code_challenge: createHash('sha256').update(verifier).digest('base64url'),
            ...(Array.isArray(json.scopes_supported) && { scope: json.scopes_supported.join(' ') }),
          }),
        );
        const answer = await Promise.race([listener.answer, setTimeout(PATIENCE, undefined, { ref: false })]);
        must(answer !== undefined, `nobody signed in within ${PATIENCE / 60_000} minutes`);
        const { code: value, state: returned, iss, error, error_description } = Object.fromEntries(answer!);
        if (!value) throw new Unexpected(`error ${shown(error ?? null)}: ${shown(error_description ?? null)}`);
        // RFC 9207 section 2.4.
        must(returned === state && iss === issuer, `state ${returned === state}, iss ${shown(iss ?? null)}`);
        code = { value, redirectUri };
        return `a code, the same state, iss ${iss}`;
      },
    },
    {
      name: 'access token',
      expected: `signed by a published key, typ at+jwt, aud ${mcpUrl}`,
      async look() {
        tokens = await tokensFrom({
          grant_type: 'authorization_code',
          code: code.value,
          code_verifier: verifier,
          redirect_uri: code.redirectUri,
        });
        const { payload, protectedHeader } = await verified(deployment, tokens.access);
        must(payload.aud === mcpUrl, `aud ${shown(String(payload.aud))}`);
        return `typ ${protectedHeader.typ}, ${protectedHeader.alg}, aud ${payload.aud}, scope ${payload.scope}`;
      },
    },
    {
      name: 'call with the token',
      expected: '200, an MCP server that says who it is',
      async look() {
        const { status, text } = await initialize(deployment, tokens.access);
        const [, name] = /"serverInfo"\s*:\s*\{[^}]*"name"\s*:\s*"([^"]*)"/.exec(text) ?? [];
        must(status === 200 && name !== undefined, `${status}, ${shown(text)}`);
        return `${status}, '${shown(name!)}'`;
      },
    },
    {
      name: 'call with a token that was changed',
      expected: '401',
      async look() {
        const { status } = await initialize(deployment, `${tokens.access.slice(0, -8)}AAAAAAAA`);
        must(status === 401, `${status}`);
        return `${status}`;
      },
    },
    {
      name: 'refresh',
      expected: '200, another refresh token',
      async look() {
        const { refresh } = tokens;
        tokens = await refreshed(refresh);
        must(tokens.refresh !== refresh, 'the same refresh token');
        return '200, another refresh token';
      },
    },
    {
      name: 'revocation',
      expected: '200, and the refresh token is invalid_grant from then on',
      async look() {
        const { status, text } = await deployment.post('/revoke', {
          client_id: await client.id(),
          token: tokens.refresh,
        });
        must(status === 200, `${status}, ${shown(text)}`);
        const after = await deployment.post('/token', {
          grant_type: 'refresh_token',
          client_id: await client.id(),
          refresh_token: tokens.refresh,
        });
        const found = `${status}, then ${after.status} ${shown(String(after.json.error))}`;
        must(after.status === 400 && after.json.error === 'invalid_grant', found);
        return found;
      },
    },
  ];
}

/** RFC 9068 section 4. */
async function verified(deployment: Deployment, accessToken: string) {
  const { json } = await deployment.at('/jwks');
  const { issuer, mcpUrl: audience } = deployment;
  try {
    return await jwtVerify(accessToken, createLocalJWKSet(json), { issuer, audience, typ: 'at+jwt' });
  } catch (error) {
    throw new Unexpected((error as Error).message);
  }
}

/** MCP's first message, as every revision before 2026-07-28 has it; later servers answer it too. */
function initialize(deployment: Deployment, accessToken: string) {
  const protocolVersion = '2025-11-25';
  const clientInfo = { name: 'mcp-oidc-auth-smoke', version: '1' };
  return deployment.call(
    { id: 1, method: 'initialize', params: { protocolVersion, clientInfo, capabilities: {} } },
    { authorization: `Bearer ${accessToken}`, 'mcp-method': 'initialize', 'mcp-protocol-version': protocolVersion },
  );
}
