import { createHash, randomBytes } from 'node:crypto';
import { type AttributeValue, DynamoDBClient, ScanCommand } from '@aws-sdk/client-dynamodb';
import { PutSecretValueCommand, SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import { vi } from 'vitest';
import { makeKeySet } from '../../../lambda/key-set/make-key-set';
import { CachedSecret } from '../../../lambda/provider/cached-secret';
import type { HttpRequest, HttpResponse } from '../../../lambda/provider/http';
import { AuthorizationServer } from '../../../lambda/provider/server';
import { DynamoStore } from '../../../lambda/store/dynamo-store';
import {
  type KeySet,
  type Lifetimes,
  type ProviderConfig,
  RESOURCES_PARTITION,
  type ResourceRecord,
  type UpstreamConfig,
} from '../../../lib/contract';
import { AccessControl, type RecordedCall } from '../../../local/aws/access-control';
import { startDynamoDb } from '../../../local/aws/dynamodb';
import { startSecretsManager } from '../../../local/aws/secrets-manager';
import { Browser } from '../../support/browser';
import { startUpstreamIssuer, type UpstreamIssuer } from '../../support/upstream-issuer';

export const ISSUER = 'https://auth.example.com';
export const RESOURCE = 'https://mcp.example.com/mcp';
export const REDIRECT_URI = 'https://client.example.com/callback';

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
  client: 90 * 86400,
};

export interface Options {
  readonly lifetimes?: Partial<Lifetimes>;
  readonly upstream?: Partial<UpstreamConfig>;
  readonly resources?: readonly ResourceRecord[];
  readonly instances?: number;
  /** Another secret than the one that holds the key set. */
  readonly keySetSecretArn?: string;
}

interface Parts {
  readonly instances: readonly AuthorizationServer[];
  readonly store: DynamoStore;
  readonly upstream: UpstreamIssuer;
  readonly config: ProviderConfig;
  readonly keySet: KeySet;
  readonly upstreamSecret: string;
  readonly environment: Readonly<Record<string, string>>;
  readonly table: DynamoDBClient;
  readonly secrets: SecretsManagerClient;
  readonly accessControl: AccessControl;
  close(): Promise<void>;
}

export interface TokenResponse {
  readonly status: number;
  readonly headers: Headers;
  readonly body: Record<string, string>;
}

/** Made once for each file of tests: RSA keys take long. */
const firstKeySet = makeKeySet(Math.floor(Date.now() / 1000));

