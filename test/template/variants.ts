import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { type App, Duration, RemovalPolicy, Stack, Validations } from 'aws-cdk-lib';
import { LambdaIntegration, RestApi } from 'aws-cdk-lib/aws-apigateway';
import { HttpApi } from 'aws-cdk-lib/aws-apigatewayv2';
import { HttpLambdaIntegration } from 'aws-cdk-lib/aws-apigatewayv2-integrations';
import { Certificate } from 'aws-cdk-lib/aws-certificatemanager';
import { Role, ServicePrincipal } from 'aws-cdk-lib/aws-iam';
import { Key } from 'aws-cdk-lib/aws-kms';
import { Code, Function as LambdaFunction, Runtime } from 'aws-cdk-lib/aws-lambda';
import { LogGroup, RetentionDays } from 'aws-cdk-lib/aws-logs';
import { HostedZone } from 'aws-cdk-lib/aws-route53';
import { Secret } from 'aws-cdk-lib/aws-secretsmanager';
import { Topic } from 'aws-cdk-lib/aws-sns';
import type { Construct } from 'constructs';
import {
  type IMcpOidcAuth,
  McpOidcAuth,
  type McpOidcAuthProps,
  type OidcUpstreamProps,
  type ProtectionProps,
  SigningAlgorithm,
  UpstreamIdp,
} from 'mcp-oidc-auth';

const ROOT = join(__dirname, '..', '..');
const ACCOUNT = '123456789012';

/** The context of cdk.json: the flags that the CDK command line hands to the app. */
export const FLAGS: Readonly<Record<string, unknown>> = JSON.parse(
  readFileSync(join(ROOT, 'cdk.json'), 'utf8'),
).context;

const SCOPES = [
  { name: 'notes:use', description: 'Connect to your notes', default: true },
  { name: 'notes:read', description: 'Read your notes', descriptions: { de: 'Ihre Notizen lesen' } },
  { name: 'notes:write', description: 'Add notes', implies: ['notes:read'] },
];

/** What the construct needs and nothing else. */
const upstream = (scope: Construct): OidcUpstreamProps => ({
  issuer: 'https://login.example.com',
  clientId: 'mcp',
  clientSecret: Secret.fromSecretNameV2(scope, 'UpstreamSecret', 'mcp/upstream'),
});

/** Every prop of the upstream identity provider. `Required`, so that a new prop must be given a value here. */
const everyUpstreamProp = (scope: Construct): Required<OidcUpstreamProps> => ({
  issuer: 'https://login.example.com/tenant',
  clientId: 'mcp-2',
  clientSecret: Secret.fromSecretAttributes(scope, 'EncryptedUpstreamSecret', {
    secretCompleteArn: `arn:aws:secretsmanager:us-east-1:${ACCOUNT}:secret:mcp/encrypted-AbCdEf`,
    encryptionKey: Key.fromKeyArn(scope, 'UpstreamKey', `arn:aws:kms:us-east-1:${ACCOUNT}:key/0f3c`),
  }),
  scopes: ['openid', 'email', 'offline_access'],
  extraParameters: { hd: 'example.com' },
  allow: [{ claim: 'email', values: ['@example.com'] }],
  claims: ['email'],
  recheck: Duration.minutes(10),
});

/** Every prop of McpOidcAuth. `Required`, so that a new prop must be given a value here. */
export const everyProp = (
  scope: Construct,
  identityProvider: Partial<OidcUpstreamProps> = {},
): Required<McpOidcAuthProps> => ({
  upstream: UpstreamIdp.oidc({ ...everyUpstreamProp(scope), ...identityProvider }),
  resources: [
    { identifier: 'https://mcp.example.com/reports', scopes: SCOPES, name: 'Reports', default: true },
    { identifier: 'https://other.example.com', scopes: SCOPES },
  ],
  appearance: { name: 'Example', colors: { accent: '#0b5cad' }, supportUrl: 'https://help.example.com' },
  customDomain: {
    domainName: 'auth.example.com',
    certificate: Certificate.fromCertificateArn(
      scope,
      'Certificate',
      `arn:aws:acm:us-east-1:${ACCOUNT}:certificate/0a1b2c3d-0000-4000-8000-000000000000`,
    ),
    hostedZone: HostedZone.fromHostedZoneAttributes(scope, 'Zone', { hostedZoneId: 'Z0123', zoneName: 'example.com' }),
  },
  removalPolicy: RemovalPolicy.DESTROY,
  encryptionKey: Key.fromKeyArn(
    scope,
    'OwnKey',
    `arn:aws:kms:us-east-1:${ACCOUNT}:key/1a4d0000-0000-4000-8000-000000000000`,
  ),
  lifetimes: {
    accessToken: Duration.minutes(10),
    authorizationCode: Duration.seconds(30),
    interaction: Duration.minutes(5),
    refreshTokenIdle: Duration.days(7),
    grant: Duration.days(60),
    refreshGrace: Duration.seconds(10),
    refreshLateRetry: Duration.hours(1),
    client: Duration.days(30),
  },
  clientMetadata: { internalHosts: ['apps.corp'], allowedHosts: ['claude.ai'], deniedHosts: ['evil.example'] },
  registration: { perAddress: 5, inAll: 50, sharedEgress: ['192.0.2.0/24'], privateUseSchemes: ['cursor'] },
  clients: [{ clientId: 'reports-cli', name: 'Reports', redirectUris: ['http://127.0.0.1/callback'] }],
  dpop: true,
  keyRotation: Duration.days(90),
  keySetRefresh: Duration.minutes(5),
  signingAlgorithm: SigningAlgorithm.ES256,
  logRetention: RetentionDays.ONE_WEEK,
  throttle: { rateLimit: 10, burstLimit: 20 },
  alarms: { topic: Topic.fromTopicArn(scope, 'Topic', `arn:aws:sns:us-east-1:${ACCOUNT}:on-call`) },
  dashboard: true,
  tracingEnabled: true,
  functionOptions: {
    memorySize: 2048,
    timeout: Duration.seconds(20),
    environment: { NODE_EXTRA_CA_CERTS: '/opt/ca.pem' },
    reservedConcurrentExecutions: 20,
  },
});

