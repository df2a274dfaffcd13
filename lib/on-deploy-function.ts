import { Duration } from 'aws-cdk-lib';
import type { ITableV2 } from 'aws-cdk-lib/aws-dynamodb';
import { PolicyStatement } from 'aws-cdk-lib/aws-iam';
import type { IKey } from 'aws-cdk-lib/aws-kms';
import type { Function as LambdaFunction } from 'aws-cdk-lib/aws-lambda';
import type { ISecret } from 'aws-cdk-lib/aws-secretsmanager';
import type { Construct } from 'constructs';
import { bundledFunction, configure } from './bundled-function';
import { CLIENT_PREFIX, RESOURCES_PARTITION } from './contract';
import { useThrough } from './encryption-key';
import type { LogKeeping } from './log-group';
import type { SigningAlgorithm } from './signing-algorithm';

interface OnDeployFunctionProps {
  readonly table: ITableV2;
  readonly keySetSecret: ISecret;
  /** Of access tokens. */
  readonly algorithm: SigningAlgorithm;
  readonly privateUseSchemes?: readonly string[];
  readonly encryptionKey?: IKey;
  readonly logs: LogKeeping;
}

/** What is behind the custom resources: a function that may write configuration into the table, and the first key set. */
export function onDeployFunction(scope: Construct, id: string, props: OnDeployFunctionProps): LambdaFunction {
  const { table, keySetSecret, algorithm, privateUseSchemes, encryptionKey, logs } = props;
  const fn = bundledFunction(scope, id, {
    bundle: 'on-deploy',
    description:
      'Makes the first key set of the MCP authorization server and registers its protected resources and clients.',
    memorySize: 256,
    timeout: Duration.minutes(1),
    logs,
  });
  configure(fn, { tableName: table.tableName, keySetSecretArn: keySetSecret.secretArn, algorithm, privateUseSchemes });
  fn.role?.addToPrincipalPolicy(
    new PolicyStatement({
      actions: ['dynamodb:PutItem', 'dynamodb:DeleteItem'],
      resources: [table.tableArn],
      // By prefix, and also where no client is declared: when the last one goes, it is deleted after the role has been updated.
      conditions: { 'ForAllValues:StringLike': { 'dynamodb:LeadingKeys': [RESOURCES_PARTITION, `${CLIENT_PREFIX}*`] } },
    }),
  );
  fn.role?.addToPrincipalPolicy(
    new PolicyStatement({
      actions: ['secretsmanager:GetSecretValue', 'secretsmanager:PutSecretValue'],
      resources: [keySetSecret.secretArn],
    }),
  );
  useThrough('dynamodb', fn, encryptionKey, 'read');
  useThrough('secretsmanager', fn, encryptionKey, 'write');
  return fn;
}
