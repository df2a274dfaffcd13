import { Unexpected } from './check';

/** `fetch`, or what stands in for it. */
export type Send = (url: string, init: RequestInit) => Promise<Response>;

/** How long an answer may take, in milliseconds: longer than API Gateway itself waits for a function. */
const TIMEOUT = 35_000;

export interface Answer {
  readonly status: number;
  readonly headers: Headers;
  readonly text: string;
  /** The body, where it is a JSON object; else an empty one. */
  // biome-ignore lint/suspicious/noExplicitAny: a foreign server says what it likes; the checks look at it
  readonly json: any;
}

/** The authorization server and the MCP server that are looked at. */
export class Deployment {
  constructor(
    readonly issuer: string,
    readonly mcpUrl: string,
    private readonly send: Send,
  ) {}

  /** @throws Unexpected where there is no answer */
  async ask(url: string, init: RequestInit = {}): Promise<Answer> {
    try {
      // Redirects are looked at, not followed.
      const response = await this.send(url, { redirect: 'manual', signal: AbortSignal.timeout(TIMEOUT), ...init });
      const text = await response.text();
      return { status: response.status, headers: response.headers, text, json: objectIn(text) };
    } catch (error) {
      const { message, cause } = error as Error;
      throw new Unexpected(`no answer from ${url}: ${cause instanceof Error ? cause.message : message}`);
    }
  }

  /** Of the authorization server. */
  at(path: string, init?: RequestInit): Promise<Answer> {
    return this.ask(`${this.issuer}${path}`, init);
  }

  post(path: string, parameters: Record<string, string>, headers: Record<string, string> = {}): Promise<Answer> {
    return this.at(path, { method: 'POST', headers, body: new URLSearchParams(parameters) });
  }

  /** Sends the MCP server a message. */
  call(message: object, headers: Record<string, string> = {}, url = this.mcpUrl): Promise<Answer> {
    return this.ask(url, {
      method: 'POST',
      headers: { 'content-type': 'application/json', accept: 'application/json, text/event-stream', ...headers },
      body: JSON.stringify({ jsonrpc: '2.0', ...message }),
    });
  }
}

function objectIn(text: string): object {
  try {
    return Object(JSON.parse(text));
  } catch {
    return {};
  }
}

/** The begin of what a server said, without what could play with the terminal. */
export function shown(text: string | null): string {
  if (text === null) return 'none';
  const line = JSON.stringify(text).slice(1, -1).replaceAll('\\"', '"');
  return line.length > 200 ? `${line.slice(0, 200)}...` : line;
}
