import { createHash } from 'node:crypto';
import { CLIENT_PREFIX, GRANT_PREFIX, PERSON_PREFIX, RESOURCES_PARTITION } from '../../lib/contract';

/** Where each record lies: docs/storage-schema.md. A key is the item's pk followed by its sk. */

/** The SHA-256 of a handle: keys never hold a bearer value. */
export function hash(handle: string): string {
  return createHash('sha256').update(handle).digest('base64url');
}

export const clientKey = (clientId: string) => clientKeyOf(hash(clientId));
export const clientKeyOf = (clientHash: string) => `${CLIENT_PREFIX}${clientHash}`;
/** A client assertion or DPoP proof that was presented. */
export const presentedKey = (clientId: string, jti: string) => `presented#${hash(JSON.stringify([clientId, jti]))}`;
/** A protected resource: without a hash, so that all of them are listed by one Query. */
export const resourceKey = (identifier: string) => `${RESOURCES_PARTITION}/${identifier}`;
export const interactionKey = (uid: string) => `interaction#${hash(uid)}/interaction`;
/** What became of a sign-in, apart from the interaction, because it is decided once. */
export const decisionKey = (uid: string) => `interaction#${hash(uid)}/decision`;
export const upstreamKey = (uid: string, state: string) => `interaction#${hash(uid)}/upstream#${hash(state)}`;
export const grantKey = (grantId: string) => grantKeyOf(hash(grantId));
export const grantKeyOf = (grantHash: string) => `${GRANT_PREFIX}${grantHash}/grant`;
export const codeKey = (code: string) => `${GRANT_PREFIX}${hash(grantIdOf(code))}/code#${hash(code)}`;
export const refreshTokenKey = (token: string) => `${GRANT_PREFIX}${hash(grantIdOf(token))}/refresh#${hash(token)}`;
/** Upstream's tokens for a grant. */
export const upstreamTokenKey = (grantId: string) => upstreamTokenKeyOf(hash(grantId));
export const upstreamTokenKeyOf = (grantHash: string) => `${GRANT_PREFIX}${grantHash}/upstream`;
export const personKey = (sub: string, grantId: string) => `${personPartition(sub)}/${GRANT_PREFIX}${hash(grantId)}`;
/** Where all grants of a person are listed. */
export const personPartition = (sub: string) => `${PERSON_PREFIX}${sub}`;
/** The grant that a `personKey` stands for, whose partition is what comes after the person's. */
export const listedGrantKey = (key: string) => `${key.slice(key.indexOf('/') + 1)}/grant`;
/** Upstream's tokens for that grant. */
export const listedUpstreamTokenKey = (key: string) => `${key.slice(key.indexOf('/') + 1)}/upstream`;

/** Codes and refresh tokens read `<grantId>.<secret>`, so that one batch read finds the token and its grant. */
export function grantIdOf(token: string): string {
  return token.slice(0, Math.max(0, token.indexOf('.')));
}
