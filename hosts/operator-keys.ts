import { calculateJwkThumbprint } from 'jose';
import { publicJwk } from '../lambda/key-set/public-jwk';
import type { CachedSecret } from '../lambda/provider/cached-secret';
import { type KeySource, keySetSource, type ServerKeys } from '../lambda/provider/key-source';
import type { PrivateJwk, PublicJwk } from '../lib/contract';
import type { JwkSet } from './options';
import type { Settings } from './settings';

/** As a key that is given without `alg` would be used. */
const ALGORITHMS: Readonly<Record<string, string>> = { RSA: 'RS256', EC: 'ES256' };

const NEEDED = 'the output of `npx mcp-oidc-auth keys generate`: a JWK Set whose first key is private, RS256 or ES256';

/** Notes what keeps an operator's keys from signing. */
export function checkJwks(settings: Settings, jwks: unknown): void {
  const { keys } = (jwks ?? {}) as Partial<JwkSet>;
  const problem = Array.isArray(keys) && keys.length > 0 ? problemOf(keys) : 'no JWK Set with keys';
  if (problem !== undefined) settings.refuse('jwks', problem, NEEDED);
}

function problemOf(keys: JwkSet['keys']): string | undefined {
  const wrong = keys.findIndex((key) => !isUsable(key));
  if (wrong >= 0) return `a key at position ${wrong + 1} that is neither RS256 nor ES256`;
  if (keys[0]?.d === undefined) return 'a public key first';
  // OpenID Connect Core section 15.1.
  const forIdTokens = keys.some((key) => key.d !== undefined && algorithmOf(key) === 'RS256');
  return forIdTokens ? undefined : 'private keys of ES256 alone, and none of RS256, which signs ID tokens';
}

function isUsable(key: unknown): boolean {
  if (typeof key !== 'object' || key === null) return false;
  const jwk = key as Readonly<Record<string, unknown>>;
  if (jwk.use !== undefined && jwk.use !== 'sig') return false;
  if (jwk.kty === 'RSA') return isText(jwk.n) && isText(jwk.e) && algorithmOf(jwk) === 'RS256';
  return jwk.kty === 'EC' && jwk.crv === 'P-256' && isText(jwk.x) && isText(jwk.y) && algorithmOf(jwk) === 'ES256';
}

function isText(value: unknown): boolean {
  return typeof value === 'string' && value !== '';
}

function algorithmOf({ kty, alg }: Readonly<Record<string, unknown>>): unknown {
  return alg ?? ALGORITHMS[String(kty)];
}

/** Keys that the operator gives and changes; what is symmetric is kept and turned over by the server all the same. */
export function operatorKeySource({ keys }: JwkSet, kept: CachedSecret): KeySource {
  const source = keySetSource(kept);
  const complete = Promise.all(keys.map(completed));
  return {
    async get() {
      const [own, version] = await Promise.all([complete, source.get()]);
      return { versionId: version.versionId, keys: () => ({ ...version.keys(), ...signingAndPublished(own) }) };
    },
  };
}

type OperatorKey = PrivateJwk | PublicJwk;

/** The first signs access tokens, the first of RS256 ID tokens; the engine needs no other private key. */
function signingAndPublished(keys: readonly OperatorKey[]): Pick<ServerKeys, 'signing' | 'published'> {
  // checkJwks has seen to it that the first is private.
  const [first, ...others] = keys as [PrivateJwk, ...OperatorKey[]];
  const signsIdTokens = (key: OperatorKey): key is PrivateJwk => key.alg === 'RS256' && key.d !== undefined;
  const ofIdTokens = first.alg === 'RS256' ? undefined : others.find(signsIdTokens);
  const published = others.filter((key) => key !== ofIdTokens).map(publicJwk);
  return { signing: ofIdTokens ? [first, ofIdTokens] : [first], published };
}

async function completed(key: Readonly<Record<string, unknown>>): Promise<OperatorKey> {
  const jwk = { ...key, alg: String(algorithmOf(key)), use: 'sig' } as Record<string, string> & { alg: string };
  return { ...jwk, kid: jwk.kid ?? (await calculateJwkThumbprint(jwk)) } as OperatorKey;
}
