import type { ResourceRecord } from '../../lib/contract';
import { codeKey } from './keys';
import { type Catalogue, withImplied } from './resources';
import { currentUnitOfWork } from './unit-of-work';

/** The scopes of OpenID Connect Core that are served. */
export const OIDC_SCOPES = ['openid', 'offline_access'];

const PROMPTS = new Set(['none', 'login', 'consent']);

/** Parameters that OpenID Connect defines for requests with the scope `openid`; elsewhere they mean nothing. */
const OIDC_ONLY = ['acr_values', 'claims', 'claims_locales', 'id_token_hint', 'max_age', 'nonce'];

/**
 * Puts right what is wrong in a harmless way in an authorization request: another spelling of the resource, none at all,
 * missing and unknown scopes. What is wrong in a harmful way stays as it is, for the engine to refuse.
 */
export function normalizeAuthorizationRequest(query: URLSearchParams, catalogue: Catalogue): URLSearchParams {
  // What has no value is as if it were not there (RFC 6749 section 3.1).
  const params = new URLSearchParams([...query].filter(([, value]) => value !== ''));
  const resource = normalizeResource(params, catalogue);
  if (resource && (isGivenOnce(params, 'scope') || !params.has('scope'))) {
    params.set('scope', scopesFor(resource, params.get('scope') ?? '').join(' '));
  }
  // Upstream chooses the account; a prompt that this server has no page for says nothing to it (OpenID Connect Core section 3.1.2.1).
  if (isGivenOnce(params, 'prompt')) {
    const prompts = splitWords(params.get('prompt') ?? '').filter((prompt) => PROMPTS.has(prompt));
    if (prompts.length > 0) params.set('prompt', prompts.join(' '));
    else params.delete('prompt');
  }
  // form_post would put the answer into a page with a script, and the engine refuses a mode in the mode itself:
  // so it gets a name that it does not know.
  if (isGivenOnce(params, 'response_mode') && params.get('response_mode') !== 'query')
    params.set('response_mode', 'unsupported');
  const scopes = params.get('scope')?.split(' ') ?? [];
  if (!scopes.includes('openid')) for (const name of OIDC_ONLY) params.delete(name);
  return params;
}

/** The same for a token request, where `resource` and `scope` narrow what was granted. Runs inside the request's unit of work. */
export function normalizeTokenRequest(form: URLSearchParams, catalogue: Catalogue): URLSearchParams {
  const params = new URLSearchParams(form);
  // OAuth 2.1 has no redirect_uri here (draft-ietf-oauth-v2-1 section 10.2), and the engine asks for one. It is safe to go by the code's own: that
  // a code has not been put into somebody else's hands is shown by PKCE, without which no code is given or redeemed. One that is sent is compared.
  if (params.get('grant_type') === 'authorization_code' && params.getAll('redirect_uri').join('') === '') {
    params.set('redirect_uri', redirectUriOf(params.get('code') ?? ''));
  }
  if (params.has('resource')) normalizeResource(params, catalogue);
  if (isGivenOnce(params, 'scope')) {
    const known = new Set([...catalogue.scopeNames, 'openid']);
    // offline_access is never refused: whether a refresh token exists was decided at the grant.
    const scopes = splitWords(params.get('scope') ?? '').filter((scope) => known.has(scope));
    if (scopes.length > 0) params.set('scope', scopes.join(' '));
    else params.delete('scope');
  }
  return params;
}

/** Of a code that there is not, one that is nobody's: the engine then says that of the code. */
function redirectUriOf(code: string): string {
  const record = currentUnitOfWork.getStore()?.get(codeKey(code));
  return (record?.value as { redirectUri?: string } | undefined)?.redirectUri ?? 'unknown';
}

/** One audience for each token: several spellings of one resource are one, several resources are refused by the engine. */
function normalizeResource(params: URLSearchParams, catalogue: Catalogue): ResourceRecord | undefined {
  const asked = params.getAll('resource').filter((identifier) => identifier !== '');
  const found = asked.map((identifier) => catalogue.find(identifier));
  const resource = asked.length === 0 ? catalogue.default : found[0];
  if (!resource || found.some((each) => each !== resource)) return undefined;
  params.set('resource', resource.identifier);
  return resource;
}

function scopesFor(resource: ResourceRecord, asked: string): string[] {
  const names = splitWords(asked);
  const granted = withImplied(resource, names);
  const scopes = granted.length > 0 ? granted : withImplied(resource, defaultScopes(resource));
  return [...OIDC_SCOPES.filter((scope) => names.includes(scope)), ...scopes.map(({ name }) => name)];
}

function defaultScopes(resource: ResourceRecord): string[] {
  return resource.scopes.filter((scope) => scope.default).map(({ name }) => name);
}

/** What is there twice is the engine's to refuse: nobody knows which is meant (RFC 6749 section 3.1). */
function isGivenOnce(params: URLSearchParams, name: string): boolean {
  return params.getAll(name).length === 1;
}

function splitWords(text: string): string[] {
  return text.split(' ').filter((word) => word !== '');
}
