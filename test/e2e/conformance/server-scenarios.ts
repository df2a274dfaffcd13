/** The revisions of MCP that the example server speaks. */
export const REVISIONS = ['2025-11-25', '2026-07-28'] as const;

/** The scenarios that the example server has to pass: what concerns authorization and transport, and whatever else it can. */
export const APPLICABLE: Readonly<Record<(typeof REVISIONS)[number], readonly string[]>> = {
  '2025-11-25': ['server-initialize', 'ping', 'tools-list', 'dns-rebinding-protection'],
  '2026-07-28': [
    'server-stateless',
    'tools-list',
    'server-sse-multiple-streams',
    'dns-rebinding-protection',
    'caching',
    'http-header-validation',
    'input-required-result-unsupported-methods',
    'input-required-result-validate-input',
  ],
};

/** Scenarios that an MCP server which keeps notes cannot pass, by the reason why. */
const NOT_APPLICABLE: Readonly<Record<string, readonly string[]>> = {
  'calls tools that only a server made for this suite has': [
    'elicitation-sep1034-defaults',
    'elicitation-sep1330-enums',
    'input-required-result-basic-elicitation',
    'input-required-result-basic-list-roots',
    'input-required-result-basic-sampling',
    'input-required-result-capability-check',
    'input-required-result-ignore-extra-params',
    'input-required-result-missing-input-response',
    'input-required-result-multi-round',
    'input-required-result-multiple-input-requests',
    'input-required-result-request-state',
    'input-required-result-result-type',
    'input-required-result-tampered-state',
    'json-schema-2020-12',
    'tools-call-audio',
    'tools-call-elicitation',
    'tools-call-embedded-resource',
    'tools-call-error',
    'tools-call-image',
    'tools-call-mixed-content',
    'tools-call-sampling',
    'tools-call-simple-text',
    'tools-call-with-logging',
    'tools-call-with-progress',
  ],
  'the server has no prompts': [
    'input-required-result-non-tool-request',
    'prompts-get-embedded-resource',
    'prompts-get-simple',
    'prompts-get-with-args',
    'prompts-get-with-image',
    'prompts-list',
  ],
  'the server has no resources': [
    'resources-list',
    'resources-read-binary',
    'resources-read-text',
    'resources-subscribe',
    'resources-templates-read',
    'resources-unsubscribe',
    'sep-2164-resource-not-found',
  ],
  'the server completes nothing': ['completion-complete'],
  'the server sends no log messages': ['logging-set-level'],
  'no parameter of its tools is mirrored into a header (x-mcp-header is optional)': [
    'http-custom-header-server-validation',
  ],
};

/** The same where it is one revision's transport that makes the difference: there the server has no sessions, which are optional. */
const NOT_APPLICABLE_IN: Readonly<Record<(typeof REVISIONS)[number], readonly string[]>> = {
  '2025-11-25': ['server-session-lifecycle', 'server-sse-polling', 'server-sse-multiple-streams'],
  '2026-07-28': [],
};

/** Single checks of applicable scenarios that do not apply, by the reason why. */
const CHECKS_NOT_APPLICABLE: Readonly<Record<string, readonly string[]>> = {
  'call tools that only a server made for this suite has': [
    'sep-2575-server-rejects-undeclared-capability',
    'sep-2575-missing-capability-http-400',
    'sep-2575-http-server-no-independent-requests-on-stream',
    'sep-2575-server-no-log-without-loglevel',
  ],
  'the tools and prompts of the server never change': [
    'sep-2575-server-sends-prompts-list-changed-on-subscription',
    'sep-2575-server-sends-tools-list-changed-on-subscription',
  ],
  'the server has no prompts and no resources': [
    'sep-2549-prompts-list-caching-hints',
    'sep-2549-resources-list-caching-hints',
    'sep-2549-resources-templates-list-caching-hints',
    'sep-2549-resources-read-caching-hints',
  ],
};

export function notApplicable(revision: (typeof REVISIONS)[number]): Set<string> {
  return new Set([...Object.values(NOT_APPLICABLE).flat(), ...NOT_APPLICABLE_IN[revision]]);
}

export const CHECKS_THAT_DO_NOT_APPLY: ReadonlySet<string> = new Set(Object.values(CHECKS_NOT_APPLICABLE).flat());
