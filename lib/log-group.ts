import { RemovalPolicy } from 'aws-cdk-lib';
import type { IKey } from 'aws-cdk-lib/aws-kms';
import { LogGroup, type RetentionDays } from 'aws-cdk-lib/aws-logs';
import type { Construct } from 'constructs';

/** How logs are kept. */
export interface LogKeeping {
  readonly retention: RetentionDays;
  /** Of the operator; a key of AWS where absent. */
  readonly encryptionKey?: IKey;
}

/** Logs are no state: they outlive their stack only as long as somebody pays for them. */
export function logGroup(scope: Construct, id: string, logs: LogKeeping): LogGroup {
  return new LogGroup(scope, id, { ...logs, removalPolicy: RemovalPolicy.DESTROY });
}
