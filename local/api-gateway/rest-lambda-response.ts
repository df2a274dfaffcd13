import { PassThrough } from 'node:stream';
import { isObject, type Json, type JsonObject } from '../json';
import { type ApiResponse, renameForRestApi } from './response';

const DELIMITER = Buffer.alloc(8);
/** The metadata of a streamed response must end within this many bytes. */
const METADATA_LIMIT = 16 * 1024;

/**
 * The response that a REST API makes of what a Lambda function returned to a proxy integration. Without binary media types
 * the body is text, even where the function says that it is base64.
 *
 * @returns undefined where the function's response is not of the format
 */
export function toRestApiResponse(payload: Buffer): ApiResponse | undefined {
  const result = parse(payload.toString());
  const head = isObject(result) ? readHead(result, ['isBase64Encoded', 'body']) : undefined;
  const body = (result as JsonObject | undefined)?.body ?? '';
  if (!head || typeof body !== 'string') return undefined;
  return { ...head, body: Buffer.from(body) };
}

/**
 * Takes a streamed response apart: metadata as JSON, eight zero bytes, the body.
 *
 * `response` settles with the head as soon as the metadata is whole, and with undefined where there is none.
 */
export class StreamedResponse {
  readonly response: Promise<ApiResponse | undefined>;
  readonly #body = new PassThrough();
  #settle: (response: ApiResponse | undefined) => void = () => {};
  /** What has arrived of the metadata; undefined once it is whole, or wrong. */
  #metadata: Buffer | undefined = Buffer.alloc(0);

  constructor() {
    this.response = new Promise((resolve) => {
      this.#settle = resolve;
    });
  }

  write(chunk: Uint8Array): void {
    if (!this.#metadata) {
      this.#body.write(chunk);
      return;
    }
    const received = Buffer.concat([this.#metadata, chunk]);
    const end = received.indexOf(DELIMITER);
    this.#metadata = end < 0 && received.length <= METADATA_LIMIT ? received : undefined;
    if (this.#metadata) return;
    const metadata = end < 0 || end > METADATA_LIMIT ? undefined : parse(received.subarray(0, end).toString());
    const head = isObject(metadata) ? readHead(metadata, ['cookies']) : undefined;
    this.#settle(head && { ...head, body: this.#body });
    const rest = received.subarray(end + DELIMITER.length);
    if (head && rest.length > 0) this.#body.write(rest);
  }

  end(): void {
    this.#settle(undefined);
    this.#body.end();
  }

  /** Breaks the response off. */
  abort(): void {
    this.#settle(undefined);
    this.#body.on('error', () => {});
    this.#body.destroy(new Error('The function ended before its response did.'));
  }
}

function readHead(result: JsonObject, further: readonly string[]): Omit<ApiResponse, 'body'> | undefined {
  const known = ['statusCode', 'headers', 'multiValueHeaders', ...further];
  if (Object.keys(result).some((name) => !known.includes(name))) return undefined;
  const { headers, multiValueHeaders, cookies } = result;
  const statusCode = Number(result.statusCode ?? 200);
  if (!Number.isInteger(statusCode) || statusCode < 100 || statusCode > 599) return undefined;
  const given = new Map<string, [string, string][]>();
  for (const [name, value] of Object.entries(isObject(headers) ? headers : {})) {
    given.set(name.toLowerCase(), [[name, String(value)]]);
  }
  for (const [name, values] of Object.entries(isObject(multiValueHeaders) ? multiValueHeaders : {})) {
    given.set(
      name.toLowerCase(),
      [values].flat().map((value) => [name, String(value)]),
    );
  }
  if (!given.has('content-type')) given.set('content-type', [['Content-Type', 'application/json']]);
  const setCookie = (Array.isArray(cookies) ? cookies : []).map((cookie) => ['Set-Cookie', String(cookie)] as const);
  return { statusCode, headers: [...renameForRestApi([...given.values()].flat()), ...setCookie] };
}

function parse(text: string): Json | undefined {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
