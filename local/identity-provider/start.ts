import { fork } from 'node:child_process';
import { randomBytes, randomInt } from 'node:crypto';
import { once } from 'node:events';
import { join } from 'node:path';
import type { Settings, Started } from './messages';
import { demoPeople } from './people';

export interface DemoIdentityProvider {
  /** `http://127.0.0.1:PORT`: another host name than localhost, so that the way there and back is cross-site. */
  readonly issuer: string;
  readonly clientId: string;
  readonly clientSecret: string;
  readonly users: { username: string; password: string }[];
  close(): Promise<void>;
}

/**
 * The server is a process of its own, and Node runs it without a compiler. So it is always the compiled file, also where
 * this one runs from its TypeScript source as in the tests: the build has then made it, as it has made the functions' bundles.
 */
const SERVER = __filename.endsWith('.ts')
  ? join(__dirname, '../../dist/local/identity-provider/server.js')
  : join(__dirname, 'server.js');

/**
 * Starts the demo identity provider, an OpenID provider in a process of its own, with one confidential client and two people.
 * @param options.port on 127.0.0.1; 0 for any free one
 * @param options.redirectUri the client's only redirect URI
 * @throws Error that says what to do where the port is in use
 */
export async function startIdentityProvider(options: {
  port: number;
  redirectUri: string;
}): Promise<DemoIdentityProvider> {
  const people = demoPeople(typeablePassword);
  const client = { clientId: 'mcp-oidc-auth', clientSecret: randomBytes(32).toString('base64url') };
  const child = fork(SERVER, { execArgv: [], stdio: ['ignore', 'ignore', 'pipe', 'ipc'] });
  let complaints = '';
  const collect = (chunk: Buffer) => {
    complaints += chunk;
  };
  child.stderr!.on('data', collect);
  const ended = once(child, 'exit');

  // By message rather than in the environment or the arguments, where every process of this machine could read the secrets.
  const settings: Settings = { ...options, ...client, people };
  child.send(settings);
  const started = await Promise.race([
    once(child, 'message').then(([message]) => message as Started),
    ended.then(([code]): Started => ({ error: `it ended with code ${code}: ${complaints}` })),
  ]);
  if ('error' in started) {
    child.kill();
    throw new Error(
      started.error === 'EADDRINUSE'
        ? `Port ${options.port} on 127.0.0.1 is in use; the demo identity provider needs it. End what uses it, or choose another port.`
        : `The demo identity provider does not start: ${started.error}`,
    );
  }
  // What the engine says while it starts is about deployments; what comes later is worth reading.
  child.stderr!.off('data', collect).pipe(process.stderr, { end: false });

  return {
    issuer: started.issuer,
    ...client,
    users: people.map(({ username, password }) => ({ username, password })),
    async close() {
      child.kill();
      await ended;
    },
  };
}

/** Eight characters that nobody confuses. */
function typeablePassword(): string {
  const characters = 'abcdefghjkmnpqrstuvwxyz23456789';
  return Array.from({ length: 8 }, () => characters[randomInt(characters.length)]).join('');
}
