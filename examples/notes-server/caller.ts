import type { APIGatewayProxyEvent } from 'aws-lambda';

/** Who is calling, as the authorizer found it in the access token. Nobody gets here without a valid one. */
export interface Caller {
  readonly sub: string;
  readonly client_id: string;
  readonly scope: string;
  /** Handed over because of `claims: ['email']`; absent where the identity provider tells no address. */
  readonly email?: string;
}

export function callerOf(event: APIGatewayProxyEvent): Caller {
  const { sub, client_id, scope, email } = event.requestContext.authorizer ?? {};
  if (!sub) {
    throw new Error('This function has to stand behind the authorizer.');
  }
  return { sub, client_id, scope, email };
}