/** Every prop of a protected MCP server. `Required`, so that a new prop must be given a value here. */
export const everyProtectionProp: Required<ProtectionProps> = {
  scopes: SCOPES,
  requiredScopes: ['notes:use', 'notes:read'],
  toolScopes: { add_note: ['notes:write'] },
  path: '/v1/mcp',
  identifier: 'https://mcp.example.com/v1/mcp',
  name: 'Notes',
  default: false,
  upstreamTokens: true,
  claims: ['email'],
  resultsCacheTtl: Duration.seconds(0),
};

export interface Variant {
  /** Instead of one in the same stack. */
  readonly server?: (scope: Construct) => IMcpOidcAuth;
  readonly auth?: (scope: Construct) => Partial<McpOidcAuthProps>;
  readonly protection?: Partial<ProtectionProps>;
}

const eachProp = Object.keys(everyProp(new Stack()) satisfies Record<keyof McpOidcAuthProps, unknown>);

/** By name: no prop, each prop by itself, and all of them. */
export const VARIANTS: Readonly<Record<string, Variant>> = {
  'no prop': {},
  ...Object.fromEntries(
    eachProp.map((name): [string, Variant] => [
      name,
      { auth: (scope) => ({ [name]: everyProp(scope)[name as keyof McpOidcAuthProps] }) },
    ]),
  ),
  protection: { protection: everyProtectionProp },
  'every prop': { auth: (scope) => everyProp(scope), protection: everyProtectionProp },
};

/** The authorization server, and an MCP server on each kind of API. */
export class VariantStack extends Stack {
  readonly auth: IMcpOidcAuth;

  constructor(scope: Construct, id: string, { server: elsewhere, auth, protection }: Variant = {}) {
    super(scope, id);
    this.auth =
      elsewhere?.(this) ??
      new McpOidcAuth(this, 'Auth', { upstream: UpstreamIdp.oidc(upstream(this)), ...auth?.(this) });
    const server = this.server();
    const whole = { scopes: SCOPES, ...protection };
    const rest = new RestApi(this, 'RestApi');
    this.auth.protectRestApi(rest, { integration: new LambdaIntegration(server), ...whole });
    const http = new HttpApi(this, 'HttpApi');
    this.auth.protectHttpApi(http, {
      integration: new HttpLambdaIntegration('Server', server),
      ...whole,
      ...(whole.identifier && { identifier: whole.identifier.replace('mcp.', 'mcp2.') }),
    });
    const reason = 'The logs, request checks and web ACL of an API are the business of those who bring it along.';
    for (const [construct, rules] of [
      [rest, ['APIG2']],
      [rest.deploymentStage, ['APIG1', 'APIG3', 'APIG6']],
      [http.defaultStage, ['APIG1']],
    ] as const) {
      if (!construct) throw new Error('An API without a stage');
      Validations.of(construct).acknowledge(
        ...rules.map((rule) => ({ id: `AwsSolutions::AwsSolutions-${rule}`, reason })),
      );
    }
  }

  private server(): LambdaFunction {
    const logGroup = new LogGroup(this, 'ServerLogs');
    const role = new Role(this, 'ServerRole', { assumedBy: new ServicePrincipal('lambda.amazonaws.com') });
    logGroup.grantWrite(role);
    return new LambdaFunction(this, 'Server', {
      runtime: Runtime.NODEJS_24_X,
      handler: 'index.handler',
      code: Code.fromAsset(join(__dirname, 'server')),
      role,
      logGroup,
    });
  }
}

/** Every variant, in stacks of one app. Logical ids do not depend on the stack, so their templates are releases of one stack to each other. */
export function addVariants(app: App): ReadonlyMap<string, VariantStack> {
  return new Map(
    Object.entries(VARIANTS).map(([name, variant], index) => [name, new VariantStack(app, `Variant${index}`, variant)]),
  );
}

/** MCP servers whose authorization server is in another stack of the app, or in another app. */
export function addServersElsewhere(app: App, auth: IMcpOidcAuth): VariantStack[] {
  return [
    new VariantStack(app, 'OtherStack', { server: () => auth }),
    new VariantStack(app, 'OtherApp', {
      server: (scope) => McpOidcAuth.fromIssuer(scope, 'Auth', { issuer: 'https://auth.example.com', dpop: true }),
      protection: { ...everyProtectionProp, upstreamTokens: false },
    }),
  ];
}

/** The stack that `cdk deploy` deploys, which is compiled because it names its assets from where it lies. */
export async function exampleStack(app: App): Promise<Stack> {
  const compiled = join(ROOT, 'dist', 'examples', 'notes-stack.js');
  const { NotesStack } = (await import(compiled)) as typeof import('../../examples/notes-stack');
  return new NotesStack(app, 'McpOidcAuth');
}

export interface TemplateJson {
  readonly Resources: Record<string, ResourceJson>;
  readonly Outputs?: Record<string, { readonly Description?: string; readonly Value: unknown }>;
  readonly Parameters?: Record<string, Record<string, unknown>>;
}

export interface ResourceJson {
  readonly Type: string;
  readonly Properties?: Record<string, unknown>;
  readonly DependsOn?: string | string[];
  readonly DeletionPolicy?: string;
  readonly UpdateReplacePolicy?: string;
}
