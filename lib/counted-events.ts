/**
 * The metrics, and the events of the log that they count: a part of the contract between the constructs (synth time) and the functions
 * (request time). Nothing here runs: constants and types only.
 */

/** The namespace of all metrics, and the names of their dimensions. */
export const METRICS_NAMESPACE = 'McpOidcAuth';
export const DIMENSIONS = { issuer: 'Issuer', resource: 'Resource', reason: 'Reason' } as const;

/** What a metric counts, by its name: lines of the log with these fields. */
export type CountedEvents = Readonly<Record<string, readonly Readonly<Record<string, string>>[]>>;

/** The metrics of the authorization server, by `Issuer`. */
export const SERVER_METRICS = {
  ClientsRegistered: [{ event: 'client.registered' }],
  RegistrationsLimited: [{ event: 'registration.limited' }],
  SignInsStarted: [{ event: 'sign_in.started' }],
  SignInsCompleted: [{ event: 'code.issued' }],
  TokensIssued: [{ event: 'token.issued' }],
  Refreshes: [{ event: 'token.issued', grantType: 'refresh_token' }],
  CodesReused: [{ event: 'code.reused' }],
  RefreshTokensReused: [{ event: 'refresh.reused' }],
  UpstreamFailures: [
    { event: 'upstream.unavailable' },
    { event: 'upstream.refused', answer: 'server_error' },
    { event: 'upstream.refused', answer: 'temporarily_unavailable' },
    { event: 'upstream.userinfo_refused' },
    { event: 'upstream.recheck_failed' },
    { event: 'upstream_token.renewal_failed' },
  ],
  SecretFailures: [{ event: 'secret.unavailable' }, { event: 'key_set.unusable' }],
  RequestsUnavailable: [{ event: 'request.unavailable' }],
  RequestsFailed: [{ event: 'request.failed' }],
} as const satisfies CountedEvents;

/** The metrics of an authorizer, by `Issuer` and `Resource`; `Denials` by `Reason` too. */
export const AUTHORIZER_METRICS = {
  Denials: [{ event: 'invalid_token' }, { event: 'insufficient_scope' }],
  KeySetFailures: [{ event: 'key_set_unavailable' }],
} as const satisfies CountedEvents;
