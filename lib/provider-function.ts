import { Duration } from 'aws-cdk-lib';
import type { ITableV2 } from 'aws-cdk-lib/aws-dynamodb';
import type { ISecurityGroup, IVpc, SubnetSelection } from 'aws-cdk-lib/aws-ec2';
import { PolicyStatement } from 'aws-cdk-lib/aws-iam';
import type { IKey } from 'aws-cdk-lib/aws-kms';
import type { Function as LambdaFunction } from 'aws-cdk-lib/aws-lambda';
import type { ISecret } from 'aws-cdk-lib/aws-secretsmanager';
import type { Construct } from 'constructs';
import { bundledFunction } from './bundled-function';
import { CONFIG } from './contract';
import { useThrough } from './encryption-key';
import type { LogKeeping } from './log-group';
import { APPEARANCE_FILE, type Appearance } from './page-appearance';
import type { UpstreamIdp } from './upstream-idp';
import { checkDuration, checkNumber, refuse } from './validation';

/** Options of the provider function. */
export interface ProviderFunctionOptions {
  /**
   * In MiB, 256 to 10240. The function's share of CPU grows with it.
   *
   * @default 1024
   */
  readonly memorySize?: number;

  /**
   * At most 30 seconds, after which API Gateway gives up.
   *
   * @default Duration.seconds(29)
   */
  readonly timeout?: Duration;

  /**
   * Environment variables beside the function's own configuration, for example `NODE_EXTRA_CA_CERTS`.
   *
   * @default - none
   */
  readonly environment?: { [name: string]: string };

  /**
   * The most instances that may run at the same time. At least 1.
   *
   * @default - the account's limit
   */
  readonly reservedConcurrentExecutions?: number;

  /**
   * The network that the function reaches the upstream identity provider from, for example because that is in it. From there the function must
   * reach DynamoDB, Secrets Manager and, for Client ID Metadata Documents, the internet. The other functions call AWS alone, and stay outside.
   *
   * @default - outside any network of yours
   */
  readonly vpc?: IVpc;

  /**
   * Where in the VPC.
   *
   * @default - the private subnets with egress
   */
  readonly vpcSubnets?: SubnetSelection;

  /**
   * Of the function in the VPC.
   *
   * @default - one of its own, which lets everything out
   */
  readonly securityGroups?: ISecurityGroup[];
}

interface ProviderFunctionProps {
  readonly table: ITableV2;
  readonly keySetSecret: ISecret;
  readonly upstream: UpstreamIdp;
  readonly appearance?: Appearance;
  readonly encryptionKey?: IKey;
  readonly logs: LogKeeping;
  readonly tracingEnabled: boolean;
  readonly options: ProviderFunctionOptions;
}

/** The authorization server as a function that may use the table without scanning it, and read two secrets. */
export function providerFunction(scope: Construct, id: string, props: ProviderFunctionProps): LambdaFunction {
  const {
    memorySize = 1024,
    timeout = Duration.seconds(29),
    environment,
    reservedConcurrentExecutions,
    vpc,
    vpcSubnets,
    securityGroups,
  } = props.options;
  checkOptions(props.options);
  const fn = bundledFunction(scope, id, {
    bundle: 'provider',
    // Not with the configuration: a logo alone is larger than all environment variables may be.
    files: props.appearance && { [APPEARANCE_FILE]: JSON.stringify(props.appearance) },
    description: 'The MCP authorization server.',
    memorySize,
    timeout,
    logs: props.logs,
    tracingEnabled: props.tracingEnabled,
    environment,
    reservedConcurrentExecutions,
    vpc,
    vpcSubnets,
    securityGroups,
  });
  if (vpc) {
    // Lambda itself does it with the function's role. Before the network interfaces are there they have no names to be held to.
    fn.role?.addToPrincipalPolicy(new PolicyStatement({ actions: NETWORK_ACTIONS, resources: ['*'] }));
  }
  fn.role?.addToPrincipalPolicy(
    new PolicyStatement({
      actions: [
        'dynamodb:BatchGetItem',
        'dynamodb:DeleteItem',
        'dynamodb:PutItem',
        'dynamodb:Query',
        'dynamodb:UpdateItem',
      ],
      resources: [props.table.tableArn],
    }),
  );
  fn.role?.addToPrincipalPolicy(
    new PolicyStatement({ actions: ['secretsmanager:GetSecretValue'], resources: [props.keySetSecret.secretArn] }),
  );
  useThrough('dynamodb', fn, props.encryptionKey, 'read');
  useThrough('secretsmanager', fn, props.encryptionKey, 'read');
  props.upstream._grantReadSecret(fn);
  return fn;
}

/** AWS Lambda Developer Guide, "Required IAM permissions" for functions in a VPC. */
const NETWORK_ACTIONS = [
  'ec2:AssignPrivateIpAddresses',
  'ec2:CreateNetworkInterface',
  'ec2:DeleteNetworkInterface',
  'ec2:DescribeNetworkInterfaces',
  'ec2:DescribeSubnets',
  'ec2:UnassignPrivateIpAddresses',
];

/** A second is kept for the answer itself, and a cold start and one retry of a write have to fit into the rest. */
const SHORTEST_TIMEOUT = Duration.seconds(5);

function checkOptions({
  memorySize,
  timeout,
  environment,
  reservedConcurrentExecutions,
  vpc,
  vpcSubnets,
  securityGroups,
}: ProviderFunctionOptions): void {
  if (memorySize !== undefined) {
    checkNumber('functionOptions.memorySize', memorySize, { atLeast: 256, atMost: 10_240 });
  }
  if (timeout) {
    checkDuration('functionOptions.timeout', timeout, { atLeast: SHORTEST_TIMEOUT, atMost: Duration.seconds(30) });
  }
  if (environment && CONFIG in environment) {
    refuse(`functionOptions.environment must not have '${CONFIG}': the function's own configuration is there.`);
  }
  if (reservedConcurrentExecutions !== undefined) {
    checkNumber('functionOptions.reservedConcurrentExecutions', reservedConcurrentExecutions, { atLeast: 1 });
  }
  if (!vpc && (vpcSubnets || securityGroups)) {
    refuse('functionOptions must have vpc where they have vpcSubnets or securityGroups, which are in it.');
  }
}
