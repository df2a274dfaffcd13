import { createHash, randomBytes } from 'node:crypto';
import { type AttributeValue, ScanCommand } from '@aws-sdk/client-dynamodb';
import { PutSecretValueCommand } from '@aws-sdk/client-secrets-manager';
import { vi } from 'vitest';
import type { HttpRequest, HttpResponse } from '../../../lambda/provider/http';
import { AuthorizationServer } from '../../../lambda/provider/server';
import { Browser } from '../../support/browser';
import { type Deployment, ISSUER, type Options, RESOURCE, startDeployment } from './deployment';

export { ISSUER, NOTES, type Options, RESOURCE } from './deployment';

export const REDIRECT_URI = 'https://client.example.com/callback';

export interface TokenResponse {
  readonly status: number;
  readonly headers: Headers;
  readonly body: Record<string, string>;
}

/** A client's, a person's and an operator's view of a deployment. */
export class Harness implements AsyncDisposable {
  static async start(options: Options = {}): Promise<Harness> {
    return new Harness(await startDeployment(options));
  }

  #next = 0;

  /** Milliseconds that an instance has for an answer. */
  timeLimit = 25_000;

  readonly store: Deployment['store'];
  readonly table: Deployment['table'];
  readonly upstream: Deployment['upstream'];
  readonly config: Deployment['config'];
  readonly keySet: Deployment['keySet'];
  readonly upstreamSecret: Deployment['upstreamSecret'];
  readonly environment: Deployment['environment'];

  private constructor(private readonly deployment: Deployment) {
    this.store = deployment.store;
    this.table = deployment.table;
    this.upstream = deployment.upstream;
    this.config = deployment.config;
    this.keySet = deployment.keySet;
    this.upstreamSecret = deployment.upstreamSecret;
    this.environment = deployment.environment;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.deployment.close();
  }

  redeploy(changes: Parameters<Deployment['redeploy']>[0]): void {
    this.deployment.redeploy(changes);
  }

  /** The environment of somebody who may do what these policies say, and no more. */
  environmentOf(policies: object[]): Record<string, string> {
    const roleArn = 'arn:aws:iam::123456789012:role/operator';
    const credentials = this.deployment.accessControl.addCaller({ functionName: 'operator', roleArn, policies });
    return {
      ...this.environment,
      AWS_ACCESS_KEY_ID: credentials.accessKeyId,
      AWS_SECRET_ACCESS_KEY: credentials.secretAccessKey,
      AWS_SESSION_TOKEN: credentials.sessionToken,
    };
  }

  /** The calls to AWS so far, by their IAM actions. */
  get calls(): string[] {
    return this.deployment.accessControl.calls.map(({ action }) => action);
  }

  /** Every item of the table, as it lies there. */
  async items(): Promise<Record<string, AttributeValue>[]> {
    const { Items = [], LastEvaluatedKey } = await this.deployment.table.send(
      new ScanCommand({ TableName: this.config.tableName, ConsistentRead: true }),
    );
    if (LastEvaluatedKey) throw new Error('The table has become too large for one Scan');
    return Items;
  }

  async putSecret(SecretId: string, SecretString: string): Promise<void> {
    await this.deployment.secrets.send(new PutSecretValueCommand({ SecretId, SecretString }));
  }

  /** One of them, as a program in the same process has it. */
  get instance(): AuthorizationServer {
    const [first] = this.deployment.instances;
    if (!(first instanceof AuthorizationServer)) throw new Error('A host has its server in a place of its own');
    return first;
  }

  /** Sends a request to the next instance, as it stands. */
  request(request: Partial<HttpRequest>): Promise<HttpResponse> {
    const { instances } = this.deployment;
    const instance = instances[this.#next++ % instances.length]!;
    const empty = { method: 'GET', path: '/', query: '', headers: {}, body: Buffer.alloc(0), sourceIp: '203.0.113.7' };
    return instance.handle({ ...empty, ...request }, this.timeLimit);
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

  /** @param headers that it sends with every request, such as its languages */
  browser(headers: Record<string, string> = {}): Browser {
    return new Browser((url, init) => this.fetch(url, { ...init, headers: { ...headers, ...init.headers } }));
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

  /** What the client hears of a request that is refused, where the person follows the link of the page that says so. */
  async refusal(url: URL): Promise<URL> {
    const page = await this.fetch(url);
    if (page.status !== 400 || page.headers.has('location')) throw new Error(`No page of a refusal: ${page.status}`);
    return linkOf(await page.text());
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

  refresh(
    client: Record<string, unknown>,
    refreshToken: string | undefined,
    params: Record<string, string | undefined> = {},
  ) {
    return this.token({
      grant_type: 'refresh_token',
      client_id: String(client.client_id),
      refresh_token: refreshToken,
      ...params,
    });
  }
}

/** Where a page leads back to the client. */
export function linkOf(page: string): URL {
  const [, href = ''] = /<a class="button" href="([^"]+)" rel="noreferrer">/.exec(page) ?? [];
  return new URL(href.replace(/&#(\d+);/g, (_, code) => String.fromCharCode(Number(code))));
}

/** Moves the clock of every instance. `vi.useRealTimers()` puts it back. */
export function later(seconds: number): void {
  vi.useFakeTimers({ toFake: ['Date'], now: Date.now() + seconds * 1000 });
}

/** Half past the next hour, where the clock stays: so that what is counted by the hour is counted in one. */
export function atHalfPast(): void {
  later(5400 - ((Date.now() / 1000) % 3600));
}

/** Where upstream's answer arrives: a person's browser stops before it asks. */
export function atCallback(url: URL): boolean {
  return url.href.startsWith(`${ISSUER}/callback`);
}

export function atClient(url: URL): boolean {
  return url.href.startsWith(REDIRECT_URI);
}
