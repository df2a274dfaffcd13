import type { ClientRecord } from '../../lib/contract';
import { isText, membersOf } from './property';

/**
 * Reads the `Client` property of the custom resource. What its values may be is for the policy of all clients to say.
 *
 * @param text a ClientRecord as JSON
 * @throws TypeError saying what was given and what is needed
 */
export function parseClient(text: unknown): ClientRecord {
  const { clientId, name, redirectUris } = membersOf(text);
  const areTexts = Array.isArray(redirectUris) && [clientId, name, ...redirectUris].every(isText);
  if (!areTexts) {
    throw new TypeError(
      `Client has to be the JSON of a client with clientId, name and redirectUris; given: ${JSON.stringify(text)}.`,
    );
  }
  return { clientId, name, redirectUris } as ClientRecord;
}
