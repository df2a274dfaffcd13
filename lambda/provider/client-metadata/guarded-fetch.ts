import type { LookupAddress } from 'node:dns';
import type { IncomingMessage } from 'node:http';
import { get } from 'node:https';
import { isIP, type LookupFunction } from 'node:net';
import { type Resolve, resolver } from './resolve';

/** Milliseconds for everything: name, connection, TLS, headers and body. */
const TIME_LIMIT = 2_500;
/** Bytes of a metadata document (draft-ietf-oauth-client-id-metadata-document-00 section 6.6). */
const LARGEST_DOCUMENT = 5 * 1024;
/** Fetches from hosts of strangers at once. Each holds a socket or two, of which a process has not many. */
const MOST_AT_ONCE = 200;

/** Answers that say nothing about the document: too early, too many, not to you, or a server that fails. */
const PASSING = new Set([401, 403, 407, 408, 421, 425, 429]);

/** The other side could not be read this time; the next may go better. */
export class FetchUnavailable extends Error {
  override readonly name = 'FetchUnavailable';
}

/** So many others are being asked that this one was not: it says nothing about the other side. */
export class TooManyFetches extends FetchUnavailable {}

/** The other side is not asked, or its answer is not one that may be used. */
export class FetchRefused extends Error {
  override readonly name = 'FetchRefused';
}

/**
 * Fetches JSON from addresses that strangers choose (draft-ietf-oauth-client-id-metadata-document-00 section 6.5): over
 * https from the public internet alone, without redirects, proxies and credentials, and only as much as is of use.
 *
 * The engine brings a guard of its own, which looks into the parts of undici for the address of a socket that is already
 * connected; where it does not find them it warns and fetches unguarded. So it is not used.
 */
export class GuardedFetch {
  #fromStrangers = 0;

  /**
   * @param internalHosts hosts that may have addresses which are not public
   * @param resolve is asked once for each connection, so that what was checked is what is connected to
   */
  constructor(
    private readonly internalHosts: ReadonlySet<string>,
    private readonly resolve: Resolve = resolver(internalHosts),
  ) {}

  /**
   * @param largestBody in bytes
   * @returns a response with status 200 and a body of JSON, as its content type says
   * @throws FetchUnavailable, FetchRefused
   */
  async get(address: string | URL, largestBody = LARGEST_DOCUMENT): Promise<Response> {
    const url = new URL(address);
    if (url.protocol !== 'https:') throw new FetchRefused('it is not https');
    // A connection to an address asks no resolver.
    const host = url.hostname.replace(/^\[|\]$/g, '');
    if (isIP(host)) await this.#requirePublic(url.hostname, [host]);
    if (this.internalHosts.has(url.hostname)) return this.#fetch(url, largestBody);
    if (this.#fromStrangers >= MOST_AT_ONCE) throw new TooManyFetches('too many hosts are being asked');
    this.#fromStrangers++;
    try {
      return await this.#fetch(url, largestBody);
    } finally {
      this.#fromStrangers--;
    }
  }

  async #fetch(url: URL, largestBody: number): Promise<Response> {
    const response = await this.#send(url);
    try {
      requireJson(response);
      const headers = Object.entries(response.headers).map(
        ([name, value]) => [name, String(value)] as [string, string],
      );
      return new Response(await bodyOf(response, largestBody), { headers });
    } finally {
      response.destroy();
    }
  }

  #send(url: URL): Promise<IncomingMessage> {
    const signal = AbortSignal.timeout(TIME_LIMIT);
    const options = {
      // A connection of its own; and the shared agent may be told by the environment to use a proxy.
      agent: false,
      autoSelectFamily: true,
      headers: { accept: 'application/json', 'user-agent': 'mcp-oidc-auth' },
      lookup: this.#lookup(signal),
      signal,
    };
    return new Promise((resolve, reject) => {
      get(url, options, resolve).on('error', (error) => reject(unavailableUnlessRefused(error)));
    });
  }

  /** With `autoSelectFamily` it is always all addresses that are asked for. */
  #lookup(signal: AbortSignal): LookupFunction {
    return (hostname, _options, callback) => {
      this.#checkedAddresses(hostname, signal).then(
        (addresses) => callback(null, addresses),
        (error) => callback(error, []),
      );
    };
  }

  async #checkedAddresses(hostname: string, signal: AbortSignal): Promise<LookupAddress[]> {
    const addresses = await this.resolve(hostname, signal);
    await this.#requirePublic(
      hostname,
      addresses.map(({ address }) => address),
    );
    return addresses;
  }

  /** One address that is not public is enough: which of them is connected to is not ours to say. */
  async #requirePublic(hostname: string, addresses: readonly string[]): Promise<void> {
    if (this.internalHosts.has(hostname)) return;
    // Few requests fetch anything: the others do not wait for what knows the ranges of addresses.
    const { isPublicAddress } = await import('./public-address.js');
    if (addresses.every(isPublicAddress)) return;
    throw new FetchRefused('its host has an address that is not public');
  }
}

function requireJson({ statusCode = 0, headers }: IncomingMessage): void {
  if (statusCode >= 500 || PASSING.has(statusCode)) throw new FetchUnavailable(`its host answers ${statusCode}`);
  if (statusCode !== 200) throw new FetchRefused(`its host answers ${statusCode} instead of 200`);
  if (!/^application\/([\w.-]+\+)?json\s*(;|$)/i.test(headers['content-type'] ?? '')) {
    throw new FetchRefused('its content type is not JSON');
  }
}

async function bodyOf(response: IncomingMessage, largest: number): Promise<Buffer<ArrayBuffer>> {
  const chunks: Buffer[] = [];
  let size = 0;
  try {
    for await (const chunk of response) {
      size += chunk.length;
      if (size > largest) throw new FetchRefused(`it is larger than ${largest} bytes`);
      chunks.push(chunk);
    }
  } catch (error) {
    throw unavailableUnlessRefused(error);
  }
  return Buffer.concat(chunks);
}

function unavailableUnlessRefused(error: unknown): Error {
  return error instanceof FetchRefused ? error : new FetchUnavailable('its host cannot be read', { cause: error });
}
