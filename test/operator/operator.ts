import { vi } from 'vitest';
import { type OperatorCommand, operate } from '../../operator';

export interface Outcome {
  readonly code: number;
  /** What scripts read. */
  readonly stdout: string;
  /** What people read. */
  readonly stderr: string;
}

/** Types a command, in the environment of an operator of the deployment. */
export async function type(
  environment: Readonly<Record<string, string | undefined>>,
  command: OperatorCommand,
  ...args: string[]
): Promise<Outcome> {
  const [stdout, stderr]: [string[], string[]] = [[], []];
  for (const [name, value] of Object.entries({ ...NOTHING, ...environment })) vi.stubEnv(name, value);
  try {
    const output = { print: (text: string) => stdout.push(text), note: (text: string) => stderr.push(text) };
    const code = await operate(command, args, output);
    return { code, stdout: stdout.join('\n'), stderr: stderr.join('\n') };
  } finally {
    vi.unstubAllEnvs();
  }
}

/** Keeps the command from finding anything of this machine's own. */
const NOTHING: Readonly<Record<string, string | undefined>> = {
  AWS_CONFIG_FILE: '/dev/null',
  AWS_SHARED_CREDENTIALS_FILE: '/dev/null',
  AWS_EC2_METADATA_DISABLED: 'true',
  AWS_MAX_ATTEMPTS: '1',
  AWS_REGION: undefined,
  AWS_PROFILE: undefined,
  AWS_ACCESS_KEY_ID: undefined,
  AWS_SECRET_ACCESS_KEY: undefined,
  AWS_SESSION_TOKEN: undefined,
  STORE_URL: undefined,
  SESSION_SECRET: undefined,
  SESSION_SECRET_PREVIOUS: undefined,
};
