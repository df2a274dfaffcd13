import type { Provider } from 'oidc-provider';
import type { HttpResponse } from './http';
import { heldBackPage } from './pages/error-page';
import type { Presentation } from './pages/presentation';
import { BY_OPERATORS } from './pre-registered-client';
import { describeRedirect } from './redirect-uri';

/**
 * An error that nobody has consented to send: to a web site it goes by the person's click alone, unless the operators have registered
 * the client. Anybody can register a site, and a link to this server would be a link to it (RFC 9700 section 4.11.2). Programs on the
 * person's own device are no sites.
 *
 * @param response redirects to the client
 */
export async function holdBack(
  engine: Provider,
  params: URLSearchParams,
  response: HttpResponse,
  presentation: Presentation,
): Promise<HttpResponse> {
  const { location } = response.headers;
  if (location === undefined) return response;
  const { kind, name: host } = describeRedirect(location);
  if (kind !== 'web') return response;
  const clientId = params.get('client_id') ?? '';
  const client = await engine.Client.find(clientId);
  if (client?.[BY_OPERATORS] === true) return response;
  const description = descriptionOf(location, params.get('redirect_uri') ?? '');
  return heldBackPage(presentation, { clientId, description, host, location });
}

/** In the engine's words, never in those that the client has put into its redirect URI. */
function descriptionOf(location: string, redirectUri: string): string {
  const { hash, searchParams } = new URL(location);
  const answer = hash ? new URLSearchParams(hash.slice(1)) : searchParams;
  const isClients = URL.parse(redirectUri)?.searchParams.has('error_description');
  return (isClients ? null : answer.get('error_description')) ?? answer.get('error') ?? '';
}
