import { Annotations, CustomResource, Duration, RemovalPolicy, Stack, Token, TokenComparison } from 'aws-cdk-lib';
import type { HttpApi } from 'aws-cdk-lib/aws-apigatewayv2';
import { AttributeType, type ITableV2, TableV2 } from 'aws-cdk-lib/aws-dynamodb';
import type { Grant, IGrantable } from 'aws-cdk-lib/aws-iam';
import type { Function as LambdaFunction } from 'aws-cdk-lib/aws-lambda';
import { RetentionDays } from 'aws-cdk-lib/aws-logs';
import type { ISecret } from 'aws-cdk-lib/aws-secretsmanager';
import type { Construct } from 'constructs';
import { Alarms } from './alarms';
import { appearance } from './appearance';
import { configure } from './bundled-function';
import { clientMetadata } from './client-metadata';
import { CLIENT_RESOURCE_TYPE, KEY_SET_RESOURCE_TYPE, PROTECTED_RESOURCE_TYPE, TABLE } from './contract';
import { dashboard } from './dashboard';
import { encryptTable, letLogsUse } from './encryption-key';
import { FrontDoor } from './front-door';
import { ImportedMcpOidcAuth, type McpOidcAuthAttributes } from './imported-mcp-oidc-auth';
import { KeyRotation, keyPeriods, keySetSecret } from './key-set';
import { lifetimes } from './lifetimes';
import type { LogKeeping } from './log-group';
import { type IMcpOidcAuth, McpOidcAuthBase } from './mcp-oidc-auth-base';
import type { McpOidcAuthProps } from './mcp-oidc-auth-props';
import { onDeployFunction } from './on-deploy-function';
import { grantManageClients, grantReadPeople, grantRevokePeople } from './operator-grants';
import { clientRecords } from './pre-registered-client';
import type { ProtectedApi } from './protected-api';
import { providerFunction } from './provider-function';
import { checkList, described } from './refusal';
import { registration } from './registration';
import { comparable, type ProtectedResourceProps, resourceRecord } from './resource';
import { SigningAlgorithm } from './signing-algorithm';
import { EVERYONE_MAY_SIGN_IN } from './upstream-rules';
import { UpstreamTokensCredential, type UpstreamTokensOptions } from './upstream-tokens-credential';
import { mustBe, refuse } from './validation';

/** The function behind the custom resources answers within a minute; CloudFormation would wait an hour for one that cannot. */
const SERVICE_TIMEOUT = Duration.minutes(5);

/**
 * An OAuth 2.1 authorization server between MCP clients and an OpenID Connect identity provider.
 *
 * It registers clients (RFC 7591) or reads their metadata documents, asks people for consent, sends them to the identity provider to sign in,
 * and issues access tokens for one MCP server each (RFC 9068, RFC 8707).
 */
export class McpOidcAuth extends McpOidcAuthBase {
  /**
   * An authorization server of another app. The resources that it protects are named in `resources` there.
   */
  static fromIssuer(scope: Construct, id: string, attributes: McpOidcAuthAttributes): IMcpOidcAuth {
    return new ImportedMcpOidcAuth(scope, id, attributes);
  }

  readonly issuer: string;

  readonly dpop: boolean;

  /** Clients, interactions, grants, tokens and resources: docs/storage-schema.md. */
  readonly table: ITableV2;

  /** Signing keys and derived secrets. Nobody edits it. */
  readonly keySetSecret: ISecret;

  /** The authorization server. */
  readonly providerFunction: LambdaFunction;

  /** Rotates the key set. */
  readonly rotationFunction: LambdaFunction;

  /** The authorization server's front door. */
  readonly api: HttpApi;

  protected readonly logs: LogKeeping;
  protected readonly tracingEnabled: boolean;
  private readonly alarms: Alarms | undefined;
  private readonly onDeploy: LambdaFunction;
  private readonly registered: ProtectedResourceProps[] = [];

