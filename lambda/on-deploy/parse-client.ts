import type { ClientRecord } from '../../lib/contract';

/**
 * Reads the `Client` property of the custom resource. What its values may be is for the policy of all clients to say.
 *
 * @param text a ClientRecord as JSON
 * @throws TypeError saying what was given and what is needed
 */
export function parseClient(text: unknown): ClientRecord {
  const { clientId, name, redirectUris } = parse(text);
  const areTexts = Array.isArray(redirectUris) && [clientId, name, ...redirectUris].every(isText);
  if (!areTexts) {
    throw new TypeError(
      `Client has to be the JSON of a client with clientId, name and redirectUris; given: ${JSON.stringify(text)}.`,
    );
  }
  return { clientId, name, redirectUris } as ClientRecord;
}

function parse(text: unknown): Partial<Record<keyof ClientRecord, unknown>> {
  try {
    return Object(JSON.parse(text as string));
  } catch {
    return {};
  }
}

function isText(value: unknown): value is string {
  return typeof value === 'string' && value !== '';
}
