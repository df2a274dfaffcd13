import type { KeySet } from '../../lib/contract';
import { everyJwk } from './public-jwk';

/** The value of the key set secret is not a key set. The message names the member at fault and never shows what the secret holds. */
export class KeySetError extends Error {
  override readonly name = 'KeySetError';
}

/**
 * Reads the value of the key set secret.
 *
 * @param text the secret's `SecretString`
 * @throws KeySetError where it is not a complete key set
 */
export function parseKeySet(text: string): KeySet {
  const keySet = members('the value', parseJson(text));
  check(keySet.v === 1, 'v', 'has to be 1');
  check(keySet.basedOn === undefined || isText(keySet.basedOn), 'basedOn', 'has to be a version of the secret');
  signingKey('current', keySet.current);
  signingKey('next', keySet.next);
  each('previous', keySet.previous, retiredKey);
  for (const name of ['successorKeys', 'encryptionKeys']) {
    each(name, keySet[name], symmetricKey);
    check((keySet[name] as unknown[]).length > 0, name, 'has to have at least one key');
  }

  const parsed = keySet as unknown as KeySet;
  const kids = everyJwk(parsed).map(({ kid }) => kid);
  check(new Set(kids).size === kids.length, 'kid', 'has to be different for each key');
  return parsed;
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    // Without the cause: the message of a SyntaxError quotes the text.
    throw new KeySetError('The key set secret does not hold JSON.');
  }
}

function signingKey(path: string, value: unknown): void {
  const { jwk, idTokenJwk, createdAt } = members(path, value);
  privateJwk(`${path}.jwk`, jwk);
  if (idTokenJwk !== undefined) privateJwk(`${path}.idTokenJwk`, idTokenJwk);
  check(isTime(createdAt), `${path}.createdAt`, 'has to be a time in epoch seconds');
}

function privateJwk(path: string, value: unknown): void {
  const { d } = publicMembers(path, value);
  check(isText(d), `${path}.d`, 'is missing: this key has to be private');
}

function retiredKey(path: string, value: unknown): void {
  const { jwk, retiredAt } = members(path, value);
  const { d } = publicMembers(`${path}.jwk`, jwk);
  check(d === undefined, `${path}.jwk.d`, 'has to be absent: a retired key is kept without its private half');
  check(isTime(retiredAt), `${path}.retiredAt`, 'has to be a time in epoch seconds');
}

function symmetricKey(path: string, value: unknown): void {
  const { id, key, activeFrom } = members(path, value);
  check(isText(id), `${path}.id`, 'has to be a string');
  check(isText(key) && Buffer.from(key, 'base64url').length === 32, `${path}.key`, 'has to be 32 bytes in base64url');
  check(isTime(activeFrom), `${path}.activeFrom`, 'has to be a time in epoch seconds');
}

/** Checks what a verifier needs and returns all members of the key. */
function publicMembers(path: string, value: unknown): Record<string, unknown> {
  const jwk = members(path, value);
  check(jwk.kty === 'RSA' || jwk.kty === 'EC', `${path}.kty`, 'has to be RSA or EC');
  for (const name of jwk.kty === 'RSA' ? ['n', 'e'] : ['crv', 'x', 'y']) {
    check(isText(jwk[name]), `${path}.${name}`, 'is missing');
  }
  check(isText(jwk.kid), `${path}.kid`, 'is missing');
  check(isText(jwk.alg), `${path}.alg`, 'is missing');
  check(jwk.use === 'sig', `${path}.use`, 'has to be sig');
  return jwk;
}

function members(path: string, value: unknown): Record<string, unknown> {
  check(typeof value === 'object' && value !== null && !Array.isArray(value), path, 'has to be an object');
  return value as Record<string, unknown>;
}

function each(path: string, value: unknown, checkItem: (path: string, item: unknown) => void): void {
  check(Array.isArray(value), path, 'has to be an array');
  (value as unknown[]).forEach((item, index) => {
    checkItem(`${path}[${index}]`, item);
  });
}

function check(holds: boolean, path: string, need: string): void {
  if (!holds) {
    throw new KeySetError(`The key set secret cannot be used: ${path} ${need}.`);
  }
}

function isText(value: unknown): value is string {
  return typeof value === 'string' && value !== '';
}

function isTime(value: unknown): boolean {
  return Number.isSafeInteger(value);
}
