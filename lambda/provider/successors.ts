import { createHmac, randomBytes } from 'node:crypto';
import type { SymmetricKey } from '../../lib/contract';
import { activeAt } from './active-key';
import { grantIdOf } from './keys';

export interface Successors {
  /**
   * @param token a code or a refresh token
   * @param iat when it was issued, epoch seconds
   */
  of(token: string, iat: number): string;
}

/**
 * What follows a code or a refresh token is derived from it, so that parallel and repeated requests all yield the same refresh token without
 * being told of each other, and anybody can tell whether it was stored. The key is the one that was active when the token was issued: a token
 * has one successor for life, also across a rotation of the keys.
 */
export function successorsFrom(keys: readonly SymmetricKey[]): Successors {
  const newestFirst = [...keys].sort((a, b) => b.activeFrom - a.activeFrom);
  return {
    of(token, iat) {
      const { key } = activeAt(newestFirst, iat);
      const secret = createHmac('sha256', Buffer.from(key, 'base64url')).update(`refresh:${token}`).digest('base64url');
      return `${grantIdOf(token)}.${secret}`;
    },
  };
}

/** A code of a grant: 256 random bits. */
export function newHandle(grantId: string): string {
  return `${grantId}.${randomBytes(32).toString('base64url')}`;
}
