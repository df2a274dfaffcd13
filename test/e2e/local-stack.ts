import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { App } from 'aws-cdk-lib';
import type { NotesStackProps } from '../../examples/notes-stack';
import { type DemoIdentityProvider, startIdentityProvider } from '../../local/identity-provider/start';
import { type RunningStack, startStack } from '../../local/start';
import { Browser } from '../support/browser';

/** Ends in a hyphen and six characters on purpose: by a partial ARN Secrets Manager would not find it, only by its name. */
const UPSTREAM_SECRET = 'upstream-client-secret';

export interface LocalStack extends AsyncDisposable {
  readonly stack: RunningStack;
  readonly identityProvider: DemoIdentityProvider;
  readonly issuer: string;
  readonly mcpUrl: string;
  /** Every line that a function has logged. */
  readonly logs: string[];
}

/**
 * The app of bin/app.ts, synthesized as `cdk synth` does and run on this machine, in front of the demo identity provider.
 * Every function's instance ends after 20 events, so that nothing can live in memory alone.
 *
 * @param lifetimes in seconds, instead of the defaults
 * @param auth what the authorization server is to be beyond that; only then it is not the very app of bin/app.ts, but its stack with these props
 */
export async function startLocalStack(
  lifetimes: Record<string, number> = {},
  auth?: NotesStackProps['auth'],
): Promise<LocalStack> {
  return startLocalApp((assembly) =>
    auth ? synthesizeWith(auth, assembly) : synthesize(assembly, { lifetimes: JSON.stringify(lifetimes) }),
  );
}

/**
 * The same with another app in place of that of bin/app.ts.
 *
 * @param synthesizeInto puts the cloud assembly into a directory; the app may take the identity provider from its parameters or from here
 */
export async function startLocalApp(
  synthesizeInto: (assembly: string, identityProvider: DemoIdentityProvider) => void | Promise<void>,
): Promise<LocalStack> {
  const directory = mkdtempSync(join(tmpdir(), 'mcp-oidc-auth-'));
  const assembly = join(directory, 'cdk.out');
  const issuerPort = await freePort();
  const identityProvider = await startIdentityProvider({
    port: 0,
    redirectUri: `http://localhost:${issuerPort}/callback`,
  });
  await synthesizeInto(assembly, identityProvider);
  const logs: string[] = [];
  const stack = await startStack({
    assembly,
    ports: { issuer: issuerPort, mcp: 0 },
    parameters: {
      UpstreamIssuer: identityProvider.issuer,
      UpstreamClientId: identityProvider.clientId,
      UpstreamSecretName: UPSTREAM_SECRET,
    },
    secrets: { [UPSTREAM_SECRET]: identityProvider.clientSecret },
    dynamoDbEndpoint: process.env.AWS_ENDPOINT_URL_DYNAMODB,
    eventsPerInstance: 20,
    stateDirectory: directory,
    onLog: (functionName, line) => logs.push(`${functionName} ${line}`),
  });
  return {
    stack,
    identityProvider,
    issuer: stack.outputs.Issuer ?? '',
    mcpUrl: stack.outputs.McpUrl ?? '',
    logs,
    async [Symbol.asyncDispose]() {
      await Promise.all([stack.close(), identityProvider.close()]);
      rmSync(directory, { recursive: true, force: true });
    },
  };
}

const ROOT = join(__dirname, '..', '..');

/** The context of cdk.json: the flags that the CDK command line hands to the app. */
const flags = (): Record<string, unknown> => JSON.parse(readFileSync(join(ROOT, 'cdk.json'), 'utf8')).context;

/** Runs the compiled app with the context of cdk.json, as the CDK command line does. */
function synthesize(output: string, context: Record<string, string>): void {
  execFileSync(process.execPath, ['dist/bin/app.js'], {
    cwd: ROOT,
    env: { ...process.env, CDK_OUTDIR: output, CDK_CONTEXT_JSON: JSON.stringify({ ...flags(), ...context }) },
    stdio: ['ignore', 'ignore', 'inherit'],
  });
}

/** The compiled stack of the app, with other props. */
async function synthesizeWith(auth: NotesStackProps['auth'], outdir: string): Promise<void> {
  const compiled = join(ROOT, 'dist', 'examples', 'notes-stack.js');
  const { NotesStack } = (await import(compiled)) as typeof import('../../examples/notes-stack');
  const app = new App({ outdir, context: flags() });
  new NotesStack(app, 'McpOidcAuth', { auth });
  app.synth();
}

export async function freePort(): Promise<number> {
  const server = createServer().listen(0);
  await new Promise((resolve) => server.once('listening', resolve));
  const address = server.address();
  await new Promise((resolve) => server.close(resolve));
  return typeof address === 'object' && address ? address.port : 0;
}

/** Someone at a browser, who signs in at the demo identity provider. */
export class Person {
  constructor(
    private readonly stack: LocalStack,
    private readonly account: { readonly username: string; readonly password: string },
    readonly browser = new Browser(),
  ) {}

  /** What the last consent page said. */
  consentPage = '';

  /** Consents, signs in where asked, and ends at the client's redirect URI, whose parameters it returns. */
  async authorize(url: URL, redirectUri: string): Promise<URLSearchParams> {
    const atClient = (address: URL) => address.href.startsWith(redirectUri);
    const consent = await this.browser.open(url);
    this.consentPage = consent.text;
    let page = await this.browser.submit(consent, 'allow', {}, atClient);
    if (page.url.origin === this.stack.identityProvider.issuer) {
      page = await this.browser.submit(page, undefined, { ...this.account }, atClient);
    }
    if (!atClient(page.url)) throw new Error(`Not at the client but at ${page.url} (${page.status}):\n${page.text}`);
    return page.url.searchParams;
  }
}
