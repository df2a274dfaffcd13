import { isObject, type Json } from '../json';
import { type ApiResponse, renameForHttpApi } from './response';

/**
 * The response that an HTTP API makes of what a Lambda function returned, payload format 2.0.
 *
 * @returns undefined where the function's response is not of the format
 */
export function toHttpApiResponse(payload: Buffer): ApiResponse | undefined {
  let result: Json;
  try {
    result = JSON.parse(payload.toString());
  } catch {
    return undefined;
  }
  if (!isObject(result) || result.statusCode === undefined) {
    const body = typeof result === 'string' ? result : JSON.stringify(result);
    return { statusCode: 200, headers: [['Content-Type', 'application/json']], body: Buffer.from(body) };
  }
  const statusCode = Number(result.statusCode);
  if (!Number.isInteger(statusCode) || statusCode < 100 || statusCode > 599) return undefined;
  const { headers = {}, cookies = [], body = '' } = result;
  if (!isObject(headers) || !Array.isArray(cookies) || typeof body !== 'string') return undefined;
  const given = Object.entries(headers).map(([name, value]): [string, string] => [name, String(value)]);
  const untyped = !given.some(([name]) => name.toLowerCase() === 'content-type');
  return {
    statusCode,
    headers: [
      ...renameForHttpApi(given),
      ...(untyped && body ? [['Content-Type', 'text/plain; charset=utf-8'] as const] : []),
      ...cookies.map((cookie) => ['Set-Cookie', String(cookie)] as const),
    ],
    body: Buffer.from(body, result.isBase64Encoded === true ? 'base64' : 'utf8'),
  };
}
