import { type ChildProcess, type SpawnOptions, spawn } from 'node:child_process';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { createServer } from 'node:net';

/** A server that a test starts from an installed program. */
export class ServerProcess {
  #child: ChildProcess | undefined;

  /** All that it has written, each time that it ran. */
  output = '';

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

  /** @param signal SIGTERM lets PostgreSQL wait for its clients to go, SIGINT does not */
  async stop(signal: NodeJS.Signals = 'SIGTERM'): Promise<void> {
    const child = this.#child;
    this.#child = undefined;
    if (!child || child.exitCode !== null || child.signalCode !== null) return;
    child.kill(signal);
    await once(child, 'exit');
  }
}

export async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  return port;
}
