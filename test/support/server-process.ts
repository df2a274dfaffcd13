import { type ChildProcess, type SpawnOptions, spawn } from 'node:child_process';
import { once } from 'node:events';
import { rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** Before the id of a process that runs, in the directory for temporary files. */
export const RUNNING = 'running-';

/** A server that a test starts from an installed program. */
export class ServerProcess {
  #child: ChildProcess | undefined;

  /** All that it has written, each time that it ran. */
  output = '';

  /** How it has ended, the last time. */
  exitCode: number | null = null;

  /** @param ready what it writes once it answers */
  constructor(
    private readonly program: string,
    private readonly args: readonly string[],
    private readonly ready: string,
    /** The user that it runs as, its directory and its environment; this process's where absent. */
    private readonly options: Pick<SpawnOptions, 'uid' | 'gid' | 'cwd' | 'env'> = {},
  ) {}

  async start(): Promise<void> {
    const child = spawn(this.program, this.args, { ...this.options, stdio: ['ignore', 'pipe', 'pipe'] });
    this.#child = child;
    // A test that fails before its end leaves no server behind: see temporary-files.ts.
    const running = join(tmpdir(), `${RUNNING}${child.pid}`);
    writeFileSync(running, '');
    child.once('exit', (code) => {
      rmSync(running, { force: true });
      this.exitCode = code;
    });
    let output = '';
    await new Promise<void>((resolve, reject) => {
      const note = (text: Buffer) => {
        output += text;
        this.output += text;
        if (output.includes(this.ready)) resolve();
      };
      child.stdout.on('data', note);
      child.stderr.on('data', note);
      child.once('error', reject);
      child.once('exit', () => reject(new Error(`${this.program} ended before it was ready: ${output}`)));
    });
  }

  /** Reads nothing any more of what it writes, as where the program has ended that its output is piped into. */
  closeOutput(): void {
    this.#child?.stdout?.destroy();
    this.#child?.stderr?.destroy();
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
