import { existsSync } from 'node:fs';
import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { environmentOf } from '../hosts/environment';
import { DynamoStore } from '../lambda/store/dynamo-store';
import { type Store, StoreUnavailable } from '../lambda/store/store';
import { schemeOf, sqliteFile, storeFromUrl } from '../stores/store-from-url';
import { explained } from './aws-errors';
import { OperatorError, UsageError } from './errors';

/** The authorization server's store. */
export interface OpenedStore {
  /** As people know it; without the password of a URL. */
  readonly name: string;
  readonly store: Store;
}

/** Those of a command that works on the store. */
export const STORE_OPTIONS = {
  table: { type: 'string' },
  store: { type: 'string' },
  namespace: { type: 'string' },
} as const;

export const STORE_USAGE = `  --table         the DynamoDB table of an authorization server on AWS
  --store         the URL of the store of one elsewhere (redis:// postgres:// sqlite:FILE ...); STORE_URL, from the environment or .env,
                  where neither is given
  --namespace     of the Keyv that the server was given, where it has one`;

export interface StoreOptions {
  readonly table?: string | undefined;
  readonly store?: string | undefined;
  readonly namespace?: string | undefined;
}

/**
 * Does something to the store.
 *
 * @throws OperatorError for what its database, or the way there, has against it
 */
export async function onStore(options: StoreOptions, act: (opened: OpenedStore) => Promise<void>): Promise<void> {
  const { table, store, namespace } = options;
  if (table !== undefined && store !== undefined) throw new UsageError('Give --table or --store, not both.');
  const url = table === undefined ? (store ?? environmentOf().STORE_URL) : `dynamodb:${table}`;
  if (!url) {
    throw new UsageError('The store is named by --table, by --store, or by STORE_URL in the environment or in .env.');
  }
  const [, tableName] = /^dynamodb:(.*)$/s.exec(url) ?? [];
  if (tableName !== undefined) return onTable(tableName, namespace, act);
  await onUrl(url, namespace, act);
}

/** With the region and the credentials that the AWS SDK finds by itself. */
async function onTable(
  tableName: string,
  namespace: string | undefined,
  act: (opened: OpenedStore) => Promise<void>,
): Promise<void> {
  if (tableName === '') throw new UsageError('--table needs the name of the table of the authorization server.');
  const client = new DynamoDBClient({});
  try {
    const store = new DynamoStore({ client, tableName, ...(namespace === undefined ? {} : { namespace }) });
    await act({ name: tableName, store });
  } catch (error) {
    throw await explained(error, client.config.region, {
      ResourceNotFoundException: (region) =>
        `There is no table '${tableName}' in the region ${region}. AWS_REGION sets another region; the stack that holds McpOidcAuth names its table.`,
    });
  } finally {
    client.destroy();
  }
}

async function onUrl(
  url: string,
  namespace: string | undefined,
  act: (opened: OpenedStore) => Promise<void>,
): Promise<void> {
  const scheme = schemeOf(url);
  if (scheme === 'memory:') {
    throw new OperatorError('A store in memory: is the server process alone; nothing else can look into it.');
  }
  const file = scheme === 'sqlite:' ? sqliteFile(url) : '';
  // Opening it would make one.
  if (file !== '' && !existsSync(file)) throw new OperatorError(`There is no file ${file}.`);
  const opened = await storeFromUrl(url, namespace).catch((error: Error) => {
    throw new OperatorError(error.message);
  });
  try {
    await act({ name: nameOf(url), store: opened.store });
  } catch (error) {
    throw error instanceof StoreUnavailable ? new OperatorError(`${error.message}.`) : error;
  } finally {
    await opened.close().catch(() => {});
  }
}

/** Without who connects, and by what password. */
function nameOf(url: string): string {
  const parsed = URL.parse(url);
  return parsed?.host ? `${parsed.protocol}//${parsed.host}${parsed.pathname}` : url;
}
