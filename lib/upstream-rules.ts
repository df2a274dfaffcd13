import { GRANT_CLAIM } from './contract';
import { checkList, described, isObject, isText, type Refuse } from './refusal';
import { SCOPE_TOKEN } from './scope-names';

/** What the authorization server itself puts into an upstream authorization request (OpenID Connect Core 1.0 section 3.1.2.1, RFC 7636). */
const OWN_PARAMETERS = [
  'client_id',
  'code_challenge',
  'code_challenge_method',
  'nonce',
  'redirect_uri',
  'response_mode',
  'response_type',
  'scope',
  'state',
];

/** Claims that an access token has by itself (RFC 9068 section 2.2). */
const TOKEN_CLAIMS = ['iss', 'aud', 'exp', 'iat', 'nbf', 'jti', 'sub', 'client_id', 'scope', GRANT_CLAIM];

/** To whoever has no rule that says who may sign in. */
export const EVERYONE_MAY_SIGN_IN =
  'Everyone that the upstream identity provider signs in gets in; with a public one such as Google that is everyone on earth.';

/** Seconds between two questions about a person, at least. */
export const SHORTEST_RECHECK = 60;

/** Refuses a URL that is of an identity provider, but not its issuer. */
export function checkIssuer(refuse: Refuse, option: string, issuer: string): void {
  if (issuer.includes('?')) refuse(option, described(issuer), 'an issuer, which has no query');
  if (issuer.includes('/.well-known/')) {
    refuse(option, described(issuer), 'the issuer, not the URL of its discovery document');
  }
}

/** Refuses rules that would let nobody in, or that say something else than they seem to. */
export function checkAllow(refuse: Refuse, option: string, allow: unknown): void {
  const needed = 'a list of rules such as [{"claim":"email","values":["@example.com"]}]';
  if (allow === undefined) return;
  if (!Array.isArray(allow)) refuse(option, described(allow), needed);
  for (const rule of Array.isArray(allow) ? allow : []) {
    const { claim, values, ...others } = Object(rule);
    const [other] = Object.keys(others);
    if (!isObject(rule)) refuse(option, `${described(rule)} as a rule`, needed);
    else if (!isText(claim)) refuse(option, `${described(claim)} as the claim of a rule`, needed);
    else if (!Array.isArray(values)) refuse(option, `${described(values)} as the values of '${claim}'`, needed);
    else if (values.length === 0) refuse(option, `no value of '${claim}'`, needed);
    else if (!values.every(isText)) refuse(option, `a value of '${claim}' that is empty, or no text`, needed);
    else if (other !== undefined) refuse(option, `'${other}' in the rule for '${claim}'`, needed);
  }
}

/** Refuses parameters of the authorization request that would stand in the place of the server's own. */
export function checkParameters(refuse: Refuse, option: string, parameters: unknown): void {
  if (parameters === undefined) return;
  const needed = "an object of texts, for example { hd: 'example.com' }";
  if (!isObject(parameters)) refuse(option, described(parameters), needed);
  for (const [name, value] of Object.entries(isObject(parameters) ? parameters : {})) {
    if (OWN_PARAMETERS.includes(name))
      refuse(option, `'${name}'`, 'parameters that the authorization server does not set itself');
    else if (typeof value !== 'string') refuse(`${option}.${name}`, described(value), 'a text');
  }
}

/** Refuses claims to be copied that would stand in the place of an access token's own. */
export function checkClaims(refuse: Refuse, option: string, claims: unknown): void {
  const isRight = (claim: unknown) => isText(claim) && !TOKEN_CLAIMS.includes(claim);
  checkList(refuse, option, claims, isRight, 'names of claims that access tokens do not have of their own');
}

export function checkUpstreamScopes(refuse: Refuse, option: string, scopes: unknown): void {
  const isRight = (scope: unknown) => typeof scope === 'string' && SCOPE_TOKEN.test(scope);
  checkList(refuse, option, scopes, isRight, 'scope tokens, each without spaces, quotes and backslashes');
}
