import { randomBytes } from 'node:crypto';
import { arn } from '../account';
import type { Access } from '../aws/access-control';

/**
 * What Lambda does in the name of a function's role for each instance: it delivers the instance's log, and its traces where tracing is on.
 * https://docs.aws.amazon.com/lambda/latest/dg/lambda-intro-execution-role.html
 *
 * @param groupExists otherwise Lambda creates the log group
 */
export function platformCalls(options: { logGroupName: string; groupExists: boolean; isTraced: boolean }): Access[] {
  const group = arn('logs', `log-group:${options.logGroupName}`);
  const day = new Date().toISOString().slice(0, 10).replaceAll('-', '/');
  const stream = `${group}:log-stream:${day}/[$LATEST]${randomBytes(16).toString('hex')}`;
  return [
    ...(options.groupExists ? [] : [{ action: 'logs:CreateLogGroup', resource: group }]),
    { action: 'logs:CreateLogStream', resource: stream },
    { action: 'logs:PutLogEvents', resource: stream },
    ...(options.isTraced ? ['xray:PutTraceSegments', 'xray:PutTelemetryRecords'] : []).map((action) => ({
      action,
      resource: '*',
    })),
  ];
}
