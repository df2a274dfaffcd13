import { RetentionDays } from 'aws-cdk-lib/aws-logs';
import type { Construct } from 'constructs';
import { McpOidcAuthBase } from './mcp-oidc-auth-base';
import type { ProtectedResourceProps } from './resource';
import { checkUrl, refuse } from './validation';

/** What identifies an authorization server of another app. */
export interface McpOidcAuthAttributes {
  /**
   * The issuer identifier: `issuer` of the McpOidcAuth there.
   */
  readonly issuer: string;

  /**
   * `dpop` of the McpOidcAuth there.
   *
   * @default false
   */
  readonly dpop?: boolean;
}

/** An authorization server of another app. Made by `McpOidcAuth.fromIssuer`. */
export class ImportedMcpOidcAuth extends McpOidcAuthBase {
  readonly issuer: string;
  readonly dpop: boolean;
  protected readonly logs = { retention: RetentionDays.ONE_MONTH };
  protected readonly tracingEnabled = false;

  constructor(scope: Construct, id: string, { issuer, dpop = false }: McpOidcAuthAttributes) {
    super(scope, id);
    const url = checkUrl('issuer', issuer);
    if (url && url.origin !== issuer) {
      refuse(`issuer must be without a path and a trailing slash, '${url.origin}', got '${issuer}'.`);
    }
    this.issuer = issuer;
    this.dpop = dpop;
  }

  /** Its own app names the resource. */
  protected register(_scope: Construct, _id: string, { identifier, upstreamTokens }: ProtectedResourceProps): void {
    if (upstreamTokens) {
      refuse(
        `upstreamTokens of '${identifier}' must be in 'resources' of the McpOidcAuth that issues its tokens; nothing here could register it.`,
      );
    }
  }

  /** Alarms belong to the app that has the server. */
  protected watch(): void {}
}
