import { randomInt } from 'node:crypto';
import { once } from 'node:events';
import { createServer } from 'node:net';

/**
 * Below the ports that kernels give to listen(0) and to outgoing connections (net.ipv4.ip_local_port_range), so that none of these takes
 * one before its server does; above 10080, the last that fetch and browsers refuse.
 */
const [LOWEST, END] = [11_000, 32_000];

/** A port that is free, or the first of so many in a row. At random: others choose at the same time. */
export async function freePort(inARow = 1): Promise<number> {
  for (;;) {
    const first = randomInt(LOWEST, END - inARow);
    const ports = Array.from({ length: inARow }, (_, i) => first + i);
    if ((await Promise.all(ports.map(isFree))).every(Boolean)) return first;
  }
}

/** On any address of this machine. */
async function isFree(port: number): Promise<boolean> {
  const server = createServer().listen(port);
  try {
    await once(server, 'listening');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EADDRINUSE') return false;
    throw error;
  }
  server.close();
  await once(server, 'close');
  return true;
}
