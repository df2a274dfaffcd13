declare module 'dynalite' {
  import type { Server } from 'node:http';

  /** DynamoDB in memory. Without `path` it uses no native module. */
  function dynalite(options: { createTableMs: number; path?: string }): Server;
  export = dynalite;
}
