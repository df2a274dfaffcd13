import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';

/** What the instance says of one event. Times in milliseconds. */
export interface Answer {
  readonly result: {
    readonly statusCode: number;
    readonly headers: Record<string, string>;
    readonly cookies?: string[];
    readonly body?: string;
  };
  readonly ms: number;
  /** Of the whole process, from the handler's beginning to its end. */
  readonly cpu: number;
  /** Since the bundle began to load. */
  readonly sinceStart: number;
  /** The CPU time of that. */
  readonly cpuSinceStart: number;
  /** Since Node began. */
  readonly sinceBoot: number;
  /** Of oidc-provider's adapter so far, where the bundle counts them. */
  readonly operations?: number;
}

export interface Request {
  readonly method?: string;
  readonly headers?: Record<string, string>;
  readonly body?: string;
}

export type Event = ReturnType<typeof eventOf>;

/** As API Gateway puts a request: payload format 2.0. */
export function eventOf(url: URL, { method = 'GET', headers = {}, body }: Request) {
  const { cookie, ...others } = headers;
  return {
    version: '2.0',
    routeKey: '$default',
    rawPath: url.pathname,
    rawQueryString: url.search.slice(1),
    headers: { ...others, host: url.host },
    ...(cookie ? { cookies: cookie.split('; ') } : {}),
    ...(body === undefined ? {} : { body: Buffer.from(body).toString('base64') }),
    isBase64Encoded: body !== undefined,
    requestContext: {
      requestId: 'bench',
      domainName: url.host,
      stage: '$default',
      http: { method: method.toUpperCase(), path: url.pathname, sourceIp: '203.0.113.7', protocol: 'HTTP/1.1' },
    },
  };
}

/** A function's instance in a fresh process, as Lambda starts one. */
export class Instance implements AsyncDisposable {
  static async start(bundle: string, environment: Record<string, string>, first?: Event): Promise<Instance> {
    const env = { ...environment, TZ: 'UTC', ...(first ? { FIRST_EVENT: JSON.stringify(first) } : {}) };
    const child = fork(join(__dirname, 'instance.cjs'), [bundle], {
      env,
      execArgv: ['--expose-gc'],
      stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
    });
    const { loaded, first: last } = await messageOf<{ loaded: number; first?: Answer }>(child);
    return new Instance(child, loaded, last);
  }

  private constructor(
    private readonly child: ChildProcess,
    /** Milliseconds for loading the bundle. */
    readonly loaded: number,
    /** The last answer. */
    public last: Answer | undefined,
  ) {}

  /** One at a time. */
  async send(url: URL, request: Request = {}): Promise<Response> {
    this.last = await this.#ask<Answer>({ event: eventOf(url, request) });
    const { statusCode, headers: answered, cookies = [], body: text } = this.last.result;
    const response = new Response(statusCode === 204 ? null : text, { status: statusCode, headers: answered });
    for (const line of cookies) response.headers.append('set-cookie', line);
    return response;
  }

  /** Bytes, after a collection of garbage. */
  memory(): Promise<NodeJS.MemoryUsage> {
    return this.#ask({});
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.child.exitCode !== null) return;
    this.child.kill();
    await once(this.child, 'exit');
  }

  async #ask<T>(message: object): Promise<T> {
    this.child.send(message);
    return messageOf<T>(this.child);
  }
}

/** @throws where the process ends instead */
async function messageOf<T>(child: ChildProcess): Promise<T> {
  const ended = new AbortController();
  const exit = once(child, 'exit', { signal: ended.signal }).then(([code]) => {
    throw new Error(`The function's process has ended with ${code}`);
  });
  try {
    const [message] = await Promise.race([once(child, 'message', { signal: ended.signal }), exit]);
    return message as T;
  } finally {
    exit.catch(() => {});
    ended.abort();
  }
}
