import type { Store } from '../store/store';
import { ClientMetadataError, type ClientPolicy, type Metadata } from './client-policy';
import { type HttpRequest, type HttpResponse, json } from './http';
import { clientKey } from './keys';
import { logEvent } from './log';
import { registeredClientId } from './registered-client-id';
import type { RegistrationLimit } from './registration-limit';

/** What a registration request must pass before the engine answers it (RFC 7591). */
export class Registration {
  constructor(
    private readonly store: Store,
    private readonly policy: ClientPolicy,
    private readonly limit: RegistrationLimit,
  ) {}

  /**
   * @returns the request as the policy leaves it, or the answer where it refuses the metadata or too many clients are new
   */
  async admit(request: HttpRequest): Promise<HttpRequest | HttpResponse> {
    const body = parse(request.body);
    // Not left to the engine: what it can read and this cannot would be a registration that no policy has seen.
    if (!body) return json(400, { error: 'invalid_request', error_description: 'the body must be a JSON object' });
    let metadata: Metadata;
    try {
      requireJson(request);
      metadata = this.policy.normalizeRegistration(body);
    } catch (error) {
      if (!(error instanceof ClientMetadataError)) throw error;
      const { code, message } = error;
      logEvent('client.refused', { error: code, description: message });
      return json(400, { error: code, error_description: message });
    }
    const exceeded = (await this.#isKnown(metadata)) ? undefined : await this.limit.exceeded(request.sourceIp);
    if (!exceeded) return { ...request, body: Buffer.from(JSON.stringify(metadata)) };
    // Not from where: an address may be a person's. The access log has it, by the id of the request.
    logEvent('registration.limited', { limit: exceeded.limit });
    return json(
      429,
      { error: 'temporarily_unavailable', error_description: 'too many new clients; try again later' },
      { 'retry-after': String(exceeded.seconds) },
    );
  }

  /** Registering again what is registered already costs nothing, so it is never limited. */
  async #isKnown(metadata: Metadata): Promise<boolean> {
    if (metadata.token_endpoint_auth_method !== 'none') return false;
    const [client] = await this.store.read([clientKey(registeredClientId(metadata))]);
    return client !== undefined;
  }
}

/** RFC 7591 section 3.1. The engine would read nothing of it, and miss the redirect URIs that are there. */
function requireJson({ headers }: HttpRequest): void {
  if (/^application\/json\s*(;|$)/i.test(headers['content-type'] ?? '')) return;
  throw new ClientMetadataError('invalid_client_metadata', 'the body must be sent as application/json');
}

function parse(body: Buffer): Metadata | undefined {
  let parsed: unknown;
  try {
    parsed = JSON.parse(body.toString('utf8'));
  } catch {
    return undefined;
  }
  return typeof parsed === 'object' && parsed !== null && !Array.isArray(parsed) ? (parsed as Metadata) : undefined;
}
