import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';

/** A server that a test starts from an installed program. */
export class ServerProcess {
  #child: ChildProcess | undefined;

  /** @param ready what it writes once it answers */
  constructor(
    private readonly program: string,
    private readonly args: readonly string[],
    private readonly ready: string,
    /** The user that it runs as; this one's where absent. */
    private readonly user: { readonly uid?: number; readonly gid?: number } = {},
  ) {}

  async start(): Promise<void> {
    const child = spawn(this.program, this.args, { stdio: ['ignore', 'pipe', 'pipe'], ...this.user });
    this.#child = child;
    // A test that fails before its end leaves no server behind.
    const end = () => child.kill('SIGINT');
    process.once('exit', end);
    child.once('exit', () => process.off('exit', end));
    let output = '';
    await new Promise<void>((resolve, reject) => {
      const note = (text: Buffer) => {
        output += text;
        if (output.includes(this.ready)) resolve();
      };
      child.stdout.on('data', note);
      child.stderr.on('data', note);
      child.once('error', reject);
      child.once('exit', () => reject(new Error(`${this.program} ended before it was ready: ${output}`)));
    });
  }

  /** @param signal SIGTERM lets PostgreSQL wait for its clients to go, SIGINT does not */
  async stop(signal: NodeJS.Signals = 'SIGTERM'): Promise<void> {
    const child = this.#child;
    this.#child = undefined;
    if (!child || child.exitCode !== null || child.signalCode !== null) return;
    child.kill(signal);
    await once(child, 'exit');
  }
}
