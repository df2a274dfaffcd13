import { Duration, type Stack, Token } from 'aws-cdk-lib';
import { type IGrantable, PolicyStatement } from 'aws-cdk-lib/aws-iam';
import type { ISecret } from 'aws-cdk-lib/aws-secretsmanager';
import { GRANT_CLAIM, type UpstreamSecretConfig } from './contract';
import { SCOPE_TOKEN } from './scope-names';
import { checkDuration, checkList, checkUrl, described, refuse } from './validation';

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

/** What the authorization server itself puts into an upstream authorization request (OpenID Connect Core 1.0 section 3.1.2.1, RFC 7636). */
const OWN_PARAMETERS = [
  'client_id',
  'code_challenge',
  'code_challenge_method',
  'nonce',
  'redirect_uri',
  'response_mode',
  'response_type',
  'scope',
  'state',
];

/** Claims that an access token has by itself (RFC 9068 section 2.2). */
const TOKEN_CLAIMS = ['iss', 'aud', 'exp', 'iat', 'nbf', 'jti', 'sub', 'client_id', 'scope', GRANT_CLAIM];

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
  _grantReadSecret(provider: IGrantable): void {
    const { secretArn, secretFullArn, encryptionKey, stack } = this.props.clientSecret;
    provider.grantPrincipal.addToPrincipalPolicy(
      new PolicyStatement({
        actions: ['secretsmanager:GetSecretValue'],
        // The ARN of a secret that was imported by its name lacks the six characters that Secrets Manager adds to a name.
        resources: [secretFullArn ?? `${secretArn}-??????`],
      }),
    );
    if (encryptionKey) {
      provider.grantPrincipal.addToPrincipalPolicy(
        new PolicyStatement({
          actions: ['kms:Decrypt'],
          resources: [encryptionKey.keyArn],
          conditions: { StringEquals: { 'kms:ViaService': `secretsmanager.${stack.region}.amazonaws.com` } },
        }),
      );
    }
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
  const url = checkUrl('upstream.issuer', props.issuer);
  if (url?.search) {
    refuse(`upstream.issuer must have no query, got '${props.issuer}'.`);
  }
  if (props.issuer.includes('/.well-known/')) {
    refuse(`upstream.issuer must be the issuer, not the URL of its discovery document, got '${props.issuer}'.`);
  }
  if (typeof props.clientId !== 'string' || props.clientId === '') {
    refuse(
      `upstream.clientId must be the identifier of a client at the identity provider, got ${described(props.clientId)}.`,
    );
  }
  checkClientSecret(props.clientSecret);
  checkScopes(props.scopes ?? []);
  checkList('upstream.allow', props.allow);
  for (const rule of props.allow ?? []) {
    if (typeof rule?.claim !== 'string' || rule.claim === '') {
      refuse(`upstream.allow must name a claim of the upstream ID token, got ${described(rule?.claim)}.`);
    }
    checkList(`upstream.allow for claim '${rule.claim}'`, rule.values);
    // An unresolved list is CloudFormation's; an empty one would keep everyone out.
    if (!Token.isUnresolved(rule.values) && (!rule.values?.length || rule.values.some((value) => value === ''))) {
      refuse(`upstream.allow for claim '${rule.claim}' must name at least one value, and no empty one.`);
    }
  }
  if (props.recheck) {
    checkDuration('upstream.recheck', props.recheck, { atLeast: Duration.minutes(1) });
  }
  const own = Object.keys(props.extraParameters ?? {}).find((name) => OWN_PARAMETERS.includes(name));
  if (own !== undefined) {
    refuse(`upstream.extraParameters must not have '${own}': the authorization server sets it.`);
  }
  checkList('upstream.claims', props.claims);
  const reserved = (props.claims ?? []).find((claim) => TOKEN_CLAIMS.includes(claim));
  if (reserved !== undefined) {
    refuse(`upstream.claims must not have '${reserved}': access tokens have their own.`);
  }
}

function checkClientSecret(given: unknown): void {
  if (typeof (given as ISecret | undefined)?.secretArn !== 'string') {
    // A string may be the client secret itself.
    const got = typeof given === 'string' ? 'a string' : described(given);
    refuse(`upstream.clientSecret must be an ISecret, for example Secret.fromSecretNameV2(...), got ${got}.`);
  }
}

function checkScopes(scopes: readonly string[]): void {
  if (!Array.isArray(scopes) || Token.isUnresolved(scopes)) {
    refuse(
      `upstream.scopes must be a list that is known at synth, got ${Array.isArray(scopes) ? 'a token' : described(scopes)}.`,
    );
  }
  const wrong = scopes.find((scope) => !Token.isUnresolved(scope) && !SCOPE_TOKEN.test(scope));
  if (wrong !== undefined) {
    refuse(`upstream.scopes must be scope tokens, each without spaces, quotes and backslashes, got '${wrong}'.`);
  }
}
