import { AccessControl } from '../../../local/aws/access-control';
import type { Caller } from '../../../local/aws/caller';

export const REGION = 'us-east-1';
export const ACCOUNT = '123456789012';

/** Statements that allow the actions on the resource. */
export function allow(actions: string[], resource: string | string[], condition?: object) {
  return {
    Version: '2012-10-17',
    Statement: [
      { Effect: 'Allow', Action: actions, Resource: resource, ...(condition ? { Condition: condition } : {}) },
    ],
  };
}

export function deny(actions: string[], resource: string) {
  return { Version: '2012-10-17', Statement: [{ Effect: 'Deny', Action: actions, Resource: resource }] };
}

export function newAccessControl() {
  return new AccessControl({ region: REGION, account: ACCOUNT });
}

export function addCaller(accessControl: AccessControl, functionName: string, ...policies: object[]): Caller {
  return accessControl.addCaller({
    functionName,
    roleArn: `arn:aws:iam::${ACCOUNT}:role/${functionName}-role`,
    policies,
  });
}

/** What an SDK client of the function is configured with. */
export function clientConfig(caller: Caller, endpoint: string) {
  const { accessKeyId, secretAccessKey, sessionToken } = caller;
  return { endpoint, region: REGION, credentials: { accessKeyId, secretAccessKey, sessionToken }, maxAttempts: 1 };
}
