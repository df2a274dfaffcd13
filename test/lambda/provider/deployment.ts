import { randomBytes } from 'node:crypto';
import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import { ClientSecret } from '../../../lambda/aws/client-secret';
import { secretReader } from '../../../lambda/aws/secret-reader';
import { makeKeySet } from '../../../lambda/key-set/make-key-set';
import { CachedSecret } from '../../../lambda/provider/cached-secret';
import { keySetSource } from '../../../lambda/provider/key-source';
import { AuthorizationServer } from '../../../lambda/provider/server';
import { DynamoStore } from '../../../lambda/store/dynamo-store';
import type { Store } from '../../../lambda/store/store';
import {
  type KeySet,
  type Lifetimes,
  type ProviderConfig,
  RESOURCES_PARTITION,
  type RegistrationConfig,
  type ResourceRecord,
  type UpstreamSecretConfig,
} from '../../../lib/contract';
import type { Appearance } from '../../../lib/page-appearance';
import { AccessControl } from '../../../local/aws/access-control';
import { startDynamoDb } from '../../../local/aws/dynamodb';
import { startSecretsManager } from '../../../local/aws/secrets-manager';
import { HOST, Hosts } from '../../hosts/attacked-hosts';
import type { Database } from '../../stores/databases';
import { startUpstreamIssuer, type UpstreamIssuer } from '../../support/upstream-issuer';

export const ISSUER = 'https://auth.example.com';
export const RESOURCE = 'https://mcp.example.com/mcp';

export const NOTES: ResourceRecord = {
  identifier: RESOURCE,
  name: 'Notes',
  default: false,
  scopes: [
    { name: 'notes:use', description: 'Use your notes', default: true, implies: [] },
    { name: 'notes:read', description: 'Read your notes', default: false, implies: [] },
    { name: 'notes:write', description: 'Add notes', default: false, implies: ['notes:read'] },
  ],
};

const LIFETIMES: Lifetimes = {
  accessToken: 3600,
  authorizationCode: 60,
  interaction: 900,
  refreshTokenIdle: 30 * 86400,
  grant: 180 * 86400,
  refreshGrace: 60,
  refreshLateRetry: 24 * 3600,
  client: 90 * 86400,
};

export interface Options {
  readonly lifetimes?: Partial<Lifetimes>;
  readonly upstream?: Partial<UpstreamSecretConfig>;
  readonly resources?: readonly ResourceRecord[];
  readonly registration?: Partial<RegistrationConfig>;
  readonly dpop?: boolean;
  readonly instances?: number;
  /** What holds the records, each instance with a connection of its own; DynamoDB, with a table of the deployment's, where absent. */
  readonly database?: Database;
  /** Of calls to AWS; 1, so that a test sees the first failure, unless it says otherwise. */
  readonly maxAttempts?: number;
  /** Hosts whose metadata documents may lie on loopback. */
  readonly internalHosts?: readonly string[];
  readonly issuer?: string;
  readonly appearance?: Appearance;
  /** Another secret than the one that holds the key set. */
  readonly keySetSecretArn?: string;
}

/** One of several that answer requests. */
export type Instance = Pick<AuthorizationServer, 'handle'>;

/** What runs, and the ways to look at it and to change it from outside. */
export interface Deployment {
  readonly instances: readonly Instance[];
  readonly store: Store;
  readonly upstream: UpstreamIssuer;
  readonly config: ProviderConfig;
  /** What the key set secret holds at the start. */
  readonly keySet: KeySet;
  /** What the upstream client secret holds at the start. */
  readonly upstreamSecret: string;
  /** What Lambda would give a function that uses the same AWS. */
  readonly environment: Readonly<Record<string, string>>;
  readonly table: DynamoDBClient;
  readonly secrets: SecretsManagerClient;
  readonly accessControl: AccessControl;
  /** New instances in place of the old ones, with another configuration. */
  redeploy(changes: Partial<ProviderConfig>): void;
  close(): Promise<void>;
}

/** Made once for each file of tests: RSA keys take long. */
const firstKeySet = makeKeySet(Math.floor(Date.now() / 1000));

