import { createHmac, randomBytes } from 'node:crypto';
import type { SymmetricKey } from '../../lib/contract';
import { grantIdOf } from './keys';

export interface Successors {
  /** @param token a code or a refresh token
   *  @param iat when it was issued, epoch seconds */
  of(token: string, iat: number): string;
}

/**
 * What follows a code or a refresh token is derived from it, so that parallel and repeated requests all yield the same
 * refresh token without being told of each other, and anybody can tell whether it was stored. The key is the one that was newest when the token was issued: a token has one
 * successor for life, also across a rotation of the keys.
 */
export function successorsFrom(keys: readonly SymmetricKey[]): Successors {
  const newestFirst = [...keys].sort((a, b) => b.createdAt - a.createdAt);
  return {
    of(token, iat) {
      const key = newestFirst.find(({ createdAt }) => createdAt <= iat) ?? newestFirst.at(-1);
      if (!key) throw new Error('The key set secret has no successor key');
      const secret = createHmac('sha256', Buffer.from(key.key, 'base64url'))
        .update(`refresh:${token}`)
        .digest('base64url');
      return `${grantIdOf(token)}.${secret}`;
    },
  };
}

/** A code of a grant: 256 random bits. */
export function newHandle(grantId: string): string {
  return `${grantId}.${randomBytes(32).toString('base64url')}`;
}
