import { randomBytes } from 'node:crypto';
import type { Client, Interaction, InteractionResults, Provider } from 'oidc-provider';
import type { ResourceRecord } from '../../lib/contract';
import type { Store } from '../store/store';
import { askedAuthentication, checkAuthentication } from './asked-authentication';
import { BrowserBinding } from './browser-binding';
import { publisherOf } from './client-metadata/client-id-url';
import { now } from './clock';
import type { ConsentedGrants } from './consented-grant';
import { displayable } from './displayable';
import { formOf, type HttpRequest, type HttpResponse, isForm, seeOther } from './http';
import { clientKeyOf, decisionKey, interactionKey, upstreamKey } from './keys';
import { logEvent, logProblem } from './log';
import { consentPage } from './pages/consent-page';
import { errorPage, notAllowedPage, upstreamDownPage } from './pages/error-page';
import type { Presentation, Presentations } from './pages/presentation';
import { BY_OPERATORS } from './pre-registered-client';
import { describeRedirect } from './redirect-uri';
import { type Resources, withImplied } from './resources';
import { currentUnitOfWork, UnitOfWork } from './unit-of-work';
import type { Person, Upstream, UpstreamChecks } from './upstream';
import { PersonNotAllowed, UpstreamRefused, UpstreamUnavailable } from './upstream-errors';

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

/** The engine's answer to a sign-in that has its result. */
type Resume = (uid: string) => Promise<HttpResponse>;

/** The browser that asks for a sign-in. */
interface Browser {
  /** What it holds for that sign-in, if anything. */
  readonly binding: BrowserBinding | undefined;
  readonly presentation: Presentation;
}

