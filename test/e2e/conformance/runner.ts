import { spawn } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';

/** One check of a scenario, as the conformance runner writes it to its results. */
export interface Check {
  readonly id: string;
  readonly status: 'SUCCESS' | 'FAILURE' | 'WARNING' | 'SKIPPED' | 'INFO';
  readonly errorMessage?: string;
}

const PACKAGE = createRequire(__filename).resolve('@modelcontextprotocol/conformance/package.json');
const CLI = join(dirname(PACKAGE), JSON.parse(readFileSync(PACKAGE, 'utf8')).bin.conformance);

/**
 * Runs `conformance <command>`.
 *
 * @returns the checks of every scenario that ran, by the scenario's name
 */
export async function conformance(
  command: string,
  options: Readonly<Record<string, string>>,
  onOutput: (output: string) => Promise<void> | undefined = () => undefined,
): Promise<Map<string, Check[]>> {
  const results = mkdtempSync(join(tmpdir(), 'conformance-'));
  try {
    const args = Object.entries({ ...options, 'output-dir': results }).flatMap(([name, value]) => [`--${name}`, value]);
    const output = await run([command, ...args], onOutput);
    const scenarios = readdirSync(results).map((directory): [string, Check[]] => [
      scenarioOf(directory),
      JSON.parse(readFileSync(join(results, directory, 'checks.json'), 'utf8')),
    ]);
    if (scenarios.length === 0) throw new Error(`conformance ${command} ran nothing:\n${output}`);
    return new Map(scenarios);
  } finally {
    rmSync(results, { recursive: true });
  }
}

/**
 * The same for a command that prints an authorization URL and waits at its redirect URI.
 *
 * @param signIn is given that URL, once
 */
export function signedInConformance(
  command: string,
  options: Readonly<Record<string, string>>,
  signIn: (url: URL) => Promise<void>,
): Promise<Map<string, Check[]>> {
  let asked = false;
  return conformance(command, options, (output) => {
    const [, url] = /^(https?:\S+[?&]response_type=code\S*)\n/m.exec(output) ?? [];
    if (url === undefined || asked) return undefined;
    asked = true;
    return signIn(new URL(url));
  });
}

/** Results lie in directories that are named after what was tested, the scenario and the time. */
function scenarioOf(directory: string): string {
  return directory.replace(/^(authorization-)?server-/, '').replace(/-\d{4}-\d\d-\d\dT.*$/, '');
}

/**
 * Its exit code says no more than the checks do.
 *
 * @param onOutput hears all that it has written so far, whenever it has written more. A failure ends the run
 */
function run(args: readonly string[], onOutput: (output: string) => Promise<void> | undefined): Promise<string> {
  return new Promise((resolve, reject) => {
    // Less than what waits for it has: vitest.config.mts.
    const runner = spawn(process.execPath, [CLI, ...args], { stdio: ['ignore', 'pipe', 'pipe'], timeout: 110_000 });
    let output = '';
    for (const stream of [runner.stdout, runner.stderr]) {
      stream.setEncoding('utf8').on('data', (text) => {
        output += text;
        onOutput(output)?.catch((error) => {
          reject(error);
          runner.kill();
        });
      });
    }
    runner.on('error', reject);
    runner.on('close', (_, signal) => (signal ? reject(new Error(`ended by ${signal}:\n${output}`)) : resolve(output)));
  });
}
