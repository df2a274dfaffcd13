import { randomBytes } from 'node:crypto';
import type { Client, Interaction, InteractionResults, Provider } from 'oidc-provider';
import type { ResourceRecord } from '../../lib/contract';
import type { DynamoStore } from '../store/dynamo-store';
import { BrowserBinding } from './browser-binding';
import type { PersonalGrant } from './engine';
import { formOf, type HttpRequest, type HttpResponse, isForm, seeOther } from './http';
import { personKey, upstreamKey } from './keys';
import { logEvent, logProblem } from './log';
import { consentPage } from './pages/consent-page';
import { errorPage, expired, forged, otherBrowser, upstreamDown, used } from './pages/error-page';
import { type Resources, withImplied } from './resources';
import { type Person, type Upstream, type UpstreamChecks, UpstreamRefused, UpstreamUnavailable } from './upstream';
import type { UpstreamRecheck } from './upstream-recheck';

/** What a consent remembers until upstream answers. */
interface UpstreamTransaction {
  readonly attempt: string;
  /** Epoch seconds. */
  readonly consentedAt: number;
}

/** A sign-in that is open in this browser. */
interface OpenSignIn {
  readonly interaction: Interaction;
  readonly client: Client;
  readonly resource: ResourceRecord;
  readonly binding: BrowserBinding;
}

/**
 * From our consent page to the upstream identity provider and back: every authorization asks for consent first, and
 * nothing goes upstream before it is given, in this browser, for this client, redirect URI, resource and scopes.
 */
export class SignIn {
  constructor(
    private readonly store: DynamoStore,
    private readonly resources: Resources,
    private readonly upstream: Upstream,
    private readonly recheck: UpstreamRecheck,
  ) {}

  /** GET /interaction/{uid} */
  async showConsent(engine: Provider, request: HttpRequest, uid: string): Promise<HttpResponse> {
    const open = await this.#open(engine, request, uid);
    if ('status' in open) return open;
    const { interaction, client, resource, binding } = open;
    return consentPage({
      action: `/interaction/${uid}`,
      formToken: binding.formToken,
      clientName: displayName(client),
      redirectUri: String(interaction.params.redirect_uri),
      resource: { name: resource.name ?? new URL(resource.identifier).host, identifier: resource.identifier },
      scopes: withImplied(resource, String(interaction.params.scope).split(' ')),
      upstream: this.upstream,
    });
  }

  /** POST /interaction/{uid}: the person's decision. */
  async decide(engine: Provider, request: HttpRequest, uid: string): Promise<HttpResponse> {
    const open = await this.#open(engine, request, uid);
    if ('status' in open) return open;
    const { interaction, client, binding } = open;
    const form = isForm(request) ? formOf(request) : new URLSearchParams();
    const fromElsewhere = !['same-origin', undefined].includes(request.headers['sec-fetch-site']);
    if (fromElsewhere || !binding.isFormToken(form.get('token'))) return errorPage(forged);

    if (form.get('decision') !== 'allow') {
      logEvent('consent.refused', { clientId: client.clientId });
      return finish(interaction, { error: 'access_denied', error_description: 'The person refused' });
    }

    const attempt = randomBytes(16).toString('base64url');
    const checks = checksOf(binding, uid, attempt);
    let location: string;
    try {
      location = await this.upstream.authorizationUrl(checks);
    } catch (error) {
      return this.#upstreamProblem(error, uid);
    }
    const transaction: UpstreamTransaction = { attempt, consentedAt: now() };
    await this.store.set(upstreamKey(uid, checks.state), transaction, interaction.exp * 1000);
    logEvent('consent.given', { clientId: client.clientId });
    return seeOther(location);
  }

