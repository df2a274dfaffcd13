import { mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { findProgram } from '../support/find-program';
import { freePort } from '../support/free-port';
import { ServerProcess } from '../support/server-process';

const program = findProgram('redis-server');

/** Why no Redis can be started here. */
export const redisMissing =
  program === undefined
    ? 'the tests on Redis: redis-server is not installed (apt-get install redis-server)'
    : undefined;

export interface TestServer {
  readonly url: string;
  readonly process: ServerProcess;
}

/**
 * A Redis of its own, which keeps what it has over a restart.
 *
 * @param more settings of redis.conf
 */
export async function startRedis(more: Readonly<Record<string, string>> = {}): Promise<TestServer> {
  const port = await freePort();
  const directory = await mkdtemp(join(tmpdir(), 'redis-'));
  const settings = {
    port,
    bind: '127.0.0.1',
    dir: directory,
    appendonly: 'yes',
    appendfsync: 'always',
    save: '',
    ...more,
  };
  const args = Object.entries(settings).flatMap(([name, value]) => [`--${name}`, String(value)]);
  const process = new ServerProcess(program ?? '', args, 'Ready to accept connections');
  await process.start();
  return { url: `redis://127.0.0.1:${port}`, process };
}
