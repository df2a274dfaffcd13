import { environmentOf } from '../hosts/environment';
import { KeptKeys, KeysChangedError, NoKeysError, WrongSecretError } from '../hosts/kept-keys';
import { LONGEST_LIFETIME } from '../lib/contract';
import { OperatorError, UsageError } from './errors';
import { onStore, type StoreOptions } from './opened-store';
import type { Output } from './output';
import { kidsOf, revoked, turned } from './turned-keys';

/** Turns over the keys that an authorization server outside AWS keeps in its store, sealed under its secret. */
export async function rotateStored(
  { store, namespace }: Omit<StoreOptions, 'table'>,
  revokeCurrent: boolean,
  output: Output,
): Promise<void> {
  const { STORE_URL, SESSION_SECRET, SESSION_SECRET_PREVIOUS } = environmentOf();
  const url = store ?? STORE_URL;
  if (!url) throw new UsageError('keys rotate needs --secret, --store or STORE_URL.');
  const secrets = [SESSION_SECRET, SESSION_SECRET_PREVIOUS].filter((secret) => secret !== undefined);
  if (secrets.length === 0) {
    throw new OperatorError('The keys in the store are sealed: set SESSION_SECRET to the secret of the server.');
  }
  await onStore({ store: url, namespace }, async ({ name, store }) => {
    // What the server's tokens live for is not known here: at its next turn the server leaves out what nobody needs any more.
    const keys = new KeptKeys(store, secrets, LONGEST_LIFETIME);
    const { before, after } = await (revokeCurrent ? keys.revokeCurrent() : keys.turnOverNow()).catch((error) => {
      throw explained(error, name);
    });
    if (!revokeCurrent) return output.note(turned(before, after));
    for (const kid of kidsOf(before)) output.print(kid);
    output.note(
      revoked(
        after,
        'servers look every minute and serve what they have for twice as long, and MCP servers keep /jwks for as long as they do',
      ),
    );
  });
}

function explained(error: unknown, name: string): unknown {
  if (error instanceof NoKeysError) {
    return new OperatorError(`No authorization server keeps its keys in ${name}, or it has another --namespace.`);
  }
  if (error instanceof WrongSecretError) {
    return new OperatorError('SESSION_SECRET is not the secret that the keys in the store are sealed under.');
  }
  if (error instanceof KeysChangedError) {
    return new OperatorError('The keys have changed in this moment: the server has rotated them. Look at them again.');
  }
  return error;
}
