import { Duration } from 'aws-cdk-lib';
import type { Function as LambdaFunction } from 'aws-cdk-lib/aws-lambda';
import type { Construct } from 'constructs';
import { bundledFunction, configure } from './bundled-function';
import { type AuthorizerConfig, DPOP_ALGORITHMS } from './contract';
import type { LogKeeping } from './log-group';
import { checkIdentifier, checkResourceScopes, defaultScopes, type ResourceScope } from './resource';
import { checkKnownScopes } from './resource-rules';
import { checkDuration, mustBe, refuse } from './validation';

/** What protecting an MCP server takes on any kind of API. */
export interface ProtectionProps {
  /**
   * At least one scope. Those with `default` are asked for when a client asks for none.
   */
  readonly scopes: ResourceScope[];

  /**
   * Scopes that every call needs.
   *
   * @default - the default scopes
   */
  readonly requiredScopes?: string[];

  /**
   * Further scopes that a call of a tool needs, by the tool's name. The authorizer reads the name from the `Mcp-Name` header
   * (MCP 2026-07-28) to make the challenge early; the guard is `requireScope` of `mcp-oidc-auth/bearer` in the handler.
   * With tool scopes the authorizer's result cache is off.
   *
   * @default - none
   */
  readonly toolScopes?: { [tool: string]: string[] };

  /**
   * Where the MCP server is, below the stage. Literal segments only.
   *
   * @default '/mcp'
   */
  readonly path?: string;

  /**
   * The resource identifier: the URL that clients use for the MCP server, which ends with `path`. Needed with a custom domain.
   *
   * @default - the API's URL + `path`
   */
  readonly identifier?: string;

  /**
   * What people read on the consent page.
   *
   * @default - the identifier's host
   */
  readonly name?: string;

  /**
   * Whether this resource is meant by requests without `resource` where several resources are registered. At most one resource.
   *
   * @default false
   */
  readonly default?: boolean;

  /**
   * Whether the MCP server may act for people at the upstream identity provider: it gets their upstream access tokens by token exchange (RFC 8693), with
   * the credential that `grantUpstreamTokens` makes. The consent page says so, and upstream's tokens are kept encrypted with what a person has granted.
   *
   * @default false
   */
  readonly upstreamTokens?: boolean;

  /**
   * Claims of the access token that the handler gets, beside `sub`, `client_id` and `scope`.
   *
   * @default - none
   */
  readonly claims?: string[];

  /**
   * How long an authorizer's decision is reused for the same Authorization header. At most 1 hour.
   *
   * @default Duration.seconds(60), or 0 with `toolScopes` or `dpop`
   */
  readonly resultsCacheTtl?: Duration;
}

/** The authorization server that an MCP server trusts. */
export interface TrustedIssuer {
  readonly issuer: string;
  readonly jwksUrl: string;
  /** Whether tokens may be bound to a key (RFC 9449). */
  readonly dpop: boolean;
  readonly logs: LogKeeping;
  readonly tracingEnabled: boolean;
}

/** RFC 9728 section 3. */
const METADATA_PATH = '/.well-known/oauth-protected-resource';

/** Why cdk-nag may find no authorizer there: what users of cdk-nag would otherwise have to find out themselves. */
export const PUBLIC_METADATA =
  'A client reads protected resource metadata (RFC 9728), and a browser sends its preflight, before there is a token.';

/** The methods of MCP's Streamable HTTP transport. */
export const MCP_METHODS = ['GET', 'POST', 'DELETE'];

/** Taken already: the last three by API Gateway, the others by the authorizer. */
const HANDED_ON_CLAIMS = ['sub', 'client_id', 'scope', 'claims', 'principalId', 'integrationLatency'];

/** Checks everything that can be known before the API's URL. Gives the path, '' for the root. */
export function checkProtection(props: ProtectionProps, dpop: boolean): string {
  const path = checkPath(props.path ?? '/mcp');
  checkResourceScopes(`'${path || '/'}'`, props.scopes);
  const known = props.scopes.map((scope) => scope.name);
  if (props.requiredScopes?.length === 0) {
    refuse('requiredScopes must name at least one scope, got none.');
  }
  checkKnownScopes(mustBe, 'requiredScopes', props.requiredScopes ?? [], known);
  for (const [tool, scopes] of Object.entries(props.toolScopes ?? {})) {
    checkKnownScopes(mustBe, `toolScopes of '${tool}'`, scopes, known);
  }
  const reserved = (props.claims ?? []).find((claim) => HANDED_ON_CLAIMS.includes(claim));
  if (reserved !== undefined) {
    refuse(`claims must not have '${reserved}': the handler gets sub, client_id and scope anyway.`);
  }
  if (props.resultsCacheTtl) {
    checkDuration('resultsCacheTtl', props.resultsCacheTtl, { atMost: Duration.hours(1) });
    // A decision is kept for an Authorization header, whatever tool the next request with it calls.
    if (hasToolScopes(props) && props.resultsCacheTtl.toMilliseconds() > 0) {
      refuse(`resultsCacheTtl must be 0 with toolScopes, got ${props.resultsCacheTtl.toHumanString()}.`);
    }
    // Nor would the proof of the next request be looked at.
    if (dpop && props.resultsCacheTtl.toMilliseconds() > 0) {
      refuse(`resultsCacheTtl must be 0 with dpop, got ${props.resultsCacheTtl.toHumanString()}.`);
    }
  }
  return path;
}