  /** GET /callback: upstream's answer. */
  async callback(engine: Provider, request: HttpRequest): Promise<HttpResponse> {
    const state = new URLSearchParams(request.query).get('state') ?? '';
    const found = BrowserBinding.forState(request.headers.cookie, state);
    if (!found) return errorPage(otherBrowser);
    const { uid, binding } = found;
    const key = upstreamKey(uid, state);
    const [open, [record]] = await Promise.all([this.#open(engine, request, uid), this.store.read([key])]);
    if ('status' in open) return open;
    const transaction = record?.value as UpstreamTransaction | undefined;
    if (!transaction) return errorPage(expired);
    const checks = checksOf(binding, uid, transaction.attempt);
    if (!(await this.store.consume(key, { now: now() }))) {
      logEvent('upstream.state_replayed', { clientId: open.client.clientId });
      return errorPage(used);
    }

    try {
      const person = await this.upstream.person(request.query, checks);
      return await this.#grant(engine, open, person, transaction);
    } catch (error) {
      if (!(error instanceof UpstreamRefused)) return this.#upstreamProblem(error, uid);
      logProblem('upstream.refused', error.cause ?? error, { clientId: open.client.clientId });
      return finish(open.interaction, { error: error.code, error_description: error.message });
    }
  }

  /** Records the consent of this person and lets the engine issue the code. */
  async #grant(
    engine: Provider,
    open: OpenSignIn,
    person: Person,
    { consentedAt }: UpstreamTransaction,
  ): Promise<HttpResponse> {
    const { interaction, client, resource } = open;
    const scopes = String(interaction.params.scope).split(' ');
    const grant = new engine.Grant({ accountId: person.sub, clientId: client.clientId }) as InstanceType<
      Provider['Grant']
    > &
      PersonalGrant;
    grant.jti = randomBytes(32).toString('base64url');
    const names = withImplied(resource, scopes).map(({ name }) => name);
    grant.addResourceScope(resource.identifier, names.join(' '));
    grant.addOIDCScope(scopes.filter((scope) => !names.includes(scope)).join(' '));
    grant.personClaims = person.claims;
    const consent = { clientId: client.clientId, clientName: client.clientName, resource: resource.identifier };

    await grant.save();
    const expires = now() + grant.remainingTTL;
    const [response] = await Promise.all([
      finish(interaction, {
        login: { accountId: person.sub, remember: false },
        consent: { grantId: grant.jti },
      }),
      this.store.set(personKey(person.sub, grant.jti), { ...consent, scopes: names, consentedAt }, expires * 1000),
      person.refreshToken && this.recheck.remember(grant.jti, person.refreshToken, expires),
    ]);
    logEvent('person.signed_in', { clientId: client.clientId, sub: person.sub });
    return response;
  }

  /** The sign-in `uid`, if this browser began it and it is still open; else the page that says why not. */
  async #open(engine: Provider, request: HttpRequest, uid: string): Promise<OpenSignIn | HttpResponse> {
    const interaction = await engine.Interaction.find(uid);
    // First, for the browser that has finished it has let its secret go: the back button leads here.
    if (!interaction || interaction.result) return errorPage(expired);
    const binding = BrowserBinding.of(request.headers.cookie, uid);
    if (!binding?.matches(interaction.params.browser_binding)) return errorPage(otherBrowser);
    const [client, catalogue] = await Promise.all([
      engine.Client.find(String(interaction.params.client_id)),
      this.resources.catalogue(),
    ]);
    const resource = catalogue.find(String(interaction.params.resource));
    if (!client || !resource) return errorPage(expired);
    return { interaction, client, resource, binding };
  }

  #upstreamProblem(error: unknown, uid: string): HttpResponse {
    if (!(error instanceof UpstreamUnavailable)) throw error;
    logProblem('upstream.unavailable', error.cause ?? error);
    return errorPage(upstreamDown(uid));
  }
}

/** What a client calls itself, without characters that hide or turn what stands around them. */
function displayName(client: Client): string {
  const name = (client.clientName ?? '').replace(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu, '').trim();
  return (name || client.clientId).slice(0, 100);
}

function checksOf(binding: BrowserBinding, uid: string, attempt: string): UpstreamChecks {
  return {
    state: binding.state(uid, attempt),
    nonce: binding.nonce(attempt),
    codeVerifier: binding.codeVerifier(attempt),
  };
}

/** Hands the sign-in's result back to the engine, which answers the client. */
async function finish(interaction: Interaction, result: InteractionResults): Promise<HttpResponse> {
  interaction.result = result;
  await interaction.save(interaction.exp - now());
  return seeOther(interaction.returnTo);
}

function now(): number {
  return Math.floor(Date.now() / 1000);
}
