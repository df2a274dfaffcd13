import { rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type RunningStack, startStack } from '../start';
import { StartError } from '../start-error';
import { loadAssembly } from '../template/assembly';
import { checkPorts } from './ports';
import { claim, release, STATE_DIRECTORY } from './running.mjs';
import { type CdkApp, readApp, synthesize } from './synthesize';
import { demoUpstream, ownIssuer, ownUpstream, type Upstream } from './upstream';

const ENDPOINTS_FILE = join(STATE_DIRECTORY, 'endpoints.json');
const UPSTREAM_SECRET = 'upstream-client-secret';
/** What the construct calls it in its context. */
const ROTATE_EVERY = 'mcp-oidc-auth:rotateEvery';

const NO_OUTPUTS = `The app needs the stack outputs Issuer and McpUrl. With what McpOidcAuth and protectRestApi give, as auth and mcp:
  new CfnOutput(stack, 'Issuer', { value: auth.issuer });
  new CfnOutput(stack, 'McpUrl', { value: mcp.url });`;

export interface Started {
  close(): Promise<void>;
}

export interface StartOptions {
  /** The command that synthesizes, instead of the one in cdk.json. */
  readonly app: string | undefined;
  /** Of the issuer; the MCP server has the next one, the demo identity provider the one after that. */
  readonly port: number;
  /** The issuer of an identity provider of one's own. */
  readonly upstream: string | undefined;
  /** Seconds from one rotation of the signing keys to the next, instead of the template's. */
  readonly rotateEvery: number | undefined;
  /** Ends what waits for a person or the network. */
  readonly signal: AbortSignal;
}

/**
 * `mcp-oidc-auth start`: synthesizes the app of cdk.json, runs it, and says how to use it.
 *
 * @throws StartError with what is needed
 */
export async function start(options: StartOptions, print: (line: string) => void): Promise<Started> {
  const issuer = ownIssuer(options.upstream, process.env);
  const app = readApp(process.cwd(), options.app);
  const obstacle = claim(process.pid);
  if (obstacle) throw new StartError(obstacle);
  try {
    rmSync(ENDPOINTS_FILE, { force: true });
    const started = await run(app, issuer, options, print);
    return {
      async close() {
        rmSync(ENDPOINTS_FILE, { force: true });
        await started.close();
        release();
      },
    };
  } catch (error) {
    release();
    throw error;
  }
}

async function run(
  app: CdkApp,
  issuer: string | undefined,
  { port, rotateEvery, signal }: StartOptions,
  print: (line: string) => void,
): Promise<Started> {
  // `npm start` counts from before the build.
  const begun = 1000 * Number(process.env.MCP_OIDC_AUTH_STARTED_AT ?? 0) || performance.timeOrigin;
  const seconds = () => Math.round((Date.now() - begun) / 1000);
  const progress = (line: string) => print(`[${String(seconds()).padStart(3)} s] ${line}`);

  await checkPorts(issuer ? [port, port + 1] : [port, port + 1, port + 2]);
  const redirectUri = `http://localhost:${port}/callback`;
  const own = issuer
    ? await ownUpstream(issuer, {
        redirectUri,
        environment: process.env,
        terminal: { input: process.stdin, output: process.stdout },
        signal,
        print,
        progress,
      })
    : undefined;
  progress(own ? 'Synthesizing the app' : 'Synthesizing the app and starting the demo identity provider');
  const assembly = join(process.cwd(), STATE_DIRECTORY, 'cdk.out');
  const [synthesis, provider] = await Promise.allSettled([
    synthesize(app, assembly, rotateEvery === undefined ? {} : { [ROTATE_EVERY]: rotateEvery }),
    own ?? demoUpstream(port + 2, redirectUri),
  ]);
  const closeProvider = async () => {
    if (provider.status === 'fulfilled') await provider.value.close();
  };
  try {
    if (synthesis.status === 'rejected') throw synthesis.reason;
    if (provider.status === 'rejected') throw provider.reason;
    const upstream = provider.value;
    const dynamoDbEndpoint = process.env.AWS_ENDPOINT_URL_DYNAMODB;
    const parameters = {
      UpstreamIssuer: upstream.issuer,
      UpstreamClientId: upstream.clientId,
      UpstreamSecretName: UPSTREAM_SECRET,
    };
    const stack = await startStack({
      assembly,
      stateDirectory: STATE_DIRECTORY,
      parameters,
      secrets: { [UPSTREAM_SECRET]: upstream.clientSecret },
      ports: { issuer: port, mcp: port + 1 },
      ...(dynamoDbEndpoint ? { dynamoDbEndpoint } : {}),
      onProgress: progress,
    });
    const endpoints = endpointsOf(stack, upstream);
    writeFileSync(ENDPOINTS_FILE, `${JSON.stringify(endpoints, null, 2)}\n`);
    const more = own ? [`  Redirect URI       ${redirectUri} (to be registered there)`] : accountsOf(upstream);
    if (rotateEvery !== undefined) more.push(`  Signing keys       rotate every ${rotateEvery} s`);
    more.push(...undeclared(assembly, Object.keys(parameters)));
    for (const line of report(endpoints, more, seconds())) print(line);
    return {
      async close() {
        await stack.close();
        await closeProvider();
      },
    };
  } catch (error) {
    await closeProvider();
    throw error;
  }
}

interface Endpoints {
  readonly issuer: string;
  readonly mcpUrl: string;
  readonly identityProvider: string;
  readonly username?: string;
  readonly password?: string;
}

function endpointsOf({ outputs }: RunningStack, upstream: Upstream): Endpoints {
  const { Issuer: issuer, McpUrl: mcpUrl } = outputs;
  if (!issuer || !mcpUrl) throw new StartError(NO_OUTPUTS);
  return { issuer, mcpUrl, identityProvider: upstream.issuer, ...upstream.users[0] };
}

function accountsOf({ users }: Upstream): string[] {
  return users.map(
    ({ username, password }, i) =>
      `${i === 0 ? '  Sign in as' : '  or as     '}         ${username} with the password ${password}`,
  );
}

/** An app that has its own values where the identity provider's should go, in words. */
function undeclared(assembly: string, names: readonly string[]): string[] {
  const declared = loadAssembly(assembly).flatMap(({ template }) => Object.keys(template.Parameters ?? {}));
  const missing = names.filter((name) => !declared.includes(name));
  if (missing.length === 0) return [];
  return [
    '',
    `The app declares no parameter ${missing.join(', ')}, so people cannot sign in at this identity provider:`,
    'the sign-in goes where the values in the app say, and a secret that they name does not exist here. Declare each as a',
    'CfnParameter, and pass it to UpstreamIdp.oidc (docs/local.md).',
  ];
}

/** @param more what there is to know about the identity provider and the keys */
function report({ issuer, mcpUrl, identityProvider }: Endpoints, more: string[], seconds: number): string[] {
  return [
    '',
    `Ready after ${seconds} s.`,
    '',
    `  Issuer             ${issuer}`,
    `  MCP server         ${mcpUrl}`,
    `  Identity provider  ${identityProvider}`,
    ...more,
    '',
    'Connect MCP Inspector:',
    `  npx @modelcontextprotocol/inspector@2 --transport http --server-url ${mcpUrl}`,
    'or, from the command line:',
    `  npx @modelcontextprotocol/inspector@2 --cli --transport http --server-url ${mcpUrl} --method tools/list`,
    '',
    `What the functions log is in ${STATE_DIRECTORY}/. Ctrl-C ends everything.`,
  ];
}
