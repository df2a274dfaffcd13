import { randomUUID } from 'node:crypto';
import type { Request, RequestHandler, Response } from 'express';
import type { JWTVerifyGetKey } from 'jose';
import { verifyBearer } from '../../lambda/authorizer/bearer';
import { BearerError, refusalOf } from '../../lambda/authorizer/bearer-error';
import { credentialsOf } from '../../lambda/authorizer/credentials';
import { currentRequest, logEvent, logProblem } from '../../lambda/provider/log';
import type { AuthorizationServer } from '../../lambda/provider/server';
import { type Store, StoreUnavailable } from '../../lambda/store/store';
import { findCaller } from './find-caller';
import type { ProtectedResource } from './protected-resource';
import { upstreamSources } from './upstream-sources';

export interface AuthenticationContext {
  readonly resource: ProtectedResource;
  readonly issuer: string;
  readonly keySet: JWTVerifyGetKey;
  readonly server: AuthorizationServer;
  readonly store: Store;
}

/** Lets in who has an access token for the resource, and says who that is in `req.user` and `req.auth`. */
export function authentication(context: AuthenticationContext): RequestHandler {
  return (req, res, next) =>
    currentRequest.run({ id: randomUUID() }, async () => {
      try {
        await authenticate(req, context);
      } catch (error) {
        if (error instanceof BearerError) return answerBearerError(res, error);
        if (error instanceof StoreUnavailable) return answerBearerError(res, unavailable(error));
        throw error;
      }
      next();
    });
}

/** @throws BearerError, StoreUnavailable */
async function authenticate(req: Request, context: AuthenticationContext): Promise<void> {
  const { resource, issuer, keySet, server, store } = context;
  const { needed } = resource;
  const { authorization: all = [], dpop: proofs = [] } = req.headersDistinct;
  // Of two nobody knows which is meant, and joined they are none.
  const authorization = all.length > 0 ? all.join(', ') : undefined;
  const proof = proofs.length === 1 ? proofs[0] : undefined;
  const bearer = await verifyBearer(authorization, {
    audience: needed.audience,
    scopes: needed.scopes,
    issuer,
    keySet,
    ...(needed.dpop ? { dpop: { proof, method: req.method } } : {}),
  });
  const { token = '', scheme } = credentialsOf(authorization ?? '') ?? {};
  const { user, auth } = await findCaller(token, bearer, store).catch((error) => {
    throw refusalOf(error, needed, scheme);
  });
  const { sub, client_id, claims } = bearer;
  const source = () => server.upstreamToken({ ...claims, sub, client_id, aud: needed.audience });
  for (const caller of [user, auth]) upstreamSources.set(caller, source);
  req.user = user;
  req.auth = auth;
}

function unavailable(cause: StoreUnavailable): BearerError {
  return new BearerError('The access token cannot be checked at the moment.', 503, undefined, undefined, { cause });
}

/** RFC 6750 section 3. */
export function answerBearerError(res: Response, error: BearerError): void {
  const { status, headers, body } = error;
  // By the names that the authorizer's events have.
  if (status === 503) logProblem('request.unavailable', error.cause, { path: res.req.path });
  else logEvent(status === 403 ? 'insufficient_scope' : 'invalid_token', { reason: body.error_description });
  res.status(status).set(headers).json(body);
}
