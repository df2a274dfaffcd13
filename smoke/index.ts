import { parseArgs } from 'node:util';
import { assumptionChecks } from './assumptions';
import { authorizationChecks } from './authorization';
import { challengeChecks } from './challenge';
import { type Check, type Finding, find } from './check';
import { corsChecks } from './cors';
import { Deployment, type Send } from './deployment';
import { metadataChecks } from './metadata';
import { signInChecks } from './sign-in';
import { TestClient } from './test-client';

export const SMOKE_USAGE = `Usage: mcp-oidc-auth smoke ISSUER MCP_URL [--browser]

Looks at a deployed stack from outside, as clients do, and prints a line for each thing that must
hold: what was expected, and what was found. ISSUER and MCP_URL are the outputs Issuer and McpUrl.

--browser  signs you in, too: it prints an address to open in a browser, and then gets a token,
           calls the MCP server, refreshes and revokes.

ok    as expected
FAIL  not as expected; the exit code is 1
note  an assumption about API Gateway that turned out to be wrong. Nothing depends on it alone;
      please tell us (docs/local.md, What is unproven).`;

export interface SmokeOptions {
  readonly issuer: string;
  readonly mcpUrl: string;
  /** Whether there is a person with a browser. */
  readonly browser: boolean;
  readonly print: (line: string) => void;
  /** Asks the person to open an address. */
  readonly show: (url: string) => void;
  readonly send?: Send;
}

/** Looks at everything, and prints what was found as it is found. */
export async function smoke(options: SmokeOptions): Promise<Finding[]> {
  const { issuer, mcpUrl, browser, print, show, send = fetch } = options;
  const deployment = new Deployment(issuer, mcpUrl, send);
  const client = new TestClient(deployment);
  const independent = [
    ...metadataChecks(deployment),
    ...corsChecks(deployment),
    ...challengeChecks(deployment),
    ...authorizationChecks(deployment, client),
    ...assumptionChecks(deployment),
  ];
  const findings: Finding[] = [];
  const look = async (check: Check): Promise<Finding> => {
    const finding = await find(check);
    print(`${finding.result.padEnd(4)}  ${finding.name}: expected ${finding.expected}; found ${finding.found}`);
    findings.push(finding);
    return finding;
  };
  for (const check of independent) await look(check);
  for (const check of browser ? signInChecks(deployment, client, show) : []) {
    if ((await look(check)).result === 'FAIL') break;
  }
  return findings;
}

/**
 * `mcp-oidc-auth smoke`.
 *
 * @param args what was typed after `smoke`
 * @returns the exit code: 0 where nothing failed
 */
export async function smokeCommand(args: string[]): Promise<0 | 1> {
  const options = readOptions(args);
  if (typeof options === 'string') {
    console.error(`${options}\n\n${SMOKE_USAGE}`);
    return 1;
  }
  if (options.help) {
    console.log(SMOKE_USAGE);
    return 0;
  }
  const findings = await smoke({
    ...options,
    print: console.log,
    show: (url) => console.log(`\nOpen this address in a browser, and sign in:\n\n  ${url}\n`),
  });
  const failed = findings.filter(({ result }) => result === 'FAIL').length;
  console.log(`\n${findings.length} checks, ${failed} failed.`);
  if (!options.browser) console.log('Nobody has signed in. With --browser a sign-in is looked at, too.');
  return failed === 0 ? 0 : 1;
}

/** What was typed, or what is wrong with it. */
function readOptions(args: string[]) {
  try {
    const { values, positionals } = parseArgs({
      args,
      allowPositionals: true,
      options: { help: { type: 'boolean', short: 'h' }, browser: { type: 'boolean' } },
    });
    const [issuer = '', mcpUrl = '', ...rest] = positionals;
    const { help = false, browser = false } = values;
    if (!help && (!isUrl(issuer) || !isUrl(mcpUrl) || rest.length > 0)) {
      return `smoke needs the URLs of the issuer and of the MCP server, got ${positionals.join(' ') || 'nothing'}.`;
    }
    return { help, browser, issuer: issuer.replace(/\/$/, ''), mcpUrl };
  } catch (error) {
    return (error as Error).message;
  }
}

const isUrl = (text: string) => /^https?:/.test(text) && URL.canParse(text);
