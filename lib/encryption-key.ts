import { ArnFormat, Stack } from 'aws-cdk-lib';
import type { CfnGlobalTable, TableV2 } from 'aws-cdk-lib/aws-dynamodb';
import { PolicyStatement, ServicePrincipal } from 'aws-cdk-lib/aws-iam';
import type { IKey } from 'aws-cdk-lib/aws-kms';
import type { Function as LambdaFunction } from 'aws-cdk-lib/aws-lambda';
import type { Construct } from 'constructs';

/** What a function does with what lies there under a key of the operator's. */
const ACTIONS = {
  /** Reads a value. Also all that DynamoDB asks of its callers: it decrypts the table's own key, under which the items are. */
  read: ['kms:Decrypt'],
  /** Writes a value of a secret as well. */
  write: ['kms:Decrypt', 'kms:GenerateDataKey'],
};

/** Lets a function use a key of the operator's through a service, and in no other way. Nothing to do where AWS's own key is used. */
export function useThrough(
  service: 'dynamodb' | 'secretsmanager',
  fn: LambdaFunction,
  key: IKey | undefined,
  use: keyof typeof ACTIONS,
): void {
  if (!key) {
    return;
  }
  const { region, urlSuffix } = Stack.of(fn);
  fn.role?.addToPrincipalPolicy(
    new PolicyStatement({
      actions: ACTIONS[use],
      resources: [key.keyArn],
      conditions: { StringEquals: { 'kms:ViaService': `${service}.${region}.${urlSuffix}` } },
    }),
  );
}

/**
 * Lets CloudWatch Logs use a key for the log groups of this account and region
 * (https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/encrypt-log-data-kms.html). A key that the app only refers to has to have that in its
 * policy already.
 */
export function letLogsUse(key: IKey, scope: Construct): void {
  const stack = Stack.of(scope);
  key.addToResourcePolicy(
    new PolicyStatement({
      principals: [new ServicePrincipal(`logs.${stack.region}.amazonaws.com`)],
      actions: ['kms:Encrypt', 'kms:Decrypt', 'kms:ReEncrypt*', 'kms:GenerateDataKey*', 'kms:Describe*'],
      resources: ['*'],
      conditions: {
        ArnLike: {
          'kms:EncryptionContext:aws:logs:arn': stack.formatArn({
            service: 'logs',
            resource: 'log-group',
            resourceName: '*',
            arnFormat: ArnFormat.COLON_RESOURCE_NAME,
          }),
        },
      },
    }),
  );
}

/** By the L1, because TableV2 takes a key only in a stack that is bound to a region. */
export function encryptTable(table: TableV2, { keyArn: KMSMasterKeyId }: IKey): void {
  const resource = table.node.defaultChild as CfnGlobalTable;
  resource.sseSpecification = { sseEnabled: true, sseType: 'KMS' };
  resource.addPropertyOverride('Replicas.0.SSESpecification', { KMSMasterKeyId });
}