function checkPath(path: string): string {
  if (path !== '/' && !/^(\/[A-Za-z0-9._:-]+)+$/.test(path)) {
    refuse(
      `path must be like '/mcp': literal segments of letters, digits and ._:- without a slash at the end, got '${path}'.`,
    );
  }
  return path === '/' ? '' : path;
}

function hasToolScopes(props: ProtectionProps): boolean {
  return Object.keys(props.toolScopes ?? {}).length > 0;
}

/** A protected resource as the API in front of it must know it. */
export class Protection {
  /** The API's own URL, to which paths are added. */
  private readonly base: string;
  readonly resultsCacheTtl: Duration;

  /**
   * @param identifier the resource identifier, the API's URL + `path`
   * @param path as `checkProtection` gives it
   */
  constructor(
    private readonly trusted: TrustedIssuer,
    private readonly props: ProtectionProps,
    readonly identifier: string,
    readonly path: string,
  ) {
    if (!identifier.endsWith(path)) {
      refuse(`identifier must end with the path '${path}', got '${identifier}'.`);
    }
    // Where fromIssuer() registers nothing, nothing else looks at it.
    checkIdentifier(identifier);
    this.base = identifier.slice(0, identifier.length - path.length);
    const decidesEachTime = hasToolScopes(props) || trusted.dpop;
    this.resultsCacheTtl = decidesEachTime ? Duration.seconds(0) : (props.resultsCacheTtl ?? Duration.seconds(60));
  }

  get metadataUrl(): string {
    return `${this.base}${METADATA_PATH}${this.path}`;
  }

  /** The root, and the form with the path, which clients try first (RFC 9728 section 3.1). */
  get metadataPaths(): string[] {
    return [...new Set([METADATA_PATH, `${METADATA_PATH}${this.path}`])];
  }

  /**
   * The scopes of the 401 challenge and of the metadata: the minimum, as MCP's authorization specification asks, but no less than every call
   * needs, or each first connection would end in a step-up.
   */
  get minimumScopes(): string[] {
    return this.inOrder([...defaultScopes(this.props.scopes), ...this.requiredScopes]);
  }

  /** Every scope that some call can need. */
  get neededScopes(): string[] {
    return this.inOrder([...this.requiredScopes, ...Object.values(this.props.toolScopes ?? {}).flat()]);
  }

  /** RFC 9449 section 7.1: what stands in a 401 beside the challenge for bearer tokens. */
  get dpopChallenge(): string | undefined {
    return this.trusted.dpop ? `DPoP algs="${DPOP_ALGORITHMS.join(' ')}"` : undefined;
  }

  /** RFC 9728 section 2. */
  get metadata(): Record<string, unknown> {
    return {
      resource: this.identifier,
      authorization_servers: [this.trusted.issuer],
      scopes_supported: this.minimumScopes,
      bearer_methods_supported: ['header'],
      ...(this.trusted.dpop && { dpop_signing_alg_values_supported: DPOP_ALGORITHMS }),
      ...(this.props.name !== undefined && { resource_name: this.props.name }),
    };
  }

  /** The function that decides about each request. It stands next to the API, wherever the authorization server is. */
  authorizerFunction(scope: Construct): LambdaFunction {
    const fn = bundledFunction(scope, 'AuthorizerFunction', {
      bundle: 'authorizer',
      description: 'Decides whether an access token may call the MCP server.',
      memorySize: 256,
      // What an HTTP API gives its authorizers.
      timeout: Duration.seconds(10),
      logs: this.trusted.logs,
      tracingEnabled: this.trusted.tracingEnabled,
    });
    configure(fn, this.authorizerConfig);
    return fn;
  }

  /** The function that answers for the metadata where the API cannot answer by itself. */
  metadataFunction(scope: Construct): LambdaFunction {
    const fn = bundledFunction(scope, 'MetadataFunction', {
      bundle: 'authorizer',
      export: 'metadata',
      description: 'Serves the protected resource metadata of the MCP server (RFC 9728).',
      memorySize: 256,
      timeout: Duration.seconds(10),
      logs: this.trusted.logs,
      tracingEnabled: this.trusted.tracingEnabled,
    });
    configure(fn, { ...this.authorizerConfig, metadata: this.metadata });
    return fn;
  }

  private get requiredScopes(): readonly string[] {
    return this.props.requiredScopes ?? defaultScopes(this.props.scopes);
  }

  /** In the order of their declaration. */
  private inOrder(names: readonly string[]): string[] {
    return this.props.scopes.map((scope) => scope.name).filter((name) => names.includes(name));
  }

  private get authorizerConfig(): AuthorizerConfig {
    return {
      issuer: this.trusted.issuer,
      jwksUri: this.trusted.jwksUrl,
      audience: this.identifier,
      scopes: this.requiredScopes,
      toolScopes: this.props.toolScopes ?? {},
      dpop: this.trusted.dpop,
      claims: this.props.claims ?? [],
    };
  }
}