  constructor(scope: Construct, id: string, props: McpOidcAuthProps) {
    super(scope, id);
    if (typeof props?.upstream?._config !== 'function') {
      refuse(`upstream must be an UpstreamIdp, for example UpstreamIdp.oidc(...), got ${described(props?.upstream)}.`);
    }
    this.dpop = props.dpop ?? false;
    const removalPolicy = props.removalPolicy ?? RemovalPolicy.RETAIN;
    const lifetimesInSeconds = lifetimes(props.lifetimes ?? {});
    const { encryptionKey } = props;
    if (encryptionKey) {
      letLogsUse(encryptionKey, this);
    }
    this.logs = { retention: props.logRetention ?? RetentionDays.ONE_MONTH, encryptionKey };
    this.tracingEnabled = props.tracingEnabled ?? false;

    const table = new TableV2(this, 'Table', {
      partitionKey: { name: TABLE.partitionKey, type: AttributeType.STRING },
      sortKey: { name: TABLE.sortKey, type: AttributeType.STRING },
      timeToLiveAttribute: TABLE.timeToLive,
      pointInTimeRecoverySpecification: { pointInTimeRecoveryEnabled: true },
      removalPolicy,
    });
    if (encryptionKey) {
      encryptTable(table, encryptionKey);
    }
    this.table = table;
    this.keySetSecret = keySetSecret(this, 'KeySet', { removalPolicy, encryptionKey });

    const periods = keyPeriods(this, props);
    const algorithm = props.signingAlgorithm ?? SigningAlgorithm.RS256;
    const registrationConfig = registration(props.registration ?? {});
    this.onDeploy = onDeployFunction(this, 'OnDeploy', {
      table: this.table,
      keySetSecret: this.keySetSecret,
      algorithm,
      encryptionKey,
      privateUseSchemes: registrationConfig.privateUseSchemes,
      logs: this.logs,
    });
    // Another secret is empty again.
    const firstKeySet = this.customResource(this, 'FirstKeySet', KEY_SET_RESOURCE_TYPE, {
      Secret: this.keySetSecret.secretArn,
    });
    this.rotationFunction = new KeyRotation(this, 'KeyRotation', {
      secret: this.keySetSecret,
      firstKeySet,
      periods,
      algorithm,
      encryptionKey,
      longestToken: Duration.seconds(lifetimesInSeconds.accessToken),
      logs: this.logs,
      tracingEnabled: this.tracingEnabled,
    }).function;

    this.providerFunction = providerFunction(this, 'Provider', {
      table: this.table,
      keySetSecret: this.keySetSecret,
      encryptionKey,
      upstream: props.upstream,
      appearance: props.appearance && appearance(props.appearance),
      logs: this.logs,
      tracingEnabled: this.tracingEnabled,
      options: props.functionOptions ?? {},
    });
    const frontDoor = new FrontDoor(this, 'FrontDoor', {
      handler: this.providerFunction,
      customDomain: props.customDomain,
      throttle: props.throttle ?? { rateLimit: 50, burstLimit: 100 },
      logs: this.logs,
      opensAfter: firstKeySet,
    });
    this.api = frontDoor.api;
    this.issuer = frontDoor.issuer;
    // After the routes, which need the function before it can know the issuer.
    configure(this.providerFunction, {
      issuer: this.issuer,
      tableName: this.table.tableName,
      keySetSecretArn: this.keySetSecret.secretArn,
      upstream: props.upstream._config(Stack.of(this)),
      clientMetadata: clientMetadata(props.clientMetadata ?? {}),
      registration: registrationConfig,
      lifetimes: lifetimesInSeconds,
      dpop: this.dpop,
      keySetRefresh: periods.refresh.toSeconds(),
    });

    this.alarms = props.alarms && new Alarms(this, 'Alarms', props.alarms, this, frontDoor.accessLogs);
    if (props.dashboard) {
      dashboard(this, 'Dashboard', this, this.alarms?.ofServer ?? []);
    }

    checkList(mustBe, 'resources', props.resources);
    for (const resource of props.resources ?? []) {
      this.register(this, `Resource ${this.stableName(resource.identifier)}`, resource);
    }
    for (const client of clientRecords(props.clients ?? [])) {
      this.customResource(this, `Client ${client.clientId}`, CLIENT_RESOURCE_TYPE, {
        Client: Stack.of(this).toJsonString(client),
      });
    }
    if (props.upstream.everyoneMaySignIn) {
      Annotations.of(this).addWarningV2(
        'mcp-oidc-auth:everyoneMaySignIn',
        `${EVERYONE_MAY_SIGN_IN} Say who may in UpstreamIdp.oidc({ allow }), for example [{ claim: 'email', values: ['@example.com'] }].`,
      );
    }
  }

  /** The redirect URI to register at the upstream identity provider. */
  get callbackUrl(): string {
    return `${this.issuer}/callback`;
  }

  /** Lets an operator list what a person has granted: `npx mcp-oidc-auth people grants`. */
  grantReadPeople(grantee: IGrantable): Grant {
    return grantReadPeople(this.table, grantee);
  }

