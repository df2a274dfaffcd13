import type { Server } from 'node:http';
import type { HostOptions } from './options';
import { Settings } from './settings';
import { standaloneServer } from './standalone-server';

export interface OidcServerOptions extends Omit<HostOptions, 'store'> {
  /**
   * A Keyv, as for every host, or a URL: `redis://`, `rediss://`, `valkey://`, `valkeys://`, `postgres://`, `sqlite:<path>`, `dynamodb:<table>`,
   * or `memory:`. A connection that a URL has opened is closed by `stop`.
   */
  readonly store: object | string;

  /** The port to listen on, in plain HTTP: TLS is the business of the proxy before it. 0: any that is free. */
  readonly port: number;

  /** Is called once requests are answered. */
  readonly onListen?: (baseUrl: string) => void;
}

/** An authorization server on a port of its own. */
export interface OidcServer {
  /** The issuer identifier. */
  readonly baseUrl: string;

  /**
   * Listens. Where it has failed, or `stop` has resolved, it may be called again.
   *
   * @returns what listens, once it does
   * @throws SettingsError for what shows only now: keys that `secret` does not open, a package that the store needs
   * @throws Error if the store cannot be asked, the port is taken, or this server has been started already
   */
  start(): Promise<Server>;

  /**
   * Takes no more requests, waits for those under way, for 10 seconds at most, and closes what `start` has opened, once that has resolved. May
   * be called at any time, and several times.
   */
  stop(): Promise<void>;
}

/**
 * An authorization server for MCP servers, to run beside them.
 *
 * @throws SettingsError naming every setting that is missing or wrong
 */
export function createOidcServer(options: OidcServerOptions): OidcServer {
  return standaloneServer(options, new Settings());
}
