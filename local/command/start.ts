import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type RunningStack, startStack } from '../start';
import { StartError } from '../start-error';
import { checkPorts } from './ports';
import { synthesize } from './synthesize';
import { demoUpstream, type Upstream, upstreamOf } from './upstream';

const STATE_DIRECTORY = '.local';
const UPSTREAM_SECRET = 'upstream-client-secret';

export interface Started {
  close(): Promise<void>;
}

/**
 * `mcp-oidc-auth start`: synthesizes the app of cdk.json, runs it, and says how to use it.
 *
 * @param port of the issuer; the MCP server has the next one, the demo identity provider the one after that
 * @throws StartError with what is needed
 */
export async function start(port: number, print: (line: string) => void): Promise<Started> {
  const begun = performance.now();
  const seconds = () => ((performance.now() - begun) / 1000).toFixed(1);
  const progress = (line: string) => print(`[${seconds().padStart(5)} s] ${line}`);

  const own = upstreamOf(process.env);
  await checkPorts(own ? [port, port + 1] : [port, port + 1, port + 2]);
  progress(own ? 'Synthesizing the app' : 'Synthesizing the app and starting the demo identity provider');
  const assembly = join(process.cwd(), STATE_DIRECTORY, 'cdk.out');
  const [synthesis, provider] = await Promise.allSettled([
    synthesize(process.cwd(), assembly),
    own ?? demoUpstream(port + 2, `http://localhost:${port}`),
  ]);
  const closeProvider = async () => {
    if (provider.status === 'fulfilled') await provider.value.close();
  };
  try {
    if (synthesis.status === 'rejected') throw synthesis.reason;
    if (provider.status === 'rejected') throw provider.reason;
    const upstream = provider.value;
    const dynamoDbEndpoint = process.env.AWS_ENDPOINT_URL_DYNAMODB;
    const stack = await startStack({
      assembly,
      stateDirectory: STATE_DIRECTORY,
      parameters: {
        UpstreamIssuer: upstream.issuer,
        UpstreamClientId: upstream.clientId,
        UpstreamSecretName: UPSTREAM_SECRET,
      },
      secrets: { [UPSTREAM_SECRET]: upstream.clientSecret },
      ports: { issuer: port, mcp: port + 1 },
      ...(dynamoDbEndpoint ? { dynamoDbEndpoint } : {}),
      onProgress: progress,
    });
    const endpoints = endpointsOf(stack, upstream);
    writeFileSync(join(STATE_DIRECTORY, 'endpoints.json'), `${JSON.stringify(endpoints, null, 2)}\n`);
    for (const line of report(endpoints, upstream, seconds())) print(line);
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
  if (!issuer || !mcpUrl) throw new StartError('The app needs the stack outputs Issuer and McpUrl.');
  return { issuer, mcpUrl, identityProvider: upstream.issuer, ...upstream.users[0] };
}

function report({ issuer, mcpUrl, identityProvider }: Endpoints, { users }: Upstream, seconds: string): string[] {
  const accounts = users.map(({ username, password }) => `${username} with the password ${password}`);
  return [
    '',
    `Ready after ${seconds} s.`,
    '',
    `  Issuer             ${issuer}`,
    `  MCP server         ${mcpUrl}`,
    `  Identity provider  ${identityProvider}`,
    ...accounts.map((account, i) => `${i === 0 ? '  Sign in as' : '  or as     '}         ${account}`),
    '',
    'Connect MCP Inspector:',
    `  npx @modelcontextprotocol/inspector@2 --transport http --server-url ${mcpUrl}`,
    '',
    `What the functions log is in ${STATE_DIRECTORY}/. Ctrl-C ends everything.`,
  ];
}