/** Several instances of the authorization server, as Lambda would run them, on one table and an upstream of the test's. */
export async function startDeployment(options: Options = {}): Promise<Deployment> {
  const accessControl = new AccessControl({ region: 'us-east-1', account: '123456789012' });
  const [dynamodb, secretsManager, upstream, keySet] = await Promise.all([
    startDynamoDb({ accessControl }),
    startSecretsManager({ accessControl, invoke: async () => undefined }),
    startUpstreamIssuer(),
    firstKeySet,
  ]);
  await dynamodb.createTable({
    TableName: 'auth',
    BillingMode: 'PAY_PER_REQUEST',
    AttributeDefinitions: [
      { AttributeName: 'pk', AttributeType: 'S' },
      { AttributeName: 'sk', AttributeType: 'S' },
    ],
    KeySchema: [
      { AttributeName: 'pk', KeyType: 'HASH' },
      { AttributeName: 'sk', KeyType: 'RANGE' },
    ],
  });
  const credentials = accessControl.addCaller({
    functionName: 'provider',
    roleArn: 'arn:aws:iam::123456789012:role/provider',
    policies: [{ Version: '2012-10-17', Statement: [{ Effect: 'Allow', Action: '*', Resource: '*' }] }],
  });
  const aws = { region: 'us-east-1', credentials, maxAttempts: options.maxAttempts ?? 1 };
  const table = new DynamoDBClient({ ...aws, endpoint: dynamodb.endpoint });
  const count = options.instances ?? 4;
  const stores: Store[] = [];
  for (let i = 0; i < count; i++) {
    stores.push((await options.database?.connect()) ?? new DynamoStore({ client: table, tableName: 'auth' }));
  }
  const store = stores[0]!;
  for (const resource of options.resources ?? [NOTES]) {
    await store.configure(`${RESOURCES_PARTITION}/${resource.identifier}`, resource);
  }
  const upstreamSecret = randomBytes(16).toString('hex');
  const config: ProviderConfig = {
    issuer: options.issuer ?? ISSUER,
    tableName: 'auth',
    keySetSecretArn:
      options.keySetSecretArn ?? secretsManager.createSecret({ name: 'keys', value: JSON.stringify(keySet) }).arn,
    upstream: {
      issuer: upstream.issuer,
      clientId: 'this-server',
      clientSecretId: secretsManager.createSecret({ name: 'upstream', value: upstreamSecret }).arn,
      scopes: ['openid'],
      extraParameters: {},
      allow: [],
      claims: ['email'],
      recheck: 3600,
      ...options.upstream,
    },
    registration: { perAddress: 1000, inAll: 10_000, sharedEgress: [], ...options.registration },
    clientMetadata: { internalHosts: options.internalHosts ?? [], deniedHosts: [] },
    lifetimes: { ...LIFETIMES, ...options.lifetimes },
    dpop: options.dpop ?? false,
    keySetRefresh: 60,
  };
  const environment = {
    AWS_REGION: aws.region,
    AWS_ACCESS_KEY_ID: credentials.accessKeyId,
    AWS_SECRET_ACCESS_KEY: credentials.secretAccessKey,
    AWS_SESSION_TOKEN: credentials.sessionToken,
    AWS_ENDPOINT_URL_DYNAMODB: dynamodb.endpoint,
    AWS_ENDPOINT_URL_SECRETS_MANAGER: secretsManager.endpoint,
  };
  const secrets = new SecretsManagerClient({ ...aws, endpoint: secretsManager.endpoint });
  const start = (changes: Partial<ProviderConfig>) =>
    stores.map(
      (ofInstance) =>
        new AuthorizationServer({
          config: { ...config, ...changes },
          store: ofInstance,
          keys: keySetSource(new CachedSecret(secretReader(secrets, config.keySetSecretArn), config.keySetRefresh)),
          clientSecret: new ClientSecret(secrets, config.upstream.clientSecretId),
          appearance: options.appearance,
        }),
    );
  const hosts = new Hosts();
  let instances: readonly Instance[] =
    HOST === undefined
      ? start({})
      : await hosts.start(HOST, config, stores, keySet, upstreamSecret, options.appearance);
  return {
    get instances() {
      return instances;
    },
    redeploy(changes) {
      if (HOST) throw new Error('Only on Lambda a server is deployed again with another configuration');
      instances = start(changes);
    },
    store,
    upstream,
    config,
    keySet,
    upstreamSecret,
    environment,
    table,
    secrets,
    accessControl,
    async close() {
      await hosts.close();
      await Promise.all([dynamodb.close(), secretsManager.close(), upstream[Symbol.asyncDispose]()]);
    },
  };
}
