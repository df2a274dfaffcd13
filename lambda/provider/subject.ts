import { hash } from './keys';

/**
 * The `sub` of a person here: stable for one person at one issuer, and tells neither.
 *
 * @param issuer the `iss` of the upstream ID token, as it is spelled there
 * @param subject its `sub`
 */
export function subjectOf(issuer: string, subject: string): string {
  return hash(JSON.stringify([issuer, subject]));
}
