import type { ResourceServerRecord } from '../../lib/contract';
import { isText, membersOf } from './property';

/**
 * Reads the `ResourceServer` property of the custom resource.
 *
 * @param text a ResourceServerRecord as JSON
 * @throws TypeError saying what was given and what is needed
 */
export function parseResourceServer(text: unknown): ResourceServerRecord {
  const { clientId, name, resources } = membersOf(text);
  if (
    !isText(clientId) ||
    !isText(name) ||
    !Array.isArray(resources) ||
    resources.length === 0 ||
    !resources.every(isText)
  ) {
    throw new TypeError(
      `ResourceServer has to be the JSON of a resource server with clientId, name and resources; given: ${JSON.stringify(text)}.`,
    );
  }
  return { clientId, name, resources };
}

/**
 * The secret in the credential of a resource server.
 *
 * @param text the value of the secret in Secrets Manager
 * @throws TypeError which does not show what was given
 */
export function secretOf(text: string, { clientId }: ResourceServerRecord): string {
  const credential = membersOf(text);
  if (credential.client_id !== clientId || !isText(credential.client_secret)) {
    throw new TypeError(`The secret of ${clientId} has to be a JSON object with its client_id and a client_secret.`);
  }
  return credential.client_secret;
}
