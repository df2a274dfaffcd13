import { randomBytes } from 'node:crypto';
import type { Client, Interaction, InteractionResults, Provider } from 'oidc-provider';
import type { ResourceRecord } from '../../lib/contract';
import type { Store } from '../store/store';
import { AlreadyDecided } from './adapter';
import { BrowserBinding } from './browser-binding';
import { publisherOf } from './client-metadata/client-id-url';
import { now } from './clock';
import type { ConsentRecord } from './consent-record';
import { displayable } from './displayable';
import type { PersonalGrant } from './engine';
import { formOf, type HttpRequest, type HttpResponse, isForm, seeOther } from './http';
import { grantKey, personKey, upstreamKey, upstreamTokenKey } from './keys';
import { logEvent, logProblem } from './log';
import { consentPage } from './pages/consent-page';
import { errorPage, notAllowedPage, upstreamDownPage } from './pages/error-page';
import type { Presentation, Presentations } from './pages/presentation';
import { BY_OPERATORS } from './pre-registered-client';
import { describeRedirect } from './redirect-uri';
import { type Resources, withImplied } from './resources';
import {
  type Person,
  PersonNotAllowed,
  type Upstream,
  type UpstreamChecks,
  UpstreamRefused,
  UpstreamUnavailable,
} from './upstream';
import type { UpstreamRecheck } from './upstream-recheck';

/** Seconds that upstream's answer may take (MCP security best practices: 10 minutes). */
const STATE_LIFETIME = 10 * 60;

/** What a consent remembers until upstream answers. */
interface UpstreamTransaction {
  readonly attempt: string;
  /** As the client called itself then. */
  readonly clientName?: string;
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
    private readonly store: Store,
    private readonly resources: Resources,
    private readonly upstream: Upstream,
    private readonly recheck: UpstreamRecheck,
    private readonly presentations: Presentations,
  ) {}

  /** GET /interaction/{uid} */
  async showConsent(engine: Provider, request: HttpRequest, uid: string): Promise<HttpResponse> {
    const presentation = this.#presentationFor(request);
    const open = await this.#open(engine, request, uid, presentation);
    if ('status' in open) return open;
    const { interaction, client, resource, binding } = open;
    const scopes = scopesOf(interaction);
    return consentPage(presentation, {
      action: pathOf(uid),
      formToken: binding.formToken,
      otherAccount: new URLSearchParams(request.query).get('account') === 'other',
      clientName: displayable(client.clientName ?? '') || displayable(client.clientId),
      publisher: publisherOf(client.clientId),
      byOperators: client[BY_OPERATORS] === true,
      redirectUri: String(interaction.params.redirect_uri),
      resource: { name: resource.name ?? new URL(resource.identifier).host, identifier: resource.identifier },
      scopes: withImplied(resource, scopes),
      identifies: scopes.includes('openid'),
      staysConnected: client.grantTypeAllowed('refresh_token'),
      upstream: await this.upstream.signInAddress(),
    });
  }

  /** POST /interaction/{uid}: the person's decision. */
  async decide(engine: Provider, request: HttpRequest, uid: string): Promise<HttpResponse> {
    const presentation = this.#presentationFor(request);
    const open = await this.#open(engine, request, uid, presentation);
    if ('status' in open) return open;
    const { interaction, client, binding } = open;
    const { clientId } = client;
    const form = isForm(request) ? formOf(request) : new URLSearchParams();
    const fromElsewhere = !['same-origin', undefined].includes(request.headers['sec-fetch-site']);
    if (fromElsewhere || !binding.isFormToken(form.get('token'))) {
      return errorPage(presentation, 'forged', { fields: { clientId } });
    }

    const decision = form.get('decision');
    if (decision === 'leave') {
      logEvent('sign_in.left', { clientId });
      return finish(interaction, { error: 'access_denied', error_description: 'This account may not sign in here' });
    }
    if (decision !== 'allow') {
      logEvent('consent.refused', { clientId });
      return finish(interaction, { error: 'access_denied', error_description: 'The person refused' });
    }

    const attempt = randomBytes(16).toString('base64url');
    const checks = checksOf(binding, uid, attempt);
    let location: string;
    try {
      location = await this.upstream.authorizationUrl(checks, form.get('account') === 'other');
    } catch (error) {
      return upstreamProblem(error, presentation, uid);
    }
    const transaction: UpstreamTransaction = { attempt, clientName: client.clientName, consentedAt: now() };
    const expires = Math.min(interaction.exp, now() + STATE_LIFETIME);
    await this.store.set(upstreamKey(uid, checks.state), transaction, expires * 1000);
    logEvent('consent.given', { clientId });
    return seeOther(location);
  }

  /** GET /callback: upstream's answer. */
  async callback(engine: Provider, request: HttpRequest): Promise<HttpResponse> {
    const presentation = this.#presentationFor(request);
    const state = new URLSearchParams(request.query).get('state') ?? '';
    const found = BrowserBinding.forState(request.headers.cookie, state);
    if (!found) return errorPage(presentation, 'otherBrowser');
    const { uid, binding } = found;
    const key = upstreamKey(uid, state);
    const [open, [record]] = await Promise.all([
      this.#open(engine, request, uid, presentation),
      this.store.read([key]),
    ]);
    if ('status' in open) return open;
    const { clientId } = open.client;
    const transaction = record?.value as UpstreamTransaction | undefined;
    if (!transaction) return errorPage(presentation, 'expired', { fields: { clientId } });
    const checks = checksOf(binding, uid, transaction.attempt);
    if (!(await this.store.consume(key, { now: now() }))) {
      return errorPage(presentation, 'used', { fields: { clientId } });
    }

    try {
      const person = await this.upstream.person(request.query, checks);
      return await this.#grant(engine, open, person, transaction);
    } catch (error) {
      if (error instanceof PersonNotAllowed) return notAllowed(error, presentation, uid, open);
      if (!(error instanceof UpstreamRefused)) return upstreamProblem(error, presentation, uid);
      logProblem('upstream.refused', error.cause ?? error, { clientId });
      return finish(open.interaction, { error: error.code, error_description: error.message });
    }
  }

  /** Records the consent of this person and lets the engine issue the code. */
  async #grant(
    engine: Provider,
    open: OpenSignIn,
    person: Person,
    { clientName, consentedAt }: UpstreamTransaction,
  ): Promise<HttpResponse> {
    const { interaction, client, resource } = open;
    const scopes = scopesOf(interaction);
    const grant = new engine.Grant({ accountId: person.sub, clientId: client.clientId }) as InstanceType<
      Provider['Grant']
    > &
      PersonalGrant;
    grant.jti = randomBytes(32).toString('base64url');
    const names = withImplied(resource, scopes).map(({ name }) => name);
    grant.addResourceScope(resource.identifier, names.join(' '));
    grant.addOIDCScope(scopes.filter((scope) => !names.includes(scope)).join(' '));
    grant.personClaims = person.claims;
    grant.upstreamClaims = person.upstreamClaims;
    grant.customData = person.customData;
    const consent: ConsentRecord = {
      clientId: client.clientId,
      clientName,
      resource: resource.identifier,
      scopes: names,
      consentedAt,
    };

    const expires = now() + grant.remainingTTL;
    // All of it before the code: a grant that is not listed under its person could not be ended with the others.
    await Promise.all([
      grant.save(),
      this.store.set(personKey(person.sub, grant.jti), consent, expires * 1000),
      person.refreshToken && this.recheck.remember(grant.jti, person.refreshToken, expires),
    ]);
    const login = { accountId: person.sub, remember: false };
    let response: HttpResponse;
    try {
      response = await finish(interaction, { login, consent: { grantId: grant.jti } });
    } catch (error) {
      if (error instanceof AlreadyDecided) await this.#forget(grant.jti, person.sub);
      throw error;
    }
    logEvent('person.signed_in', { clientId: client.clientId, sub: person.sub });
    return response;
  }

  /** A grant that no code leads to. */
  async #forget(grantId: string, sub: string): Promise<void> {
    await this.store.deleteMany([grantKey(grantId), upstreamTokenKey(grantId), personKey(sub, grantId)]);
  }

  /** The sign-in `uid`, if this browser began it and it is still open; else the page that says why not. */
  async #open(
    engine: Provider,
    request: HttpRequest,
    uid: string,
    presentation: Presentation,
  ): Promise<OpenSignIn | HttpResponse> {
    const interaction = await engine.Interaction.find(uid);
    // First, for the browser that has finished it has let its secret go: the back button leads here.
    if (!interaction) return errorPage(presentation, 'expired');
    const clientId = String(interaction.params.client_id);
    if (interaction.result) return errorPage(presentation, 'used', { fields: { clientId } });
    const binding = BrowserBinding.of(request.headers.cookie, uid);
    if (!binding?.matches(interaction.params.browser_binding)) return errorPage(presentation, 'otherBrowser');
    const [client, catalogue] = await Promise.all([engine.Client.find(clientId), this.resources.catalogue()]);
    const resource = catalogue.find(String(interaction.params.resource));
    if (!client) return errorPage(presentation, 'unknownClient', { fields: { clientId } });
    // The client's metadata may be another by now than it was at /authorize, where the engine has looked at it.
    if (!client.redirectUriAllowed(String(interaction.params.redirect_uri))) {
      return errorPage(presentation, 'brokenRedirect', { fields: { clientId } });
    }
    if (!resource) return errorPage(presentation, 'expired', { fields: { clientId } });
    return { interaction, client, resource, binding };
  }

  #presentationFor(request: HttpRequest): Presentation {
    return this.presentations.for(request.headers['accept-language']);
  }
}

