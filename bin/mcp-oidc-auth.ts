#!/usr/bin/env node
import { join } from 'node:path';
import type { serve } from '../hosts/serve';
import type { OperatorCommand, operate } from '../operator';
import { start } from './start';

const USAGE = `Usage: mcp-oidc-auth start    runs the app of cdk.json on this machine
       mcp-oidc-auth serve    runs the authorization server in this process, without AWS
       mcp-oidc-auth smoke    looks at a deployed stack from outside
       mcp-oidc-auth people   lists or ends what one person has granted
       mcp-oidc-auth clients  adds, shows or removes a client
       mcp-oidc-auth keys     makes keys, or turns the signing keys over now

Each says more with --help.`;

/** The oldest Node that has all that the bundles use. */
const BUNDLES_NODE = 22;

const [command, ...args] = process.argv.slice(2);
switch (command) {
  case 'start':
    start(args);
    break;
  case 'serve':
    (bundle(command, 'hosts') as { serve: typeof serve }).serve(args);
    break;
  case 'smoke':
    smoke(args);
    break;
  case 'people':
  case 'clients':
  case 'keys':
    operatorsCommand(command, args);
    break;
  case '--version':
    console.log(require('mcp-oidc-auth/package.json').version);
    break;
  case '--help':
  case '-h':
    console.log(USAGE);
    break;
  default:
    fail(USAGE);
}

async function smoke(options: string[]): Promise<void> {
  const { smokeCommand } = await import('../smoke/index.js');
  process.exitCode = await smokeCommand(options);
}

async function operatorsCommand(name: OperatorCommand, options: string[]): Promise<void> {
  const operator = bundle(name, 'operator') as { operate: typeof operate };
  const code = await operator.operate(name, options, { print: console.log, note: console.error });
  // Once all is written. The client of a database may still wait for what does not matter any more.
  process.stdout.write('', () => process.stderr.write('', () => process.exit(code)));
}

/** A bundle, which brings with it the packages that it needs. */
function bundle(command: string, name: string): unknown {
  if (Number.parseInt(process.versions.node, 10) < BUNDLES_NODE) {
    fail(`${command} needs Node ${BUNDLES_NODE} or newer. This is Node ${process.versions.node}.`);
  }
  // This file runs as dist/bin/mcp-oidc-auth.js.
  return require(join(__dirname, '..', '..', 'assets', name));
}

function fail(message: string): never {
  console.error(message);
  process.exit(1);
}
