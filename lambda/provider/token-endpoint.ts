import type { Store, StoredRecord } from '../store/store';
import { isStaleCopy } from './client-metadata/metadata-documents';
import { now } from './clock';
import { type HttpResponse, json } from './http';
import { clientKey, codeKey, grantIdOf, grantKey, refreshTokenKey, upstreamTokenKey } from './keys';
import { logEvent } from './log';
import { TOKEN_EXCHANGE } from './resource-server';
import { recordsBehind } from './token-exchange';
import { currentUnitOfWork, UnitOfWork } from './unit-of-work';
import { unverifiedClaims } from './unverified-claims';

/** A client's record is written anew when this share of its lifetime has passed, so that clients in use never expire. */
const RENEW_AFTER = 0.02;

/**
 * Answers a token request as a unit of work: one batch read, the engine, and where it answers 200 the writes.
 *
 * @param form the request's parameters
 * @param authorization the Authorization header, which may name the client (RFC 6749 section 2.3.1)
 * @param clientLifetime seconds that a client is remembered after its last use
 */
export async function answerTokenRequest(
  store: Store,
  form: URLSearchParams,
  authorization: string | undefined,
  clientLifetime: number,
  engine: () => Promise<HttpResponse>,
): Promise<HttpResponse> {
  const clientId = clientIdOf(form, authorization);
  const unit = await UnitOfWork.begin(store, [...clientKeys(clientId), ...tokenKeys(form)], 'token');
  const response = await currentUnitOfWork.run(unit, engine);
  if (response.status !== 200) return response;

  const client = clientId ? unit.get(clientKey(clientId)) : undefined;
  // A copy of a metadata document that was not fresh has been replaced by now, or has only stood in for it.
  if (client && !isStaleCopy(client) && isDueForRenewal(client, clientLifetime)) {
    const expires = (now() + clientLifetime) * 1000;
    unit.collect(() => store.set(client.key, client.value, expires));
  }
  if (await unit.commit()) return response;
  logEvent('token.raced', { clientId });
  const { 'content-length': _, ...headers } = response.headers;
  return json(400, { error: 'invalid_grant', error_description: 'grant request is invalid' }, headers);
}

/** Answers a revocation request (RFC 7009) with one batch read and, where the token is a live one, the end of its grant. */
export async function answerRevocation(
  store: Store,
  form: URLSearchParams,
  authorization: string | undefined,
  engine: () => Promise<HttpResponse>,
): Promise<HttpResponse> {
  const token = form.get('token') ?? '';
  const keys = [...clientKeys(clientIdOf(form, authorization)), ...(grantIdOf(token) ? [refreshTokenKey(token)] : [])];
  return currentUnitOfWork.run(await UnitOfWork.begin(store, keys, 'revocation'), engine);
}

/** As the engine finds it; the last is the subject of an assertion (RFC 7521 section 4.2), which the engine verifies. */
function clientIdOf(form: URLSearchParams, authorization: string | undefined): string | undefined {
  return form.get('client_id') ?? basicClientId(authorization) ?? assertedClientId(form.get('client_assertion'));
}

function clientKeys(clientId: string | undefined): string[] {
  return clientId ? [clientKey(clientId)] : [];
}

function tokenKeys(form: URLSearchParams): string[] {
  if (form.get('grant_type') === TOKEN_EXCHANGE) return recordsBehind(form.get('subject_token') ?? '');
  const refresh = form.get('grant_type') === 'refresh_token';
  const token = form.get(refresh ? 'refresh_token' : 'code') ?? '';
  const grantId = grantIdOf(token);
  if (!grantId) return [];
  const keys = refresh ? [refreshTokenKey(token), upstreamTokenKey(grantId)] : [codeKey(token)];
  return [...keys, grantKey(grantId)];
}

function basicClientId(authorization = ''): string | undefined {
  const [, credentials] = /^basic ([a-z0-9+/=]+)$/i.exec(authorization) ?? [];
  if (!credentials) return undefined;
  const [encoded = ''] = Buffer.from(credentials, 'base64').toString().split(':');
  try {
    return decodeURIComponent(encoded.replaceAll('+', ' '));
  } catch {
    return undefined;
  }
}

function assertedClientId(assertion: string | null): string | undefined {
  const { sub } = unverifiedClaims(assertion ?? '');
  return typeof sub === 'string' ? sub : undefined;
}

function isDueForRenewal({ expiresAt }: StoredRecord, lifetime: number): boolean {
  return expiresAt !== undefined && expiresAt - Date.now() / 1000 < lifetime * (1 - RENEW_AFTER);
}
