import { spawnSync } from 'node:child_process';

declare module 'vitest' {
  interface ProvidedContext {
    /** The version of the cfn-lint that is installed. */
    cfnLint: string | undefined;
  }
}

/** Finds cfn-lint, and says at the end of the run, where nobody can overlook it, when there is none. */
export default function setup({ provide }: { provide(key: 'cfnLint', value: string | undefined): void }) {
  const { status, stdout } = spawnSync('cfn-lint', ['--version'], { encoding: 'utf8' });
  const version = status === 0 ? stdout.trim() : undefined;
  provide('cfnLint', version);
  if (version !== undefined) return undefined;
  return () => process.stderr.write(`\n${NOT_INSTALLED}\n`);
}

export const NOT_INSTALLED =
  'NOT CHECKED: cfn-lint is not installed, so no template went through it. `pip install cfn-lint` brings it.';
