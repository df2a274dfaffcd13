import { createServer } from 'node:net';
import { StartError } from '../start-error';

/** A browser may take `localhost` for either. */
const LOOPBACKS = ['127.0.0.1', '::1'];

/** @throws StartError that names the port which is in use */
export async function checkPorts(ports: readonly number[]): Promise<void> {
  for (const port of ports) {
    for (const host of LOOPBACKS) {
      if (await isTaken(port, host)) {
        throw new StartError(
          `Port ${port} is in use. The ports ${ports.join(', ')} are needed: end what uses it, or choose another first one with --port.`,
        );
      }
    }
  }
}

function isTaken(port: number, host: string): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer();
    // Other errors say that the machine has no such address, so nothing can be in the way there.
    server.once('error', ({ code }: NodeJS.ErrnoException) => resolve(code === 'EADDRINUSE'));
    server.listen(port, host, () => server.close(() => resolve(false)));
  });
}
