import { spawn } from 'node:child_process';
import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { StartError } from '../start-error';

/** An app as `cdk.json` describes it. */
export interface CdkApp {
  readonly directory: string;
  readonly command: string;
  readonly context: object;
}

/**
 * @param directory the one that holds cdk.json
 * @param given a command instead of the one there
 * @throws StartError where neither names a command
 */
export function readApp(directory: string, given?: string): CdkApp {
  const file = join(directory, 'cdk.json');
  if (!existsSync(file) && given === undefined) {
    throw new StartError(
      `There is no cdk.json in ${directory}. Run this in the directory of a CDK app, or name its command by --app.`,
    );
  }
  const settings = existsSync(file) ? readJson(file) : {};
  const command = given ?? settings.app;
  if (typeof command !== 'string') throw new StartError(`${file} needs "app": the command that synthesizes the app.`);
  const remembered = join(directory, 'cdk.context.json');
  const context = { ...(settings.context as object), ...(existsSync(remembered) ? readJson(remembered) : {}) };
  return { directory, command, context };
}

/**
 * Synthesizes an app as the CDK CLI does: runs its command with its context and an output directory.
 *
 * @param output where the cloud assembly goes
 * @param added context beside the app's own
 * @throws StartError with what the app said
 */
export async function synthesize({ directory, command, context }: CdkApp, output: string, added = {}): Promise<void> {
  rmSync(output, { recursive: true, force: true });
  const app = spawn(command, {
    cwd: directory,
    shell: true,
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { ...process.env, CDK_OUTDIR: output, CDK_CONTEXT_JSON: JSON.stringify({ ...context, ...added }) },
  });
  let said = '';
  for (const stream of [app.stdout, app.stderr]) {
    stream.setEncoding('utf8').on('data', (text: string) => {
      said += text;
    });
  }
  const code = await new Promise<number | null>((resolve) => app.once('close', resolve));
  if (code !== 0)
    throw new StartError(`The app does not synthesize: "${command}" ended with ${code}.\n\n${said.trim()}`);
  // On Lambda nothing lies above a function's code. Here the app's package.json does, which may say that .js files are ES modules.
  writeFileSync(join(output, 'package.json'), '{}\n');
}

function readJson(file: string): Record<string, unknown> {
  return JSON.parse(readFileSync(file, 'utf8'));
}