/** A sign-in that is open in this browser. */
interface OpenSignIn extends Browser {
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
    private readonly upstream: () => Promise<Upstream>,
    private readonly grants: ConsentedGrants,
    private readonly presentations: Presentations,
  ) {}

  /** GET /interaction/{uid} */
  async showConsent(engine: Provider, request: HttpRequest, uid: string): Promise<HttpResponse> {
    const binding = BrowserBinding.of(request.headers.cookie, uid);
    const browser = { binding, presentation: this.#presentationFor(request) };
    return this.#whileOpen(engine, uid, browser, [], (open) => this.#showConsent(request, open));
  }

  async #showConsent(request: HttpRequest, open: OpenSignIn): Promise<HttpResponse> {
    const { interaction, client, resource, binding, presentation } = open;
    const scopes = scopesOf(interaction);
    return consentPage(presentation, {
      action: pathOf(interaction.uid),
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
      actsUpstream: resource.upstreamTokens === true,
      upstream: await (await this.upstream()).signInAddress(),
    });
  }

  /** POST /interaction/{uid}: the person's decision. */
  async decide(engine: Provider, request: HttpRequest, uid: string): Promise<HttpResponse> {
    const binding = BrowserBinding.of(request.headers.cookie, uid);
    const browser = { binding, presentation: this.#presentationFor(request) };
    return this.#whileOpen(engine, uid, browser, [], (open) => this.#decide(request, open));
  }

  async #decide(
    request: HttpRequest,
    { interaction, client, binding, presentation }: OpenSignIn,
  ): Promise<HttpResponse> {
    const { uid } = interaction;
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
      const otherAccount = form.get('account') === 'other';
      location = await (await this.upstream()).authorizationUrl(checks, askedAuthentication(interaction), otherAccount);
    } catch (error) {
      return upstreamProblem(error, presentation, uid);
    }
    const transaction: UpstreamTransaction = { attempt, clientName: client.clientName, consentedAt: now() };
    const expires = Math.min(interaction.exp, now() + STATE_LIFETIME);
    await this.store.set(upstreamKey(uid, checks.state), transaction, expires * 1000);
    logEvent('consent.given', { clientId });
    return seeOther(location);
  }

  /**
   * GET /callback: upstream's answer.
   *
   * @param resume lets the engine answer the client, as it does where it resumes the sign-in
   */
  async callback(engine: Provider, request: HttpRequest, resume: Resume): Promise<HttpResponse> {
    const presentation = this.#presentationFor(request);
    const state = new URLSearchParams(request.query).get('state') ?? '';
    const found = BrowserBinding.forState(request.headers.cookie, state);
    if (!found) return errorPage(presentation, 'otherBrowser');
    const { uid, binding } = found;
    const key = upstreamKey(uid, state);
    return this.#whileOpen(engine, uid, { binding, presentation }, [key], (open, unit) =>
      this.#callback(engine, request, open, { unit, key, resume }),
    );
  }

  async #callback(
    engine: Provider,
    request: HttpRequest,
    open: OpenSignIn,
    { unit, key, resume }: { readonly unit: UnitOfWork; readonly key: string; readonly resume: Resume },
  ): Promise<HttpResponse> {
    const { interaction, client, resource, binding, presentation } = open;
    const { uid } = interaction;
    const { clientId } = client;
    const transaction = unit.get(key)?.value as UpstreamTransaction | undefined;
    if (!transaction) return errorPage(presentation, 'expired', { fields: { clientId } });
    const checks = checksOf(binding, uid, transaction.attempt);
    // At once, and not with the rest: of two answers with one state only one may go on to ask upstream.
    if (!(await this.store.consume(key, { now: now() }))) {
      return errorPage(presentation, 'used', { fields: { clientId } });
    }

    try {
      const person = await (await this.upstream()).person(request.query, checks);
      const { clientName, consentedAt } = transaction;
      checkAuthentication(askedAuthentication(interaction), person, consentedAt);
      const consent = { client, clientName, resource, scopes: scopesOf(interaction), consentedAt };
      const grantId = await this.grants.collect(engine, consent, person, unit);
      return await this.#finish(open, person, grantId, { unit, resume });
    } catch (error) {
      if (error instanceof PersonNotAllowed) return notAllowed(error, open);
      if (!(error instanceof UpstreamRefused)) return upstreamProblem(error, presentation, uid);
      logProblem('upstream.refused', error.cause ?? error, { clientId, answer: error.code });
      return finish(interaction, { error: error.code, error_description: error.message });
    }
  }

  /**
   * Lets the engine issue the code, and writes all that belongs to the sign-in side by side: the end of the interaction, which is
   * what happens once, the grant, its entry in the list of the person, without which it could not be ended with the others, and the
   * code. Nobody hears of the code before all of it is written; what was written beside something that failed, nothing leads to.
   */
  async #finish(
    { interaction, client: { clientId }, presentation }: OpenSignIn,
    person: Person,
    grantId: string,
    { unit, resume }: { readonly unit: UnitOfWork; readonly resume: Resume },
  ): Promise<HttpResponse> {
    const login = { accountId: person.sub, remember: false, ts: person.authenticatedAt };
    const result: InteractionResults = { login, consent: { grantId } };
    unit.expect({ key: decisionKey(interaction.uid), value: { result } });
    const response = await resume(interaction.uid);
    // A page that says why there is no code, or an error for the client.
    if (!URL.parse(response.headers.location ?? '')?.searchParams.has('code')) return response;
    if (!(await unit.commit())) {
      await this.grants.forget(grantId, person.sub);
      return errorPage(presentation, 'used', { fields: { clientId } });
    }
    logEvent('person.signed_in', { clientId, sub: person.sub });
    logEvent('code.issued', { clientId, sub: person.sub });
    return response;
  }

  /**
   * Answers about the sign-in `uid` where it is open in this browser, and else with the page that says why it is not. The sign-in's records and
   * that of the client that it is for are one read.
   *
   * @param more keys of records that are read with them
   */
  async #whileOpen(
    engine: Provider,
    uid: string,
    browser: Browser,
    more: readonly string[],
    answer: (open: OpenSignIn, unit: UnitOfWork) => Promise<HttpResponse>,
  ): Promise<HttpResponse> {
    const client = browser.binding ? [clientKeyOf(browser.binding.clientHash)] : [];
    const keys = [interactionKey(uid), decisionKey(uid), ...client, ...more];
    const unit = await UnitOfWork.begin(this.store, keys, 'sign-in');
    return currentUnitOfWork.run(unit, async () => {
      const open = await this.#open(engine, uid, browser);
      return 'status' in open ? open : answer(open, unit);
    });
  }

  /** The sign-in `uid`, if this browser began it and it is still open; else the page that says why not. */
  async #open(engine: Provider, uid: string, { binding, presentation }: Browser): Promise<OpenSignIn | HttpResponse> {
    const interaction = await engine.Interaction.find(uid);
    // First, for the browser that has finished it has let its secret go: the back button leads here.
    if (!interaction) return errorPage(presentation, 'expired');
    const clientId = String(interaction.params.client_id);
    if (interaction.result) return errorPage(presentation, 'used', { fields: { clientId } });
    if (!binding?.matches(interaction.params.browser_binding)) return errorPage(presentation, 'otherBrowser');
    const [client, catalogue] = await Promise.all([engine.Client.find(clientId), this.resources.catalogue()]);
    const resource = catalogue.find(String(interaction.params.resource));
    if (!client) return errorPage(presentation, 'unknownClient', { fields: { clientId } });
    // The client's metadata may be another by now than it was at /authorize, where the engine has looked at it.
    if (!client.redirectUriAllowed(String(interaction.params.redirect_uri))) {
      return errorPage(presentation, 'brokenRedirect', { fields: { clientId } });
    }
    if (!resource) return errorPage(presentation, 'expired', { fields: { clientId } });
    return { interaction, client, resource, binding, presentation };
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
  { interaction, client, binding, presentation }: OpenSignIn,
): HttpResponse {
  return notAllowedPage(presentation, {
    account: displayable(account ?? '') || undefined,
    clientId: client.clientId,
    claim,
    action: pathOf(interaction.uid),
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
