import type { Person } from './people';

/** The first message from the parent process. */
export interface Settings {
  readonly port: number;
  readonly redirectUri: string;
  readonly clientId: string;
  readonly clientSecret: string;
  readonly people: readonly Person[];
}

/** The server's answer. */
export type Started = { readonly issuer: string } | { readonly error: string };
