import { Stack, Validations } from 'aws-cdk-lib';
import {
  AuthorizationType,
  type CfnRestApi,
  type CfnStage,
  IdentitySource,
  type Integration,
  type IResource,
  RequestAuthorizer,
  type RestApi,
} from 'aws-cdk-lib/aws-apigateway';
import type { ILogGroup } from 'aws-cdk-lib/aws-logs';
import { CORS_PREFLIGHT } from './cors';
import { ProtectedApi } from './protected-api';
import {
  checkProtection,
  MCP_METHODS,
  Protection,
  type ProtectionProps,
  PUBLIC_METADATA,
  type TrustedIssuer,
} from './protection';
import { RestChallenges } from './rest-challenges';
import { metadataMethod } from './rest-metadata';
import { refuse } from './validation';

/** An MCP server on a REST API. */
export interface ProtectRestApiProps extends ProtectionProps {
  /**
   * The MCP server, for example `new LambdaIntegration(fn, { responseTransferMode: ResponseTransferMode.STREAM })`.
   */
  readonly integration: Integration;
}

/** An MCP server behind the authorizer on a REST API. Made by `protectRestApi`. */
export class ProtectedRestApi extends ProtectedApi {
  /** The authorizer, for further methods of the same API. */
  readonly authorizer: RequestAuthorizer;
  readonly identifier: string;
  readonly issuer: string;
  /** Where MCP clients connect. */
  readonly url: string;
  /** The protected resource metadata (RFC 9728). */
  readonly metadataUrl: string;
  /** @internal */
  readonly _authorizerLogs: ILogGroup;

  /** @internal */
  constructor(
    private readonly api: RestApi,
    id: string,
    trusted: TrustedIssuer,
    props: ProtectRestApiProps,
  ) {
    if (api.node.tryFindChild(id)) {
      refuse(
        `${api.node.path} must have one MCP resource, because its 401 and 403 responses can name one only. Use one RestApi for each.`,
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
    this.authorizer = new RequestAuthorizer(this, 'Authorizer', {
      handler: authorizer,
      identitySources: [IdentitySource.header('Authorization')],
      resultsCacheTtl: protection.resultsCacheTtl,
    });
    this.addMcpServer(path, props.integration);
    this.addMetadata(protection);
    new RestChallenges(this, 'Challenges', { api, protection });
    this.node.addValidation({ validate: () => (props.identifier === undefined ? this.unreachable() : []) });
  }

  private addMcpServer(path: string, integration: Integration): void {
    const resource = this.resourceAt(path);
    for (const method of MCP_METHODS) {
      const added = resource.addMethod(method, integration, {
        authorizer: this.authorizer,
        authorizationType: AuthorizationType.CUSTOM,
      });
      Validations.of(added).acknowledge({
        id: 'AwsSolutions::AwsSolutions-COG4',
        reason:
          'The access token is checked by a Lambda authorizer: its issuer is McpOidcAuth, not a Cognito user pool.',
      });
    }
  }

  private addMetadata(protection: Protection): void {
    const { integration, options } = metadataMethod(protection.metadata);
    for (const path of protection.metadataPaths) {
      const resource = this.resourceAt(path);
      for (const method of ['GET', 'HEAD']) {
        Validations.of(resource.addMethod(method, integration, options)).acknowledge(
          ...['AwsSolutions::AwsSolutions-APIG4', 'AwsSolutions::AwsSolutions-COG4'].map((id) => ({
            id,
            reason: PUBLIC_METADATA,
          })),
        );
      }
    }
  }

  /** The resource at a path, with the preflight that MCP clients need. */
  private resourceAt(path: string): IResource {
    const segments = path.split('/').slice(1);
    const last = segments.pop();
    const parent = segments.length > 0 ? this.api.root.resourceForPath(`/${segments.join('/')}`) : this.api.root;
    const existing = last === undefined ? parent : parent.getResource(last);
    if (!existing) {
      // Said with the resource, because the API may have a preflight of its own that every new resource gets.
      return parent.addResource(last as string, { defaultCorsPreflightOptions: CORS_PREFLIGHT });
    }
    const taken = [...MCP_METHODS, 'HEAD', 'OPTIONS', 'ANY'].find((method) => existing.node.tryFindChild(method));
    if (taken) {
      refuse(
        `${this.api.node.path} must leave '${path || '/'}' to protectRestApi, which adds the methods there, got ${taken}.`,
      );
    }
    existing.addCorsPreflight(CORS_PREFLIGHT);
    return existing;
  }

  /** A custom domain may come later, so this is looked at when everything is there. */
  private unreachable(): string[] {
    return this.api.domainName
      ? [
          `McpOidcAuth: identifier must be given for ${this.api.node.path}, because it has a custom domain: the MCP server's URL there.`,
        ]
      : [];
  }
}

/** The stage's URL from the stage's name: `api.url` would make the deployment wait for what itself waits for the deployment. */
function executeApiUrl(api: RestApi): string {
  const stage = api.deploymentStage?.node.defaultChild as CfnStage | undefined;
  if (!stage || (api.node.defaultChild as CfnRestApi).disableExecuteApiEndpoint === true) {
    refuse(
      `identifier must be given for ${api.node.path}, because it has no deployment stage or no execute-api endpoint.`,
    );
  }
  const { region, urlSuffix } = Stack.of(api);
  return `https://${api.restApiId}.execute-api.${region}.${urlSuffix}/${stage.stageName}`;
}
