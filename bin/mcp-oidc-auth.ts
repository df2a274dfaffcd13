#!/usr/bin/env node
import { join } from 'node:path';
import type { OperatorCommand, operate } from '../operator';
import { start } from './start';

const USAGE = `Usage: mcp-oidc-auth start    runs the app of cdk.json on this machine
       mcp-oidc-auth smoke    looks at a deployed stack from outside
       mcp-oidc-auth people   lists or ends what one person has granted
       mcp-oidc-auth clients  adds, shows or removes a client
       mcp-oidc-auth keys     makes keys, or turns the signing keys over now

Each says more with --help.`;

/** The oldest Node that has all that the operators' commands use. */
const OPERATORS_NODE = 22;

const [command, ...args] = process.argv.slice(2);
switch (command) {
  case 'start':
    start(args);
    break;
  case 'smoke':
    smoke(args);
    break;
  case 'people':
  case 'clients':
  case 'keys':
    operatorsCommand(command, args);
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

/** Runs a bundle, which brings with it all packages that it needs. */
async function operatorsCommand(name: OperatorCommand, options: string[]): Promise<void> {
  if (Number.parseInt(process.versions.node, 10) < OPERATORS_NODE) {
    fail(`${name} needs Node ${OPERATORS_NODE} or newer. This is Node ${process.versions.node}.`);
  }
  // This file runs as dist/bin/mcp-oidc-auth.js.
  const bundle = require(join(__dirname, '..', '..', 'assets', 'operator')) as { operate: typeof operate };
  process.exitCode = await bundle.operate(name, options, { print: console.log, note: console.error });
}

function fail(message: string): never {
  console.error(message);
  process.exit(1);
}
