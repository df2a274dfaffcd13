import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';

/** Stands before a server and passes everything on, as a network does. */
export interface Front extends AsyncDisposable {
  /** The server's, by way of this. */
  readonly url: string;
  /** From now on nothing arrives on the connections that are open, and none of them is closed; those that are opened later work. */
  silence(): void;
  /** Whether something has been sent into the silence. */
  readonly hasLost: boolean;
}

/** @param url of the server, with its port */
export async function startFront(url: string): Promise<Front> {
  const open = new Set<Socket>();
  const silent = new WeakSet<Socket>();
  let hasLost = false;
  const front = createServer({ allowHalfOpen: true }, (near) => {
    const far = connect(Number(new URL(url).port), '127.0.0.1');
    for (const [from, to] of [
      [near, far],
      [far, near],
    ] as const) {
      open.add(from);
      from.on('data', (data) => {
        if (silent.has(from)) hasLost = true;
        else to.write(data);
      });
      from.on('end', () => silent.has(from) || to.end());
      from.on('error', () => {});
      from.on('close', () => open.delete(from));
    }
  }).listen(0, '127.0.0.1');
  await once(front, 'listening');
  const through = new URL(url);
  through.port = String((front.address() as AddressInfo).port);
  return {
    url: through.href,
    silence() {
      for (const socket of open) silent.add(socket);
    },
    get hasLost() {
      return hasLost;
    },
    async [Symbol.asyncDispose]() {
      for (const socket of open) socket.destroy();
      front.close();
      await once(front, 'close');
    },
  };
}
