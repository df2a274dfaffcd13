import type { RestApi } from 'aws-cdk-lib/aws-apigateway';
import type { HttpApi } from 'aws-cdk-lib/aws-apigatewayv2';
import type { RetentionDays } from 'aws-cdk-lib/aws-logs';
import { Construct, type IConstruct } from 'constructs';
import { ProtectedHttpApi, type ProtectHttpApiProps } from './protected-http-api';
import { ProtectedRestApi, type ProtectRestApiProps } from './protected-rest-api';
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
}

/** The id, below the API, of everything that protecting it adds. */
const PROTECTION_ID = 'McpOidcAuth';

/** What an authorization server can do for MCP servers, wherever it is itself. */
export abstract class McpOidcAuthBase extends Construct implements IMcpOidcAuth {
  abstract readonly issuer: string;
  /** Whether tokens may be bound to a key (RFC 9449). */
  abstract readonly dpop: boolean;
  protected abstract readonly logRetention: RetentionDays;

  get discoveryUrl(): string {
    return `${this.issuer}/.well-known/openid-configuration`;
  }

  get jwksUrl(): string {
    return `${this.issuer}/jwks`;
  }

  protectRestApi(api: RestApi, props: ProtectRestApiProps): ProtectedRestApi {
    const { issuer, jwksUrl, dpop, logRetention } = this;
    const protectedApi = new ProtectedRestApi(api, PROTECTION_ID, { issuer, jwksUrl, dpop, logRetention }, props);
    this.register(protectedApi, 'Registration', { ...props, identifier: protectedApi.identifier });
    return protectedApi;
  }

  protectHttpApi(api: HttpApi, props: ProtectHttpApiProps): ProtectedHttpApi {
    const { issuer, jwksUrl, dpop, logRetention } = this;
    const protectedApi = new ProtectedHttpApi(api, PROTECTION_ID, { issuer, jwksUrl, dpop, logRetention }, props);
    this.register(protectedApi, 'Registration', { ...props, identifier: protectedApi.identifier });
    return protectedApi;
  }

  /** Makes the resource known to the authorization server at deployment. */
  protected abstract register(scope: Construct, id: string, resource: ProtectedResourceProps): void;
}
