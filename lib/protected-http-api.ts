import { Annotations, Validations } from 'aws-cdk-lib';
import {
  type HttpApi,
  type HttpMethod,
  HttpNoneAuthorizer,
  type HttpRouteIntegration,
} from 'aws-cdk-lib/aws-apigatewayv2';
import { HttpLambdaAuthorizer, HttpLambdaResponseType } from 'aws-cdk-lib/aws-apigatewayv2-authorizers';
import { HttpLambdaIntegration } from 'aws-cdk-lib/aws-apigatewayv2-integrations';
import type { ILogGroup } from 'aws-cdk-lib/aws-logs';
import { ProtectedApi } from './protected-api';
import {
  checkProtection,
  MCP_METHODS,
  Protection,
  type ProtectionProps,
  PUBLIC_METADATA,
  type TrustedIssuer,
} from './protection';
import { refuse } from './validation';

/** An MCP server on an HTTP API. */
export interface ProtectHttpApiProps extends ProtectionProps {
  /**
   * The MCP server, for example `new HttpLambdaIntegration('Mcp', fn)`.
   */
  readonly integration: HttpRouteIntegration;
}

/** An MCP server behind the authorizer on an HTTP API. Made by `protectHttpApi`. */
export class ProtectedHttpApi extends ProtectedApi {
  /** The authorizer, for further routes of the same API. */
  readonly authorizer: HttpLambdaAuthorizer;
  readonly identifier: string;
  readonly issuer: string;
  /** Where MCP clients connect. */
  readonly url: string;
  /** The protected resource metadata (RFC 9728). */
  readonly metadataUrl: string;
  /** @internal */
  readonly _authorizerLogs: ILogGroup;

  /** @internal */
  constructor(api: HttpApi, id: string, trusted: TrustedIssuer, props: ProtectHttpApiProps) {
    if (api.node.tryFindChild(id)) {
      refuse(
        `${api.node.path} must have one MCP resource, because it has one well-known path for metadata. Use one HttpApi for each.`,
      );
    }
    const path = checkProtection(props, trusted.dpop);
    super(api, id);
    const protection = new Protection(trusted, props, props.identifier ?? `${executeApiUrl(api)}${path}`, path);
    this.issuer = trusted.issuer;
    this.identifier = protection.identifier;
    this.url = protection.identifier;
    this.metadataUrl = protection.metadataUrl;

    const authorizer = protection.authorizerFunction(this);
    this._authorizerLogs = authorizer.logGroup;
    this.authorizer = new HttpLambdaAuthorizer('McpAuthorizer', authorizer, {
      responseTypes: [HttpLambdaResponseType.SIMPLE],
      resultsCacheTtl: protection.resultsCacheTtl,
    });
    api.addRoutes({
      path: path || '/',
      methods: MCP_METHODS as HttpMethod[],
      integration: props.integration,
      authorizer: this.authorizer,
    });
    this.addMetadata(api, protection);
    Annotations.of(this).addWarningV2(
      'mcp-oidc-auth:httpApiNoChallenge',
      'HTTP APIs cannot send WWW-Authenticate with a 401 or 403: MCP clients must find the metadata at its well-known path, and get no step-up to ' +
        'further scopes. Use protectRestApi where clients need the challenge.',
    );
  }

  /** The metadata, and the preflight of the MCP server, from a function: an HTTP API has no answers of its own. */
  private addMetadata(api: HttpApi, protection: Protection): void {
    const integration = new HttpLambdaIntegration('McpMetadata', protection.metadataFunction(this), {
      scopePermissionToRoute: false,
    });
    // Said for each route, because the API may have a default authorizer.
    const authorizer = new HttpNoneAuthorizer();
    const open = (path: string, methods: string[]) => {
      for (const route of api.addRoutes({ path, methods: methods as HttpMethod[], integration, authorizer })) {
        Validations.of(route).acknowledge({ id: 'AwsSolutions::AwsSolutions-APIG4', reason: PUBLIC_METADATA });
      }
    };
    for (const path of protection.metadataPaths) {
      open(path, ['GET', 'HEAD', 'OPTIONS']);
    }
    open(protection.path || '/', ['OPTIONS']);
  }
}

function executeApiUrl(api: HttpApi): string {
  if (!api.defaultStage || api.disableExecuteApiEndpoint) {
    refuse(
      `identifier must be given for ${api.node.path}, because it has no $default stage or no execute-api endpoint.`,
    );
  }
  return api.apiEndpoint;
}
