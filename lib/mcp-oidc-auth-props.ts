import type { Duration, RemovalPolicy } from 'aws-cdk-lib';
import type { ThrottleSettings } from 'aws-cdk-lib/aws-apigatewayv2';
import type { IKey } from 'aws-cdk-lib/aws-kms';
import type { RetentionDays } from 'aws-cdk-lib/aws-logs';
import type { AlarmsProps } from './alarms';
import type { AppearanceProps } from './appearance';
import type { ClientMetadataProps } from './client-metadata';
import type { CustomDomainProps } from './front-door';
import type { LifetimeProps } from './lifetimes';
import type { PreRegisteredClientProps } from './pre-registered-client';
import type { ProviderFunctionOptions } from './provider-function';
import type { RegistrationProps } from './registration';
import type { ProtectedResourceProps } from './resource';
import type { SigningAlgorithm } from './signing-algorithm';
import type { UpstreamIdp } from './upstream-idp';

/** An authorization server for MCP servers. */
export interface McpOidcAuthProps {
  /**
   * The identity provider that people sign in at.
   */
  readonly upstream: UpstreamIdp;

  /**
   * Protected resources (RFC 9728) that tokens may be issued for and that `protectRestApi` and `protectHttpApi` do not register: MCP servers
   * outside API Gateway or in other apps.
   *
   * @default - none
   */
  readonly resources?: ProtectedResourceProps[];

  /**
   * How the pages that people meet look and speak. All of it must be known at synth: it becomes a part of the provider function's code.
   *
   * @default - see AppearanceProps
   */
  readonly appearance?: AppearanceProps;

  /**
   * A domain of your own, which becomes the issuer. The `execute-api` endpoint is switched off.
   *
   * @default - the `execute-api` host
   */
  readonly customDomain?: CustomDomainProps;

  /**
   * For the table and the key set secret.
   *
   * @default RemovalPolicy.RETAIN
   */
  readonly removalPolicy?: RemovalPolicy;

  /**
   * A KMS key of your own, symmetric, for all that is at rest: the table, the key set secret and the logs. The functions may use it through DynamoDB and
   * Secrets Manager only. A key that the app only refers to needs a policy that lets CloudWatch Logs use it for this account's log groups.
   *
   * @default - keys of AWS
   */
  readonly encryptionKey?: IKey;

  /**
   * How long what is issued lives.
   *
   * @default - see LifetimeProps
   */
  readonly lifetimes?: LifetimeProps;

  /**
   * How Client ID Metadata Documents are fetched.
   *
   * @default - from the public internet
   */
  readonly clientMetadata?: ClientMetadataProps;

  /**
   * How MCP clients register themselves.
   *
   * @default - see RegistrationProps
   */
  readonly registration?: RegistrationProps;

  /**
   * Public clients that you register yourself: they need not register, never expire, and the consent page says that you vouch for them.
   * Confidential ones, whose secret must not be in a template, are added by `npx mcp-oidc-auth clients add --secret`.
   *
   * @default - none
   */
  readonly clients?: PreRegisteredClientProps[];

  /**
   * Whether clients may bind their tokens to a key of their own (DPoP, RFC 9449), so that a stolen token is worth nothing. The authorizers then look
   * at each request: their result cache is off. Clients that do not ask for it get bearer tokens as before; one that says
   * `dpop_bound_access_tokens: true` of itself gets none without a proof.
   *
   * @default false
   */
  readonly dpop?: boolean;

  /**
   * How often a new signing key takes over. 4 hours to 1000 days, in whole hours.
   *
   * @default Duration.days(30)
   */
  readonly keyRotation?: Duration;

  /**
   * How often instances look whether the key set has changed; also the `max-age` of /jwks. A new key is published for four times as long, and
   * two hours more for API Gateway's own JWT authorizers, before it signs. 1 second to 1 hour; below a minute, which is for tests, those two hours
   * are left out.
   *
   * @default Duration.minutes(1)
   */
  readonly keySetRefresh?: Duration;

  /**
   * How access tokens are signed. A change takes effect with the second rotation after it: until then there are keys that are published already.
   * ID tokens are signed with RS256.
   *
   * @default SigningAlgorithm.RS256
   */
  readonly signingAlgorithm?: SigningAlgorithm;

  /**
   * Of every log group.
   *
   * @default RetentionDays.ONE_MONTH
   */
  readonly logRetention?: RetentionDays;

  /**
   * Alarms on what somebody has to do something about, also at the APIs that this protects.
   *
   * @default - none
   */
  readonly alarms?: AlarmsProps;

  /**
   * Whether there is a CloudWatch dashboard of all that is counted.
   *
   * @default false
   */
  readonly dashboard?: boolean;

  /**
   * Whether AWS X-Ray is told of each call of the functions, also of the authorizers.
   *
   * @default false
   */
  readonly tracingEnabled?: boolean;

  /**
   * Requests per second over all routes of the authorization server. Both, whole numbers from 1.
   *
   * @default { rateLimit: 50, burstLimit: 100 }
   */
  readonly throttle?: ThrottleSettings;

  /**
   * Options of the provider function.
   *
   * @default - see ProviderFunctionOptions
   */
  readonly functionOptions?: ProviderFunctionOptions;
}
