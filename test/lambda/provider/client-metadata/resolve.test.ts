import { createSocket, type Socket } from 'node:dgram';
import { promises as dns } from 'node:dns';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import {
  FetchRefused,
  FetchUnavailable,
  GuardedFetch,
} from '../../../../lambda/provider/client-metadata/guarded-fetch';
import { resolver } from '../../../../lambda/provider/client-metadata/resolve';

/** The one name server that this process asks. */
let nameServer: Socket;
/** What it has been asked for: 1 is an IPv4 address, 28 an IPv6 address. */
let questions: { name: string; type: number }[];
/** The data of the records for a question, an error code, or nothing at all. */
let answer: (name: string, type: number) => Buffer[] | number | 'silence';

beforeEach(async () => {
  questions = [];
  nameServer = createSocket('udp4');
  nameServer.on('message', (message, { port, address }) => {
    const { name, type, end } = questionOf(message);
    questions.push({ name, type });
    const answered = answer(name, type);
    if (answered !== 'silence') nameServer.send(response(message.subarray(0, end), type, answered), port, address);
  });
  nameServer.bind(0, '127.0.0.1');
  await once(nameServer, 'listening');
  const server = `127.0.0.1:${(nameServer.address() as AddressInfo).port}`;
  const System = dns.Resolver;
  vi.spyOn(dns, 'Resolver').mockImplementation(
    class extends System {
      constructor(options: ConstructorParameters<typeof System>[0]) {
        super(options);
        this.setServers([server]);
      }
    } as never,
  );
});
afterEach(() => {
  vi.restoreAllMocks();
  nameServer.close();
});

function questionOf(message: Buffer) {
  const labels: string[] = [];
  let end = 12;
  for (let length = message[end]!; length > 0; length = message[end]!) {
    labels.push(message.toString('latin1', end + 1, end + 1 + length));
    end += length + 1;
  }
  return { name: labels.join('.').toLowerCase(), type: message.readUInt16BE(end + 1), end: end + 5 };
}

/** RFC 1035 section 4.1. */
function response(question: Buffer, type: number, answered: Buffer[] | number): Buffer {
  const header = Buffer.from(question);
  const records = typeof answered === 'number' ? [] : answered;
  header.writeUInt16BE(0x8180 | (typeof answered === 'number' ? answered : 0), 2);
  header.writeUInt16BE(records.length, 6);
  header.writeUInt16BE(0, 10);
  const written = records.map((data) => {
    // The name of the question, class IN, for a minute.
    const record = Buffer.from([0xc0, 12, 0, type, 0, 1, 0, 0, 0, 60, 0, data.length]);
    return Buffer.concat([record, data]);
  });
  return Buffer.concat([header, ...written]);
}

const V4 = 1;
const NXDOMAIN = 3;
const SERVFAIL = 2;
const loopback = Buffer.from([127, 0, 0, 1]);
const publicV4 = Buffer.from([1, 1, 1, 1]);
const publicV6 = Buffer.from('26064700000000000000000000001111', 'hex');

const resolve = (name: string) => resolver(new Set())(name, new AbortController().signal);

describe('the name of a host that a stranger has chosen', () => {
  it.each<[string, Buffer[] | number, Buffer[] | number, string[]]>([
    ['both families', [publicV4], [publicV6], ['1.1.1.1', '2606:4700::1111']],
    ['IPv4 alone', [publicV4], [], ['1.1.1.1']],
    ['IPv6 alone', [], [publicV6], ['2606:4700::1111']],
    ['IPv4, and a server that fails for IPv6', [publicV4], SERVFAIL, ['1.1.1.1']],
  ])('has the addresses of %s', async (_, v4, v6, expected) => {
    answer = (_name, type) => (type === V4 ? v4 : v6);
    expect((await resolve('client.example.com')).map(({ address }) => address)).toEqual(expected);
    expect(new Set(questions.map(({ name }) => name))).toEqual(new Set(['client.example.com']));
  });

  it.each<[string, Buffer[] | number]>([
    ['nobody knows', NXDOMAIN],
    ['has no address', []],
  ])('is unavailable where it %s', async (_, answered) => {
    answer = () => answered;
    await expect(new GuardedFetch(new Set()).get('https://client.example.com/c.json')).rejects.toThrow(
      FetchUnavailable,
    );
  });

  it.each(['client.example.com', 'client.example.com.'])(
    'is refused where its server says 127.0.0.1: %s',
    async (name) => {
      answer = (_name, type) => (type === V4 ? [publicV4, loopback] : [publicV6]);
      await expect(new GuardedFetch(new Set()).get(`https://${name}/c.json`)).rejects.toThrow(FetchRefused);
    },
  );

  it.each(['localhost', 'localhost.', 'client.localhost'])(
    'is asked of no server where it is this machine: %s',
    async (name) => {
      await expect(new GuardedFetch(new Set()).get(`https://${name}/c.json`)).rejects.toThrow('not public');
      expect(questions).toEqual([]);
    },
  );

  it('keeps nothing else from finding a name while its server never answers, and is not waited for long', async () => {
    answer = () => 'silence';
    const cancel = vi.spyOn(dns.Resolver.prototype, 'cancel');
    const order: string[] = [];
    const names = Array.from({ length: 8 }, (_, number) => `client-${number}.example.com`);
    const fetches = names.map((name) =>
      new GuardedFetch(new Set()).get(`https://${name}/c.json`).catch((error) => order.push(error.name)),
    );
    await vi.waitUntil(() => names.every((name) => questions.some((question) => question.name === name)), {
      timeout: 2_000,
    });
    await dns.lookup('localhost').then(() => order.push('localhost'));
    await Promise.all(fetches);
    expect(order).toEqual(['localhost', ...names.map(() => 'FetchUnavailable')]);
    expect(cancel).toHaveBeenCalledTimes(names.length);
  });
});

it('the name of an internal host is asked of the system, which knows the hosts file and the search domains', async () => {
  const addresses = await resolver(new Set(['localhost']))('localhost', new AbortController().signal);
  expect(addresses).toContainEqual({ address: '127.0.0.1', family: 4 });
  expect(dns.Resolver).not.toHaveBeenCalled();
});