function upstreamProblem(error: unknown, presentation: Presentation, uid: string): HttpResponse {
  if (!(error instanceof UpstreamUnavailable)) throw error;
  return upstreamDownPage(presentation, error.cause ?? error, pathOf(uid));
}

/** The sign-in stays open: the state is used up, and another attempt makes another. */
function notAllowed(
  { account, claim }: PersonNotAllowed,
  presentation: Presentation,
  uid: string,
  { interaction, client, binding }: OpenSignIn,
): HttpResponse {
  return notAllowedPage(presentation, {
    account: account && displayable(account),
    clientId: client.clientId,
    claim,
    action: pathOf(uid),
    formToken: binding.formToken,
    cspSource: describeRedirect(String(interaction.params.redirect_uri)).cspSource,
  });
}

/** The page that belongs to a sign-in. */
function pathOf(uid: string): string {
  return `/interaction/${encodeURIComponent(uid)}`;
}

function scopesOf(interaction: Interaction): string[] {
  return String(interaction.params.scope).split(' ');
}

function checksOf(binding: BrowserBinding, uid: string, attempt: string): UpstreamChecks {
  return {
    state: binding.state(uid, attempt),
    nonce: binding.nonce(attempt),
    codeVerifier: binding.codeVerifier(attempt),
  };
}

/**
 * Hands the sign-in's result back to the engine, which answers the client.
 *
 * @throws AlreadyDecided where another result was there first
 */
async function finish(interaction: Interaction, result: InteractionResults): Promise<HttpResponse> {
  interaction.result = result;
  await interaction.save(interaction.exp - now());
  return seeOther(interaction.returnTo);
}
