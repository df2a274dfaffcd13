import { createHash, createHmac } from 'node:crypto';
import type { IncomingHttpHeaders } from 'node:http';
import { SignatureV4 } from '@smithy/signature-v4';

export interface Credentials {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  readonly sessionToken?: string;
}

/** What a request's Authorization header claims (Signature Version 4). */
export interface SignatureClaim {
  readonly accessKeyId: string;
  readonly signedHeaders: readonly string[];
}

const AUTHORIZATION =
  /^AWS4-HMAC-SHA256 Credential=([^/,\s]+)\/\d{8}\/[^/,\s]+\/[^/,\s]+\/aws4_request, ?SignedHeaders=([^,\s]+), ?Signature=[0-9a-f]{64}$/;

export function parseAuthorization(header: string): SignatureClaim | undefined {
  const match = AUTHORIZATION.exec(header);
  return match ? { accessKeyId: match[1]!, signedHeaders: match[2]!.split(';') } : undefined;
}

/** Signs the request again with what the caller should hold: only the same secret gives the same Authorization header. */
export async function isSignedBy(
  credentials: Credentials,
  scope: { readonly service: string; readonly region: string },
  request: { readonly path: string; readonly headers: IncomingHttpHeaders; readonly body: Buffer },
): Promise<boolean> {
  const authorization = request.headers.authorization ?? '';
  const signingDate = parseDate(request.headers['x-amz-date']);
  const claim = parseAuthorization(authorization);
  if (!claim || !signingDate) return false;
  const headers = Object.fromEntries(claim.signedHeaders.map((name) => [name, String(request.headers[name] ?? '')]));
  return (await sign(credentials, scope, { ...request, headers, signingDate })).authorization === authorization;
}

/** The headers of a POST request, with those that sign it. */
export async function sign(
  credentials: Credentials,
  scope: { readonly service: string; readonly region: string },
  request: {
    readonly path: string;
    readonly headers: Record<string, string>;
    readonly body: Buffer;
    readonly signingDate?: Date;
  },
): Promise<Record<string, string>> {
  const signer = new SignatureV4({ ...scope, credentials, sha256: Sha256, applyChecksum: false });
  const { headers, path, body, signingDate = new Date() } = request;
  const signed = await signer.sign(
    { method: 'POST', protocol: 'http:', hostname: '127.0.0.1', path, headers, body },
    { signingDate, signableHeaders: new Set(Object.keys(headers)) },
  );
  return signed.headers;
}

type Data = string | ArrayBuffer | ArrayBufferView;

/** As the signer wants it: with a secret it is an HMAC. */
class Sha256 {
  readonly #hash;

  constructor(secret?: Data) {
    this.#hash = secret === undefined ? createHash('sha256') : createHmac('sha256', bytesOf(secret));
  }

  update(data: Data): void {
    this.#hash.update(bytesOf(data));
  }

  async digest(): Promise<Uint8Array> {
    return this.#hash.digest();
  }
}

function bytesOf(data: Data): Buffer {
  // Whichever it is: the types of Buffer.from have one after the other.
  return Buffer.from(data as string);
}

/** `20260131T235959Z`, the basic format of ISO 8601 that x-amz-date has. */
function parseDate(value: string | string[] | undefined): Date | undefined {
  const match = /^(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)Z$/.exec(String(value));
  if (!match) return undefined;
  const [, year, month, day, hour, minute, second] = match;
  return new Date(`${year}-${month}-${day}T${hour}:${minute}:${second}Z`);
}
