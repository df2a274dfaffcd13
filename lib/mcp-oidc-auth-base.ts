import type { RestApi } from 'aws-cdk-lib/aws-apigateway';
import type { HttpApi } from 'aws-cdk-lib/aws-apigatewayv2';
import type { Metric, MetricOptions } from 'aws-cdk-lib/aws-cloudwatch';
import type { Construct, IConstruct } from 'constructs';
import { IssuerMetrics } from './issuer-metrics';
import type { LogKeeping } from './log-group';
import type { ProtectedApi } from './protected-api';
import { ProtectedHttpApi, type ProtectHttpApiProps } from './protected-http-api';
import { ProtectedRestApi, type ProtectRestApiProps } from './protected-rest-api';
import type { TrustedIssuer } from './protection';
import type { ProtectedResourceProps } from './resource';

/** An authorization server for MCP servers. */
export interface IMcpOidcAuth extends IConstruct {
  /** The issuer identifier (RFC 8414 section 2), without a path and a trailing slash. */
  readonly issuer: string;

  /** `<issuer>/.well-known/openid-configuration` */
  readonly discoveryUrl: string;

  /** `<issuer>/jwks` */
  readonly jwksUrl: string;

  /** Whether tokens may be bound to a key of the client (RFC 9449). */
  readonly dpop: boolean;

  /**
   * Puts an MCP server behind the authorizer on a REST API: the methods at `path`, the protected resource metadata (RFC 9728) and the 401 and
   * 403 challenges (RFC 6750 section 3). One MCP resource per RestApi, which is in the account and region of McpOidcAuth.
   */
  protectRestApi(api: RestApi, props: ProtectRestApiProps): ProtectedRestApi;

  /**
   * Puts an MCP server behind the authorizer on an HTTP API, which cannot carry the challenges (`mcp-oidc-auth:httpApiNoChallenge`).
   * One MCP resource per HttpApi, which is in the account and region of McpOidcAuth.
   */
  protectHttpApi(api: HttpApi, props: ProtectHttpApiProps): ProtectedHttpApi;

  /** A metric of the authorization server, by its name: docs/operations.md has the list. It is in the account and region of McpOidcAuth. */
  metric(metricName: string, props?: MetricOptions): Metric;
}

/** The id, below the API, of everything that protecting it adds. */
const PROTECTION_ID = 'McpOidcAuth';

/** What an authorization server can do for MCP servers, wherever it is itself. */
export abstract class McpOidcAuthBase extends IssuerMetrics implements IMcpOidcAuth {
  /** Whether tokens may be bound to a key (RFC 9449). */
  abstract readonly dpop: boolean;
  protected abstract readonly logs: LogKeeping;
  protected abstract readonly tracingEnabled: boolean;

  get discoveryUrl(): string {
    return `${this.issuer}/.well-known/openid-configuration`;
  }

  get jwksUrl(): string {
    return `${this.issuer}/jwks`;
  }

  protectRestApi(api: RestApi, props: ProtectRestApiProps): ProtectedRestApi {
    const protectedApi = new ProtectedRestApi(api, PROTECTION_ID, this.trusted, props);
    this.register(protectedApi, 'Registration', { ...props, identifier: protectedApi.identifier });
    this.watch(protectedApi);
    return protectedApi;
  }

  protectHttpApi(api: HttpApi, props: ProtectHttpApiProps): ProtectedHttpApi {
    const protectedApi = new ProtectedHttpApi(api, PROTECTION_ID, this.trusted, props);
    this.register(protectedApi, 'Registration', { ...props, identifier: protectedApi.identifier });
    this.watch(protectedApi);
    return protectedApi;
  }

  private get trusted(): TrustedIssuer {
    const { issuer, jwksUrl, dpop, logs, tracingEnabled } = this;
    return { issuer, jwksUrl, dpop, logs, tracingEnabled };
  }

  /** Makes the resource known to the authorization server at deployment. */
  protected abstract register(scope: Construct, id: string, resource: ProtectedResourceProps): void;

  /** Makes alarms on what happens at the API, where there are any. */
  protected abstract watch(api: ProtectedApi): void;
}
