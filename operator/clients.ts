import { randomBytes, randomUUID } from 'node:crypto';
import { parseArgs } from 'node:util';
import { isClientIdUrl } from '../lambda/provider/client-metadata/client-id-url';
import { ClientMetadataError, ClientPolicy, type Metadata } from '../lambda/provider/client-policy';
import { displayable } from '../lambda/provider/displayable';
import { clientKey } from '../lambda/provider/keys';
import { preRegisteredClient } from '../lambda/provider/pre-registered-client';
import { printableJson } from '../lambda/provider/printable-json';
import { resourceServerClient } from '../lambda/provider/resource-server';
import type { Store, StoredRecord } from '../lambda/store/store';
import type { ClientRecord } from '../lib/contract';
import { OperatorError, UsageError } from './errors';
import { type OpenedStore, onStore, STORE_OPTIONS, STORE_USAGE } from './opened-store';
import type { Output } from './output';

export const CLIENTS_USAGE = `Usage: mcp-oidc-auth clients add (--table NAME | --store URL) --name TEXT --redirect-uri URI [--redirect-uri URI ...] [--secret]
       mcp-oidc-auth clients add (--table NAME | --store URL) --name TEXT --resource IDENTIFIER [--resource IDENTIFIER ...]
       mcp-oidc-auth clients show (--table NAME | --store URL) ID
       mcp-oidc-auth clients remove (--table NAME | --store URL) ID

add registers a client that never expires and that you vouch for on the consent page; with --resource, the MCP server of that protected
resource, so that it can have the access tokens that it receives introspected, and exchanged for upstream tokens.
show prints what is known of any client, remove takes any away that has registered.

${STORE_USAGE}
  --name          what people read on the consent page
  --redirect-uri  https, http on a loopback address, or a private-use scheme (com.example.app:/callback)
  --resource      the identifier of a protected resource; the secret of its server is printed once
  --secret        makes the client a confidential one; its secret is printed once

Region and credentials for a table are those that the AWS CLI uses (AWS_REGION, AWS_PROFILE ...).`;

/** Adds, shows or removes a client. */
export async function clients(args: string[], output: Output): Promise<void> {
  const { values, positionals } = parseArgs({
    args,
    allowPositionals: true,
    options: {
      ...STORE_OPTIONS,
      name: { type: 'string' },
      'redirect-uri': { type: 'string', multiple: true },
      resource: { type: 'string', multiple: true },
      secret: { type: 'boolean' },
    },
  });
  const { name, 'redirect-uri': redirectUris, resource: resources, secret } = values;
  const [action, id, ...rest] = positionals;
  if (rest.length > 0) throw new UsageError(`One client at a time, got ${positionals.slice(1).join(' ')}.`);
  if (action === 'add') {
    if (id !== undefined) throw new UsageError(`clients add gives the client its id, got ${id}.`);
    if (name && resources) {
      if (redirectUris)
        throw new UsageError('A resource server has no redirect URI: give --resource or --redirect-uri.');
      return onStore(values, ({ store }) => addResourceServer(store, name, resources, output));
    }
    if (!name || !redirectUris)
      throw new UsageError('clients add needs --name, and at least one --redirect-uri or --resource.');
    return onStore(values, ({ store }) => add(store, { name, redirectUris, secret }, output));
  }
  if (action !== 'show' && action !== 'remove') {
    throw new UsageError(`clients needs add, show or remove, got ${action ?? 'nothing'}.`);
  }
  if (!id) throw new UsageError(`clients ${action} needs the id of a client.`);
  if (name || redirectUris || resources || secret) {
    throw new UsageError('--name, --redirect-uri, --resource and --secret are for clients add alone.');
  }
  return onStore(values, (opened) => (action === 'show' ? show : remove)(opened, id, output));
}

interface NewClient extends Omit<ClientRecord, 'clientId'> {
  readonly secret?: boolean;
}

