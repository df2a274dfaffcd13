import { existsSync, mkdtempSync, readFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { RunningStack } from '../../../local/start';
import { lambda, startFixture } from '../fixtures/assembly';

const SOURCE = `
let events = 0;
exports.handler = async (event, context) => {
  events += 1;
  switch (event.do) {
    case 'count': return events;
    case 'environment': return process.env;
    case 'context': return { ...context, remaining: context.getRemainingTimeInMillis() };
    case 'fail': throw Object.assign(new TypeError('no such thing'));
    case 'exit': process.exit(1);
    case 'crash': setTimeout(() => { throw new Error('later'); }); return new Promise(() => {});
    case 'hang': return new Promise((resolve) => setTimeout(resolve, 60_000));
    case 'log': console.log('said'); console.error('and this'); return null;
    case 'now': return { now: Date.now(), date: new Date().getTime(), fixed: new Date(0).toISOString(), is: new Date() instanceof Date };
    case 'grow': return Array.from({ length: 300 }, (_, index) => new Array(100_000).fill(index + 0.5)).length;
    case 'large': return 'x'.repeat(7 * 1024 * 1024);
    case 'meet': {
      // Returns only when the other event is there too.
      const { createServer, connect } = require('node:net');
      const { promise, resolve } = Promise.withResolvers();
      const server = createServer((socket) => { socket.end(); server.close(); resolve('met'); });
      server.on('error', () => connect(event.port, '127.0.0.1', () => resolve('met')));
      server.listen(event.port, '127.0.0.1');
      return promise;
    }
  }
};`;

const FUNCTIONS = {
  Main: SOURCE,
  Brief: SOURCE,
  Alone: SOURCE,
  Small: SOURCE,
  Broken: 'throw new Error("cannot load");',
  Streamer: `exports.handler = awslambda.streamifyResponse(async (event, stream) => { stream.write('[1,'); stream.write('2]'); stream.end(); });`,
};

let stack: RunningStack;
const logged: string[] = [];
let state: string;

beforeAll(async () => {
  state = mkdtempSync(join(tmpdir(), 'state-'));
  process.env.SECRET_OF_THE_RUNNER = 'hidden';
  stack = await startFixture(
    {
      ...lambda('Main', { MemorySize: 1024, Timeout: 20, Environment: { Variables: { GREETING: 'hello' } } }),
      ...lambda('Brief', { Timeout: 1 }),
      ...lambda('Alone', { ReservedConcurrentExecutions: 1, Timeout: 20 }),
      ...lambda('Small', { MemorySize: 128, Timeout: 20 }),
      ...lambda('Broken'),
      ...lambda('Streamer'),
    },
    FUNCTIONS,
    { eventsPerInstance: 3, stateDirectory: state, onLog: (_, line) => logged.push(line) },
  );
});

afterAll(async () => {
  delete process.env.SECRET_OF_THE_RUNNER;
  await stack.close();
});

const main = (event: object) => stack.invoke('Main', event);

describe('a function', () => {
  test('has the environment of its template and what Lambda sets, and nothing of the runner', async () => {
    const environment = (await main({ do: 'environment' })) as Record<string, string>;
    expect(environment).toMatchObject({
      GREETING: 'hello',
      AWS_REGION: 'us-east-1',
      AWS_LAMBDA_FUNCTION_MEMORY_SIZE: '1024',
      _HANDLER: 'index.handler',
      AWS_ENDPOINT_URL_DYNAMODB: expect.stringMatching(/^http:\/\/127\.0\.0\.1:\d+$/),
      AWS_ENDPOINT_URL_SECRETS_MANAGER: expect.stringMatching(/^http:\/\/127\.0\.0\.1:\d+$/),
      AWS_ACCESS_KEY_ID: expect.stringMatching(/^ASIA/),
    });
    expect(environment.AWS_LAMBDA_FUNCTION_NAME).toMatch(/^Fixture-Main-/);
    expect(existsSync(join(environment.LAMBDA_TASK_ROOT!, 'index.js'))).toBe(true);
    expect(environment).not.toHaveProperty('SECRET_OF_THE_RUNNER');
    expect(environment).not.toHaveProperty('HOME');
  });

  test('gets the certificate authorities of the machine', async () => {
    const before = process.env.NODE_EXTRA_CA_CERTS;
    process.env.NODE_EXTRA_CA_CERTS = '/etc/ssl/own.pem';
    const other = await startFixture(lambda('Main'), FUNCTIONS);
    if (before === undefined) delete process.env.NODE_EXTRA_CA_CERTS;
    else process.env.NODE_EXTRA_CA_CERTS = before;
    try {
      expect(await other.invoke('Main', { do: 'environment' })).toHaveProperty(
        'NODE_EXTRA_CA_CERTS',
        '/etc/ssl/own.pem',
      );
    } finally {
      await other.close();
    }
  });

  test('is handed the context of its event', async () => {
    const context = (await main({ do: 'context' })) as Record<string, unknown>;
    expect(context).toMatchObject({ functionVersion: '$LATEST', memoryLimitInMB: '1024' });
    expect(context.invokedFunctionArn).toMatch(/^arn:aws:lambda:us-east-1:123456789012:function:Fixture-Main-/);
    expect(context.awsRequestId).toMatch(/^[0-9a-f-]{36}$/);
    expect(context.remaining).toBeGreaterThan(10_000);
    expect(context.remaining).toBeLessThanOrEqual(20_000);
  });

  test('keeps an instance between events, and gets a new one after so many', async () => {
    const other = await startFixture(lambda('Main'), FUNCTIONS, { eventsPerInstance: 3 });
    try {
      const counts = [];
      for (let event = 0; event < 7; event += 1) counts.push(await other.invoke('Main', { do: 'count' }));
      expect(counts).toEqual([1, 2, 3, 1, 2, 3, 1]);
    } finally {
      await other.close();
    }
  });

  test('takes concurrent events in instances of their own', async () => {
    const { createServer } = await import('node:net');
    const probe = createServer().listen(0, '127.0.0.1');
    await new Promise((resolve) => probe.once('listening', resolve));
    const { port } = probe.address() as { port: number };
    await new Promise((resolve) => probe.close(resolve));
    const both = await Promise.all([main({ do: 'meet', port }), main({ do: 'meet', port })]);
    expect(both).toEqual(['met', 'met']);
  });

  test('is throttled where it has no instance left for another event', async () => {
    const first = stack.invoke('Alone', { do: 'count' });
    await expect(stack.invoke('Alone', { do: 'count' })).rejects.toThrow('Rate Exceeded.');
    await expect(first).resolves.toBe(1);
  });

  test('reports an error as Lambda does', async () => {
    const error = (await main({ do: 'fail' }).catch((failure: unknown) => failure)) as Error;
    expect(error.message).toBe('no such thing');
    expect(error.cause).toMatchObject({ errorType: 'TypeError', errorMessage: 'no such thing' });
  });

  test('ends alone where it exits or crashes in the middle of an event', async () => {
    await expect(main({ do: 'exit' })).rejects.toThrow('Runtime exited with error: exit status 1');
    await expect(main({ do: 'crash' })).rejects.toThrow('later');
    await expect(main({ do: 'count' })).resolves.toBe(1);
  });

  test('is ended after its timeout', async () => {
    await expect(stack.invoke('Brief', { do: 'hang' })).rejects.toThrow(/Task timed out after 1\.00 seconds$/);
    await expect(stack.invoke('Brief', { do: 'count' })).resolves.toBe(1);
  });

  test('has no more memory than its template gives it', async () => {
    await expect(main({ do: 'grow' })).resolves.toBe(300);
    await expect(stack.invoke('Small', { do: 'grow' })).rejects.toThrow(/memory limit/);
    await expect(stack.invoke('Small', { do: 'count' })).resolves.toBe(1);
  });

  test('that cannot be loaded fails its events', async () => {
    await expect(stack.invoke('Broken', {})).rejects.toThrow('cannot load');
  });

  test('may answer with six megabytes at most', async () => {
    await expect(main({ do: 'large' })).rejects.toThrow('exceeded maximum allowed payload size');
  });

  test('that streams answers a buffered invocation with the whole of it', async () => {
    await expect(stack.invoke('Streamer', {})).resolves.toEqual([1, 2]);
  });

  test('logs to its file and to who listens', async () => {
    const name = ((await main({ do: 'environment' })) as Record<string, string>).AWS_LAMBDA_FUNCTION_NAME;
    await main({ do: 'log' });
    await expect.poll(() => logged).toEqual(expect.arrayContaining(['said', 'and this']));
    await expect.poll(() => readFileSync(join(state, `${name}.log`), 'utf8')).toContain('and this');
  });

  test('sees the time that a test sets, from its next instance on', async () => {
    expect(((await main({ do: 'now' })) as { now: number }).now).toBeLessThan(Date.now() + 1000);
    await stack.setClockOffset(3600);
    const moved = (await main({ do: 'now' })) as { now: number; date: number; fixed: string; is: boolean };
    expect(moved.now - Date.now()).toBeGreaterThan(3590_000);
    expect(moved.date - Date.now()).toBeGreaterThan(3590_000);
    expect(moved).toMatchObject({ fixed: '1970-01-01T00:00:00.000Z', is: true });
    await stack.setClockOffset(0);
    expect(((await main({ do: 'now' })) as { now: number }).now).toBeLessThan(Date.now() + 1000);
  });
});