/** Several instances of the authorization server, as Lambda would run them, on one table and an upstream of the test's. */
export class Harness implements AsyncDisposable {
  static async start(options: Options = {}): Promise<Harness> {
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
    const aws = { region: 'us-east-1', credentials, maxAttempts: 1 };
    const table = new DynamoDBClient({ ...aws, endpoint: dynamodb.endpoint });
    const store = new DynamoStore({ client: table, tableName: 'auth' });
    for (const resource of options.resources ?? [NOTES]) {
      await store.set(`${RESOURCES_PARTITION}/${resource.identifier}`, resource);
    }
    const upstreamSecret = randomBytes(16).toString('hex');
    const config: ProviderConfig = {
      issuer: ISSUER,
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
        ...options.upstream,
      },
      lifetimes: { ...LIFETIMES, ...options.lifetimes },
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
    const secret = (arn: string) => new CachedSecret(secrets, arn, 60);
    const instances = Array.from(
      { length: options.instances ?? 4 },
      () =>
        new AuthorizationServer({
          config,
          store,
          keySetSecret: secret(config.keySetSecretArn),
          upstreamSecret: secret(config.upstream.clientSecretId),
        }),
    );
    return new Harness({
      instances,
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
        await Promise.all([dynamodb.close(), secretsManager.close(), upstream[Symbol.asyncDispose]()]);
      },
    });
  }

  #next = 0;

  readonly store: DynamoStore;
  readonly upstream: UpstreamIssuer;
  readonly config: ProviderConfig;
  /** What the key set secret holds at the start. */
  readonly keySet: KeySet;
  /** What the upstream client secret holds at the start. */
  readonly upstreamSecret: string;
  /** What Lambda would give a function that uses the same AWS. */
  readonly environment: Readonly<Record<string, string>>;

  private constructor(private readonly parts: Parts) {
    this.store = parts.store;
    this.upstream = parts.upstream;
    this.config = parts.config;
    this.keySet = parts.keySet;
    this.upstreamSecret = parts.upstreamSecret;
    this.environment = parts.environment;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.parts.close();
  }

  /** The calls to AWS so far, by their IAM actions. */
  get calls(): string[] {
    return this.parts.accessControl.calls.map(({ action }: RecordedCall) => action);
  }

  /** Every item of the table, as it lies there. */
  async items(): Promise<Record<string, AttributeValue>[]> {
    const { Items = [], LastEvaluatedKey } = await this.parts.table.send(
      new ScanCommand({ TableName: this.config.tableName, ConsistentRead: true }),
    );
    if (LastEvaluatedKey) throw new Error('The table has become too large for one Scan');
    return Items;
  }

  async putSecret(SecretId: string, SecretString: string): Promise<void> {
    await this.parts.secrets.send(new PutSecretValueCommand({ SecretId, SecretString }));
  }

  /** Sends a request to the next instance, as it stands. */
  request(request: Partial<HttpRequest>): Promise<HttpResponse> {
    const { instances } = this.parts;
    const instance = instances[this.#next++ % instances.length]!;
    const empty = { method: 'GET', path: '/', query: '', headers: {}, body: Buffer.alloc(0), sourceIp: '203.0.113.7' };
    return instance.handle({ ...empty, ...request });
  }

  /** Sends a request to the next instance; other hosts than the issuer's are real. */
  async fetch(
    url: URL | string,
    init: Omit<RequestInit, 'headers'> & { headers?: Record<string, string> } = {},
  ): Promise<Response> {
    const address = new URL(url, ISSUER);
    if (address.origin !== ISSUER) return fetch(address, init);
    const headers = Object.fromEntries(
      Object.entries(init.headers ?? {}).map(([name, value]) => [name.toLowerCase(), value]),
    );
    const response = await this.request({
      method: (init.method ?? 'GET').toUpperCase(),
      path: address.pathname,
      query: address.search.slice(1),
      headers: { host: address.host, ...headers },
      body: Buffer.from(String(init.body ?? '')),
    });
    const empty = response.status === 204 || response.status === 304;
    const answer = new Response(empty ? null : new Uint8Array(Buffer.from(response.body)), {
      status: response.status,
      headers: response.headers,
    });
    for (const cookie of response.cookies) answer.headers.append('set-cookie', cookie);
    return answer;
  }

  /** Posts a form as a program does. */
  post(path: string, params: Record<string, string | undefined>, headers: Record<string, string> = {}) {
    const body = new URLSearchParams();
    for (const [name, value] of Object.entries(params)) if (value !== undefined) body.set(name, value);
    const type = { 'content-type': 'application/x-www-form-urlencoded' };
    return this.fetch(path, { method: 'POST', headers: { ...type, ...headers }, body: body.toString() });
  }

  browser(): Browser {
    return new Browser((url, init) => this.fetch(url, init));
  }

  async register(metadata: Record<string, unknown> = {}): Promise<Record<string, string>> {
    const response = await this.fetch('/register', {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({
        client_name: 'Test client',
        redirect_uris: [REDIRECT_URI],
        token_endpoint_auth_method: 'none',
        ...metadata,
      }),
    });
    return (await response.json()) as Record<string, string>;
  }

  /** An authorization request for `client`; undefined leaves a parameter out. */
  authorizationRequest(client: Record<string, unknown>, params: Record<string, string | undefined> = {}) {
    const codeVerifier = randomBytes(32).toString('base64url');
    const url = new URL('/authorize', ISSUER);
    const all: Record<string, string | undefined> = {
      response_type: 'code',
      client_id: String(client.client_id),
      redirect_uri: REDIRECT_URI,
      code_challenge: createHash('sha256').update(codeVerifier).digest('base64url'),
      code_challenge_method: 'S256',
      state: 'client-state',
      resource: RESOURCE,
      ...params,
    };
    for (const [name, value] of Object.entries(all)) if (value !== undefined) url.searchParams.set(name, value);
    return { url, codeVerifier };
  }

  /** All the way to the client's redirect URI, with the person's consent. */
  async signIn(
    client: Record<string, unknown>,
    params: Record<string, string | undefined> = {},
    browser = this.browser(),
  ) {
    const { url, codeVerifier } = this.authorizationRequest(client, params);
    const consent = await browser.open(url);
    const { url: answer } = await browser.submit(consent, 'allow', {}, atClient);
    return { answer, code: answer.searchParams.get('code') ?? '', codeVerifier, consent };
  }

  async token(
    params: Record<string, string | undefined>,
    headers: Record<string, string> = {},
  ): Promise<TokenResponse> {
    const response = await this.post('/token', params, headers);
    return {
      status: response.status,
      headers: response.headers,
      body: (await response.json()) as Record<string, string>,
    };
  }

  redeem(
    client: Record<string, unknown>,
    { code, codeVerifier }: { code: string; codeVerifier: string },
    params: Record<string, string | undefined> = {},
  ): Promise<TokenResponse> {
    return this.token({
      grant_type: 'authorization_code',
      client_id: String(client.client_id),
      code,
      code_verifier: codeVerifier,
      redirect_uri: REDIRECT_URI,
      resource: RESOURCE,
      ...params,
    });
  }

  refresh(client: Record<string, unknown>, refreshToken: string | undefined, params: Record<string, string> = {}) {
    return this.token({
      grant_type: 'refresh_token',
      client_id: String(client.client_id),
      refresh_token: refreshToken,
      ...params,
    });
  }
}

/** Moves the clock of every instance. `vi.useRealTimers()` puts it back. */
export function later(seconds: number): void {
  vi.useFakeTimers({ toFake: ['Date'], now: Date.now() + seconds * 1000 });
}

export function atClient(url: URL): boolean {
  return url.href.startsWith(REDIRECT_URI);
}