async function add(store: Store, { name, redirectUris, secret }: NewClient, output: Output): Promise<void> {
  const clientId = randomUUID();
  const client_secret = secret ? newSecret() : undefined;
  await put(store, clientId, checked({ clientId, name, redirectUris }, client_secret), client_secret, output);
}

async function addResourceServer(store: Store, name: string, resources: string[], output: Output): Promise<void> {
  const clientId = randomUUID();
  const client_secret = newSecret();
  const broken = resources.find((resource) => !URL.canParse(resource));
  if (broken !== undefined) {
    throw new OperatorError(`The client is not registered: ${broken} is no identifier of a protected resource.`);
  }
  await put(store, clientId, resourceServerClient({ clientId, name, resources }, client_secret), client_secret, output);
}

async function put(
  store: Store,
  clientId: string,
  client: Metadata,
  client_secret: string | undefined,
  output: Output,
): Promise<void> {
  const metadata = { ...client, client_id_issued_at: Math.floor(Date.now() / 1000) };
  await store.configure(clientKey(clientId), metadata);
  output.print(printableJson({ ...metadata, client_secret }, 2));
  if (client_secret !== undefined) {
    output.note(
      'The secret is shown this once: the store holds its hash alone. It may be sent by client_secret_post too.',
    );
  }
}

function newSecret(): string {
  return randomBytes(32).toString('base64url');
}

function checked(client: ClientRecord, secret?: string): Metadata {
  try {
    return preRegisteredClient(new ClientPolicy(), client, secret);
  } catch (error) {
    throw error instanceof ClientMetadataError
      ? new OperatorError(`The client is not registered: ${error.message}.`)
      : error;
  }
}

async function show(opened: OpenedStore, id: string, output: Output): Promise<void> {
  const record = await found(opened, id);
  const { client_secret: _, ...metadata } = metadataOf(record, id);
  const { expiresAt, registeredBy } = record;
  output.print(
    printableJson(
      {
        origin: originOf(record, id),
        registeredBy,
        expires: expiresAt === undefined ? 'never' : new Date(expiresAt * 1000).toISOString(),
        metadata,
      },
      2,
    ),
  );
}

async function remove(opened: OpenedStore, id: string, output: Output): Promise<void> {
  if (isClientIdUrl(id)) {
    throw new OperatorError(
      `${id} is described by its own document, which is fetched again when it is needed: nothing here could remove it.`,
    );
  }
  const record = await found(opened, id);
  await opened.store.delete(clientKey(id));
  const { client_name: name, token_endpoint_auth_method: method } = metadataOf(record, id);
  output.note(
    `Removed ${displayable(String(name ?? '')) || id}. What it was granted cannot be used any more, because the client is unknown. Access tokens already issued live on until they expire (lifetimes.accessToken, 1 hour by default).`,
  );
  if (record.registeredBy) {
    output.note(
      `It is declared in the prop clients, by ${record.registeredBy}: take it out there too, or its next change registers it again.`,
    );
  }
  if (originOf(record, id) === 'registration' && method === 'none') {
    output.note('An app that registers the same metadata again gets the same id, and can use its former grants again.');
  }
}

async function found({ name, store }: OpenedStore, id: string): Promise<StoredRecord> {
  const [record] = await store.read([clientKey(id)]);
  if (!record) throw new OperatorError(`No client has the id ${id} in ${name}, or it has expired.`);
  return record;
}

/** How the client comes to be known: a URL names its metadata document, and the operators' clients alone never expire. */
function originOf({ expiresAt }: StoredRecord, id: string): 'document' | 'operators' | 'registration' {
  if (isClientIdUrl(id)) return 'document';
  return expiresAt === undefined ? 'operators' : 'registration';
}

function metadataOf({ value }: StoredRecord, id: string): Metadata {
  return isClientIdUrl(id) ? (value as { metadata: Metadata }).metadata : (value as Metadata);
}
