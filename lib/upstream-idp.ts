import { Duration, type Stack, Token } from 'aws-cdk-lib';
import { PolicyStatement } from 'aws-cdk-lib/aws-iam';
import type { Function as LambdaFunction } from 'aws-cdk-lib/aws-lambda';
import type { ISecret } from 'aws-cdk-lib/aws-secretsmanager';
import type { UpstreamSecretConfig } from './contract';
import { useThrough } from './encryption-key';
import { described } from './refusal';
import {
  checkAllow,
  checkClaims,
  checkIssuer,
  checkParameters,
  checkUpstreamScopes,
  SHORTEST_RECHECK,
} from './upstream-rules';
import { checkDuration, checkUrl, mustBe, refuse } from './validation';

/** Who may sign in. */
export interface AllowRule {
  /**
   * A claim of the upstream ID token, or of UserInfo where that lacks it, for example `email`, `hd`, `groups` or `tid`.
   */
  readonly claim: string;

  /**
   * The rule holds when the claim, or a member of it, equals one of these. A value that begins with `@` matches the domain of the verified
   * e-mail address, `email` beside `email_verified`: in another claim nothing else does.
   */
  readonly values: string[];
}

/** The one confidential client that you create at an OpenID Connect provider. */
export interface OidcUpstreamProps {
  /**
   * The OpenID Connect issuer, exactly as its discovery document spells it.
   */
  readonly issuer: string;

  /**
   * The client's identifier.
   */
  readonly clientId: string;

  /**
   * The secret whose value is the client secret, as plain text. One that is known by its name only is in the account and region of `McpOidcAuth`.
   */
  readonly clientSecret: ISecret;

  /**
   * Scopes that are asked for upstream; `openid` is always among them.
   *
   * @default ['openid', 'profile', 'email']
   */
  readonly scopes?: string[];

  /**
   * Parameters that are added to the upstream authorization request, for example `{ hd: 'example.com' }`.
   *
   * @default - none
   */
  readonly extraParameters?: { [name: string]: string };

  /**
   * Who may sign in. Every rule must hold.
   *
   * @default - everyone that the upstream identity provider signs in; synth warns (`mcp-oidc-auth:everyoneMaySignIn`)
   */
  readonly allow?: AllowRule[];

  /**
   * Claims of the upstream ID token, or of UserInfo where that lacks them, that are copied into access tokens.
   *
   * @default - none
   */
  readonly claims?: string[];

  /**
   * Where the upstream identity provider gives a refresh token (most do when `scopes` has `offline_access`), it is kept encrypted, and upstream is
   * asked this often at most, when a client refreshes, whether the person is still one of theirs and `allow` still holds. If not, the grant ends.
   * Not less than a minute, whole seconds.
   *
   * @default Duration.hours(1)
   */
  readonly recheck?: Duration;
}

/** The identity provider that people sign in at. */
export class UpstreamIdp {
  /**
   * Any OpenID Connect provider with a discovery document (Entra ID, Google, Okta, Auth0, Keycloak, Cognito ...).
   */
  static oidc(props: OidcUpstreamProps): UpstreamIdp {
    checkOidcProps(props);
    return new UpstreamIdp(props);
  }

  /** Whether no rule says who may sign in. */
  readonly everyoneMaySignIn: boolean;

  private constructor(private readonly props: OidcUpstreamProps) {
    this.everyoneMaySignIn = (props.allow ?? []).length === 0;
  }

  /**
   * What the provider function must know.
   *
   * @param stack of the provider function
   *
   * @internal
   */
  _config(stack: Stack): UpstreamSecretConfig {
    const { issuer, clientId, clientSecret, scopes, extraParameters, allow, claims, recheck } = this.props;
    return {
      issuer,
      clientId,
      clientSecretId: secretId(clientSecret, stack),
      scopes: [...new Set(['openid', ...(scopes ?? ['profile', 'email'])])],
      extraParameters: extraParameters ?? {},
      allow: allow ?? [],
      claims: claims ?? [],
      recheck: (recheck ?? Duration.hours(1)).toSeconds(),
    };
  }

  /**
   * Lets the provider function read the client secret and nothing else of it: `ISecret.grantRead` would add DescribeSecret, and leave out a key
   * that was imported.
   *
   * @internal
   */
  _grantReadSecret(fn: LambdaFunction): void {
    const { secretArn, secretFullArn, encryptionKey } = this.props.clientSecret;
    fn.role?.addToPrincipalPolicy(
      new PolicyStatement({
        actions: ['secretsmanager:GetSecretValue'],
        // The ARN of a secret that was imported by its name lacks the six characters that Secrets Manager adds to a name.
        resources: [secretFullArn ?? `${secretArn}-??????`],
      }),
    );
    useThrough('secretsmanager', fn, encryptionKey, 'read');
  }
}

/**
 * What finds a secret for certain. A partial ARN does not: where the name ends in a hyphen and six characters, Secrets Manager takes it for a
 * complete one (https://docs.aws.amazon.com/secretsmanager/latest/userguide/troubleshoot.html#ARN_secretnamehyphen). A name does, where it is.
 */
function secretId({ secretFullArn, secretName, secretArn, env }: ISecret, { account, region }: Stack): string {
  if (secretFullArn !== undefined) {
    return secretFullArn;
  }
  // CDK takes such an ending off the name as well when it knows a partial ARN only.
  if (env.account !== account || env.region !== region || !secretArn.endsWith(`:secret:${secretName}`)) {
    refuse(
      "upstream.clientSecret must be known by its complete ARN, or by its name in the account and region of McpOidcAuth's stack, got " +
        `the partial ARN '${secretArn}'.`,
    );
  }
  return secretName;
}

function checkOidcProps(props: OidcUpstreamProps): void {
  if (checkUrl('upstream.issuer', props.issuer)) {
    checkIssuer(mustBe, 'upstream.issuer', props.issuer);
  }
  if (typeof props.clientId !== 'string' || props.clientId === '') {
    mustBe('upstream.clientId', described(props.clientId), 'the identifier of a client at the identity provider');
  }
  checkClientSecret(props.clientSecret);
  checkScopes(props.scopes);
  checkAllow(mustBe, 'upstream.allow', props.allow);
  if (props.recheck) {
    checkDuration('upstream.recheck', props.recheck, { atLeast: Duration.seconds(SHORTEST_RECHECK) });
  }
  checkParameters(mustBe, 'upstream.extraParameters', props.extraParameters);
  checkClaims(mustBe, 'upstream.claims', props.claims);
}

function checkClientSecret(given: unknown): void {
  if (typeof (given as ISecret | undefined)?.secretArn !== 'string') {
    // A string may be the client secret itself.
    const got = typeof given === 'string' ? 'a string' : described(given);
    refuse(`upstream.clientSecret must be an ISecret, for example Secret.fromSecretNameV2(...), got ${got}.`);
  }
}

function checkScopes(scopes: readonly string[] = []): void {
  if (Token.isUnresolved(scopes)) {
    refuse('upstream.scopes must be a list that is known at synth, got a token.');
  }
  const known = Array.isArray(scopes) ? scopes.filter((scope) => !Token.isUnresolved(scope)) : scopes;
  checkUpstreamScopes(mustBe, 'upstream.scopes', known);
}
