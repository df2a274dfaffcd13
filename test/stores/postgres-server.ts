import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { chown, mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { findProgram } from '../support/find-program';
import { freePort } from '../support/free-port';
import { ServerProcess } from '../support/server-process';
import type { TestServer } from './redis-server';

/** Where Debian puts them, beside the PATH. */
const VERSIONS = '/usr/lib/postgresql/*/bin';
const postgres = findProgram('postgres', VERSIONS);
const initdb = findProgram('initdb', VERSIONS);

/** PostgreSQL refuses to run as root. */
const user: Account | undefined = process.getuid?.() === 0 ? accountOf('postgres') : {};

/** Why no PostgreSQL can be started here. */
export const postgresMissing =
  postgres === undefined || initdb === undefined || user === undefined
    ? 'the tests on PostgreSQL: it is not installed (apt-get install postgresql)'
    : undefined;

/** A PostgreSQL of its own, which keeps what it has over a restart. */
export async function startPostgres(): Promise<TestServer> {
  const directory = await mkdtemp(join(tmpdir(), 'postgres-'));
  if (user?.uid !== undefined && user.gid !== undefined) await chown(directory, user.uid, user.gid);
  const data = join(directory, 'data');
  await promisify(execFile)(
    initdb ?? '',
    ['--pgdata', data, '--username', 'test', '--auth', 'trust', '--encoding', 'UTF8', '--locale', 'C', '--no-sync'],
    user,
  );
  const port = await freePort();
  const settings = { listen_addresses: '127.0.0.1', port, unix_socket_directories: directory, fsync: 'off' };
  const args = Object.entries(settings).flatMap(([name, value]) => ['-c', `${name}=${value}`]);
  const process = new ServerProcess(postgres ?? '', ['-D', data, ...args], 'ready to accept connections', user);
  await process.start();
  return { url: `postgres://test@127.0.0.1:${port}/postgres`, process };
}

interface Account {
  readonly uid?: number;
  readonly gid?: number;
}

function accountOf(name: string): Account | undefined {
  const line = readFileSync('/etc/passwd', 'utf8')
    .split('\n')
    .find((account) => account.startsWith(`${name}:`));
  const [, , uid, gid] = line?.split(':') ?? [];
  return uid === undefined ? undefined : { uid: Number(uid), gid: Number(gid) };
}
