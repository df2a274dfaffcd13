import { freePort } from './free-port';

/** The first of three free ports in a row, which is what `mcp-oidc-auth start` takes. */
export function freePorts(): Promise<number> {
  return freePort(3);
}
