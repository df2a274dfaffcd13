import type { HttpResponse } from './http';

/** For what takes no credentials from a browser and gives away nothing: open to every origin. */
export function withCors(response: HttpResponse): HttpResponse {
  const headers = {
    ...response.headers,
    'access-control-allow-origin': '*',
    'access-control-expose-headers': 'WWW-Authenticate, Retry-After',
  };
  return { ...response, headers };
}

/** The answer to a preflight of a registration, which the engine does not know. */
export function registrationPreflight(): HttpResponse {
  return withCors({
    ...noContent(),
    headers: {
      'access-control-allow-methods': 'POST',
      'access-control-allow-headers': 'Authorization, Content-Type, MCP-Protocol-Version',
      'access-control-max-age': '3600',
    },
  });
}

/** The answer to an OPTIONS request that is no preflight. */
export function noContent(): HttpResponse {
  return { status: 204, headers: {}, cookies: [], body: '' };
}
