import { CustomResource, type Duration, Stack, Validations } from 'aws-cdk-lib';
import { Grant, Policy, PolicyStatement } from 'aws-cdk-lib/aws-iam';
import type { Function as LambdaFunction } from 'aws-cdk-lib/aws-lambda';
import { Secret } from 'aws-cdk-lib/aws-secretsmanager';
import { Construct } from 'constructs';
import {
  RESOURCE_SERVER_RESOURCE_TYPE,
  type ResourceServerCredential,
  type ResourceServerRecord,
  UPSTREAM_TOKENS_ENVIRONMENT,
} from './contract';
import { refuse } from './validation';

/** How a function gets upstream tokens. */
export interface UpstreamTokensOptions {
  /**
   * The identifier of the protected resource that the function serves.
   *
   * @default - the one that has `upstreamTokens`, where one has
   */
  readonly resource?: string;

  /**
   * A name for the credential: another name is another secret. Change it, and deploy, to replace one that may have leaked.
   *
   * @default 'Credential'
   */
  readonly credential?: string;
}

interface UpstreamTokensCredentialProps {
  readonly issuer: string;
  readonly resource: string;
  /** The function behind the custom resources. */
  readonly onDeploy: LambdaFunction;
  readonly serviceTimeout: Duration;
}

/** The id, below the function, of everything that its credential consists of. */
const ID = 'McpOidcAuthUpstreamTokens';

/**
 * The credential by which a function exchanges access tokens for upstream's (RFC 8693), made at deployment. Of its secret the authorization server
 * keeps a hash; the template has neither.
 */
export class UpstreamTokensCredential extends Construct {
  /** What the function may do with it. */
  readonly grant: Grant;

  constructor(grantee: LambdaFunction, name: string, props: UpstreamTokensCredentialProps) {
    if (grantee.node.tryFindChild(ID)) {
      refuse(`${grantee.node.path} must get upstream tokens for one protected resource.`);
    }
    super(new Construct(grantee, ID), name);
    const clientId = `resource-server-${this.node.addr}`;
    const secret = new Secret(this, 'Secret', {
      description: 'Edited by nobody: by it a function gets upstream tokens from the MCP authorization server.',
      generateSecretString: {
        secretStringTemplate: JSON.stringify({ client_id: clientId } satisfies Partial<ResourceServerCredential>),
        generateStringKey: 'client_secret' satisfies keyof ResourceServerCredential,
        passwordLength: 64,
        excludePunctuation: true,
      },
    });
    Validations.of(secret).acknowledge({
      id: 'AwsSolutions::AwsSolutions-SMG4',
      reason:
        'Random, read by two functions alone, and worth nothing without an access token of a person. It is replaced by a deployment, with the hash that the authorization server has of it.',
    });
    const actions = ['secretsmanager:GetSecretValue'];
    this.grant = Grant.addToPrincipal({ grantee, actions, resourceArns: [secret.secretArn] });
    grantee.addEnvironment(UPSTREAM_TOKENS_ENVIRONMENT.tokenEndpoint, `${props.issuer}/token`);
    grantee.addEnvironment(UPSTREAM_TOKENS_ENVIRONMENT.secretArn, secret.secretArn);

    // Here, not with the role: in another stack than the function's the two stacks would depend on each other.
    const readByOnDeploy = new Policy(this, 'ReadByOnDeploy', {
      statements: [new PolicyStatement({ actions, resources: [secret.secretArn] })],
      roles: props.onDeploy.role ? [props.onDeploy.role] : [],
    });
    const server: ResourceServerRecord = { clientId, name: grantee.node.path, resources: [props.resource] };
    const registration = new CustomResource(this, 'Registration', {
      resourceType: RESOURCE_SERVER_RESOURCE_TYPE,
      serviceToken: props.onDeploy.functionArn,
      serviceTimeout: props.serviceTimeout,
      properties: { ResourceServer: Stack.of(this).toJsonString(server), Secret: secret.secretArn },
    });
    registration.node.addDependency(readByOnDeploy);
  }
}
