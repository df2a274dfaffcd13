import { parseArgs } from 'node:util';
import type { Started, StartOptions } from '../local/command/start';
import { StartError } from '../local/start-error';

const USAGE = `Usage: mcp-oidc-auth start [--app 'node app.js'] [--port 3000] [--upstream https://login.example.com]
                           [--rotate-every SECONDS]

Synthesizes the app of cdk.json and runs it on this machine: the issuer on PORT,
the MCP server on PORT+1, a demo identity provider on PORT+2.

--app is the command that synthesizes, instead of "app" in cdk.json.
--upstream names the issuer of an identity provider of your own instead; the client
that you have there is asked for.

--rotate-every rotates the signing keys again and again, every 10 seconds at the
least, so that you can watch clients not notice.

Environment: UPSTREAM_ISSUER, UPSTREAM_CLIENT_ID and UPSTREAM_CLIENT_SECRET say the
same without questions, AWS_ENDPOINT_URL_DYNAMODB names a DynamoDB of your own.`;

/** What the functions run on. */
const NODE = 24;

/** What only this command needs. Whoever just imports the construct does without: they are optional peers of the package. */
const PACKAGES = ['@cloud-copilot/iam-simulate', '@smithy/signature-v4', 'dynalite', 'oidc-provider'];

/** The highest port that leaves room for the two others. */
const HIGHEST_PORT = 65_533;

/** Seconds: a fifth of it, at least two, is how often everybody looks whether keys have turned over. */
const SHORTEST_ROTATION = 10;

function readOptions(args: string[]): Omit<StartOptions, 'signal'> {
  try {
    const { values } = parseArgs({
      args,
      options: {
        help: { type: 'boolean', short: 'h' },
        app: { type: 'string', short: 'a' },
        port: { type: 'string' },
        upstream: { type: 'string' },
        'rotate-every': { type: 'string' },
      },
    });
    if (values.help) {
      console.log(USAGE);
      process.exit(0);
    }
    const port = Number(values.port ?? 3000);
    if (!Number.isInteger(port) || port < 1 || port > HIGHEST_PORT) {
      fail(`--port needs a number from 1 to ${HIGHEST_PORT}, got ${values.port}.`);
    }
    const given = values['rotate-every'];
    const rotateEvery = given === undefined ? undefined : Number(given);
    if (rotateEvery !== undefined && !(Number.isInteger(rotateEvery) && rotateEvery >= SHORTEST_ROTATION)) {
      fail(`--rotate-every needs a whole number of seconds, ${SHORTEST_ROTATION} at least, got ${given}.`);
    }
    return { app: values.app, port, upstream: values.upstream, rotateEvery };
  } catch (error) {
    fail(`${(error as Error).message}\n\n${USAGE}`);
  }
}

async function run(options: StartOptions): Promise<Started> {
  if (Number.parseInt(process.versions.node, 10) !== NODE) {
    throw new StartError(
      `start needs Node ${NODE}, because that is what the functions run on. This is Node ${process.versions.node}. In the repository of mcp-oidc-auth, npm start brings its own. In an app of yours, with the options that you want:
  npx -p node@${NODE} -c 'mcp-oidc-auth start'`,
    );
  }
  const missing = PACKAGES.filter((name) => !isInstalled(name));
  if (missing.length > 0) throw new StartError(toInstall(missing));
  const command = await import('../local/command/start.js');
  return command.start(options, console.log);
}

function isInstalled(name: string): boolean {
  try {
    return require.resolve(name) !== '';
  } catch {
    return false;
  }
}

function toInstall(missing: readonly string[]): string {
  const { peerDependencies } = require('mcp-oidc-auth/package.json');
  return `start needs packages of its own. Install them and try again:
  npm install --save-dev ${missing.map((name) => `"${name}@${peerDependencies[name]}"`).join(' ')}

They run on this machine alone; nothing of them is deployed. @cloud-copilot/iam-simulate, which judges each call
against the roles of the template, is licensed under AGPL-3.0-or-later, the others under MIT or Apache-2.0.`;
}

/**
 * `mcp-oidc-auth start`: runs until a signal ends it.
 *
 * @param args what was typed after `start`
 */
export function start(args: string[]): void {
  const ending = new AbortController();
  const starting = run({ ...readOptions(args), signal: ending.signal });

  /** More than one signal may come: npm passes on what the terminal has sent to everyone already. */
  async function end(): Promise<void> {
    if (ending.signal.aborted) return;
    ending.abort();
    // What cannot start has cleaned up after itself.
    await starting.then((started) => started.close()).catch(() => {});
    process.exit(0);
  }

  process.on('SIGINT', end);
  process.on('SIGTERM', end);
  starting.catch((error: Error) => {
    if (!ending.signal.aborted) fail(`\n${error instanceof StartError ? error.message : error.stack}`);
  });
}

function fail(message: string): never {
  console.error(message);
  process.exit(1);
}
