import { Token } from 'aws-cdk-lib';
import type { ClientRecord } from './contract';
import { checkList, described, firstDuplicate } from './refusal';
import { mustBe, refuse } from './validation';

/** A public client (RFC 6749 section 2.1) that is known without registering. It authenticates with `none` and uses PKCE, as all clients do. */
export interface PreRegisteredClientProps {
  /**
   * What the client is configured with: 1 to 100 letters, digits and `.`, `_`, `~`, `-`.
   */
  readonly clientId: string;

  /**
   * What people read on the consent page.
   */
  readonly name: string;

  /**
   * At least one: `https`, `http` on a loopback address (any port), or a private-use scheme that `registration.privateUseSchemes` allows.
   * One that cannot be used fails the deployment.
   */
  readonly redirectUris: string[];
}

/** Unreserved characters (RFC 3986 section 2.3), which need no encoding wherever a client id stands; so it is no URL of a metadata document. */
const CLIENT_ID = /^[A-Za-z0-9._~-]{1,100}$/;

/** The records of the clients. Throws where the props are wrong. */
export function clientRecords(clients: readonly PreRegisteredClientProps[]): ClientRecord[] {
  checkList(mustBe, 'clients', clients);
  const twice = firstDuplicate(clients.map(({ clientId }) => clientId));
  if (twice !== undefined) {
    refuse(`clients must have different client ids, got '${twice}' twice.`);
  }
  return clients.map(clientRecord);
}

function clientRecord({ clientId, name, redirectUris }: PreRegisteredClientProps): ClientRecord {
  if (typeof clientId !== 'string' || !CLIENT_ID.test(clientId)) {
    refuse(`a client's clientId must be 1 to 100 letters, digits and . _ ~ -, got ${described(clientId)}.`);
  }
  if (typeof name !== 'string' || name.trim() === '') {
    refuse(`client '${clientId}' must have a name: what people read on the consent page.`);
  }
  if (!Array.isArray(redirectUris) || redirectUris.length === 0) {
    refuse(`redirectUris of client '${clientId}' must list at least one redirect URI.`);
  }
  const broken = redirectUris.find((uri) => !Token.isUnresolved(uri) && !URL.canParse(uri));
  if (broken !== undefined) {
    refuse(`redirectUris of client '${clientId}' must be absolute URIs, got ${described(broken)}.`);
  }
  return { clientId, name, redirectUris };
}