  /** Lets an operator end what a person has granted: `npx mcp-oidc-auth people revoke`. */
  grantRevokePeople(grantee: IGrantable): Grant {
    return grantRevokePeople(this.table, grantee);
  }

  /** Lets an operator add, show and remove clients: `npx mcp-oidc-auth clients`. */
  grantManageClients(grantee: IGrantable): Grant {
    return grantManageClients(this.table, grantee);
  }

  /**
   * Registers a protected resource (RFC 9728) from the stack that it is in, where its URL is known there alone: an MCP server outside API Gateway,
   * such as a Bedrock AgentCore Gateway, in the account and region of McpOidcAuth. One whose URL you can write goes into `resources`.
   */
  addResource(scope: Construct, id: string, resource: ProtectedResourceProps): void {
    this.register(scope, id, resource);
  }

  /**
   * Lets a function act for people at the upstream identity provider, as far as they have agreed: makes the credential by which it exchanges the access
   * tokens that it receives for upstream's (RFC 8693), and gives the function what `upstreamToken` of `mcp-oidc-auth/upstream` needs. After the
   * protected resource, which has `upstreamTokens`, is known.
   *
   * @param grantee serves the protected resource
   */
  grantUpstreamTokens(grantee: LambdaFunction, options: UpstreamTokensOptions = {}): Grant {
    this.checkEnvironment(Stack.of(grantee));
    const { credential = 'Credential' } = options;
    const { grant } = new UpstreamTokensCredential(grantee, credential, {
      issuer: this.issuer,
      resource: this.upstreamResource(options.resource),
      onDeploy: this.onDeploy,
      serviceTimeout: SERVICE_TIMEOUT,
    });
    return grant;
  }

  private upstreamResource(identifier: string | undefined): string {
    const offered = this.registered.filter(({ upstreamTokens }) => upstreamTokens).map((each) => each.identifier);
    const [only, ...more] = identifier === undefined ? offered : offered.filter((each) => each === identifier);
    if (only === undefined) {
      refuse(
        `grantUpstreamTokens needs a protected resource with upstreamTokens: true, from protectRestApi, protectHttpApi or resources, before it is called; ` +
          `got ${identifier ?? 'none'}.`,
      );
    }
    if (more.length > 0) {
      refuse(`grantUpstreamTokens must be told which resource the function serves, one of ${offered.join(', ')}.`);
    }
    return only;
  }

  protected register(scope: Construct, id: string, resource: ProtectedResourceProps): void {
    this.checkEnvironment(Stack.of(scope));
    const record = resourceRecord(resource);
    const same = this.registered.find(({ identifier }) => comparable(identifier) === comparable(record.identifier));
    if (same) {
      refuse(
        same.identifier === record.identifier
          ? `resources must have different identifiers, got '${record.identifier}' twice.`
          : `resources must have identifiers that differ in more than slashes at their end, got '${same.identifier}' and '${record.identifier}'.`,
      );
    }
    const other = this.registered.find((registered) => registered.default);
    if (record.default && other) {
      refuse(`at most one resource must be the default, got '${other.identifier}' and '${record.identifier}'.`);
    }
    this.registered.push(resource);
    this.customResource(scope, id, PROTECTED_RESOURCE_TYPE, { Resource: Stack.of(scope).toJsonString(record) });
  }

  protected watch(api: ProtectedApi): void {
    this.alarms?.watch(api);
  }

  private customResource(scope: Construct, id: string, resourceType: string, properties: Record<string, string>) {
    return new CustomResource(scope, id, {
      resourceType,
      serviceToken: this.onDeploy.functionArn,
      serviceTimeout: SERVICE_TIMEOUT,
      properties,
    });
  }

  /** A custom resource's function is called where the custom resource is. */
  private checkEnvironment(other: Stack): void {
    const { account, region } = Stack.of(this);
    const differs = (one: string, another: string) => Token.compareStrings(one, another) === TokenComparison.DIFFERENT;
    if (differs(account, other.account) || differs(region, other.region)) {
      refuse(
        `protectRestApi, protectHttpApi, addResource and grantUpstreamTokens need a stack or a function in the account and region of McpOidcAuth, ${account} and ${region}, ` +
          `got ${other.account} and ${other.region}. Elsewhere use McpOidcAuth.fromIssuer, and name the resource in 'resources' here.`,
      );
    }
  }

  /** A name that does not depend on the order of the resources: a record would follow its name to another resource, and then be deleted. */
  private stableName(identifier: string): string {
    return Token.isUnresolved(identifier) ? JSON.stringify(Stack.of(this).resolve(identifier)) : identifier;
  }
}
