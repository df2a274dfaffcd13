import { rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type Duration, FileSystem, Stack, Validations } from 'aws-cdk-lib';
import type { ISecurityGroup, IVpc, SubnetSelection } from 'aws-cdk-lib/aws-ec2';
import { Role, ServicePrincipal } from 'aws-cdk-lib/aws-iam';
import { Architecture, Code, Function as LambdaFunction, Runtime, Tracing } from 'aws-cdk-lib/aws-lambda';
import { DISABLE_ASSET_STAGING_CONTEXT } from 'aws-cdk-lib/cx-api';
import type { Construct } from 'constructs';
import {
  type AuthorizerConfig,
  CONFIG,
  type OnDeployConfig,
  type ProviderConfig,
  type RotateKeysConfig,
} from './contract';
import { type LogKeeping, logGroup } from './log-group';
import { refuse } from './validation';

interface BundledFunctionProps {
  /** The directory below assets/ that holds the bundle. */
  readonly bundle: 'authorizer' | 'on-deploy' | 'provider' | 'rotate-keys';
  /** The bundle's export; `handler` where absent. */
  readonly export?: string;
  /** Files that stand beside the bundle, by name. */
  readonly files?: { readonly [name: string]: string };
  readonly description: string;
  readonly memorySize: number;
  readonly timeout: Duration;
  readonly logs: LogKeeping;
  /** Whether AWS X-Ray is told of each call. */
  readonly tracingEnabled?: boolean;
  readonly environment?: { [name: string]: string };
  readonly reservedConcurrentExecutions?: number;
  /** The role then has to allow what Lambda does there. */
  readonly vpc?: IVpc;
  readonly vpcSubnets?: SubnetSelection;
  readonly securityGroups?: ISecurityGroup[];
}

/** A function from its bundle, with a log group of its own and a role that may write there and nothing else. */
export function bundledFunction(scope: Construct, id: string, props: BundledFunctionProps): LambdaFunction {
  const { bundle, export: exported = 'handler', files, logs, tracingEnabled, ...options } = props;
  const ownLogs = logGroup(scope, `${id}Logs`, logs);
  // Not the managed AWSLambdaBasicExecutionRole, which may write to every log group of the account.
  const role = new Role(scope, `${id}Role`, { assumedBy: new ServicePrincipal('lambda.amazonaws.com') });
  ownLogs.grantWrite(role);
  if (tracingEnabled) {
    Validations.of(role).acknowledge({
      id: 'AwsSolutions::AwsSolutions-IAM5[Resource::*]',
      reason: 'What is sent to X-Ray belongs to no resource that a role could be held to.',
    });
  }
  // This file runs as dist/lib/bundled-function.js.
  const directory = join(__dirname, '..', '..', 'assets', bundle);
  const fromDirectory = (code: string) =>
    new LambdaFunction(scope, id, {
      ...options,
      tracing: tracingEnabled ? Tracing.ACTIVE : undefined,
      runtime: Runtime.NODEJS_24_X,
      architecture: Architecture.ARM_64,
      code: Code.fromAsset(code),
      handler: `index.${exported}`,
      role,
      logGroup: ownLogs,
    });
  return files ? withFiles(scope, directory, files, fromDirectory) : fromDirectory(directory);
}

/** Makes a function from a copy of a directory with more files in it, which lasts until CDK has staged it. */
function withFiles(
  scope: Construct,
  directory: string,
  files: { readonly [name: string]: string },
  make: (directory: string) => LambdaFunction,
): LambdaFunction {
  const copy = FileSystem.mkdtemp('mcp-oidc-auth-');
  FileSystem.copyDirectory(directory, copy);
  for (const [name, content] of Object.entries(files)) {
    writeFileSync(join(copy, name), content);
  }
  try {
    return make(copy);
  } finally {
    // Without staging the assembly names the copy itself.
    if (!scope.node.tryGetContext(DISABLE_ASSET_STAGING_CONTEXT)) {
      rmSync(copy, { recursive: true });
    }
  }
}

/** AWS Lambda's limit for all environment variables of a function together. */
const LARGEST_ENVIRONMENT = 4096;

/** Hands a function its configuration. */
export function configure(
  fn: LambdaFunction,
  config: AuthorizerConfig | OnDeployConfig | ProviderConfig | RotateKeysConfig,
): void {
  // Tokens count with the length of their placeholders, so this is a little less than what Lambda will count.
  const size = Buffer.byteLength(JSON.stringify(config));
  if (size > LARGEST_ENVIRONMENT) {
    refuse(
      `the configuration of ${fn.node.path} must fit into ${LARGEST_ENVIRONMENT} bytes of environment, got ${size}: ` +
        'use fewer or shorter values (a group instead of many people, fewer tool scopes).',
    );
  }
  fn.addEnvironment(CONFIG, Stack.of(fn).toJsonString(config));
}
