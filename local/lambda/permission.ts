import { runSimulation } from '@cloud-copilot/iam-simulate';
import { ACCOUNT } from '../account';

/** A statement of a function's resource policy, as `AWS::Lambda::Permission` adds it. */
export interface Permission {
  readonly action: string;
  readonly principal: string;
  readonly sourceArn?: string;
  readonly sourceAccount?: string;
}

/** The service that invokes a function, and the resource in whose name it does. */
export interface Invoker {
  /** The service principal, for example `apigateway.amazonaws.com`. */
  readonly service: string;
  readonly sourceArn: string;
}

/** Whether the resource policy of a function lets the service invoke it. */
export async function isInvocationAllowed(
  functionArn: string,
  permissions: readonly Permission[],
  invoker: Invoker,
): Promise<boolean> {
  if (permissions.length === 0) return false;
  const result = await runSimulation(
    {
      request: {
        action: 'lambda:InvokeFunction',
        resource: { resource: functionArn, accountId: ACCOUNT },
        principal: invoker.service,
        contextVariables: { 'aws:SourceArn': invoker.sourceArn, 'aws:SourceAccount': ACCOUNT },
      },
      identityPolicies: [],
      serviceControlPolicies: [],
      resourceControlPolicies: [],
      resourcePolicy: {
        Version: '2012-10-17',
        Statement: permissions.map((permission) => statement(functionArn, permission)),
      },
    },
    {},
  );
  if (result.resultType === 'error') throw new Error(`The permissions of ${functionArn}: ${result.errors.message}`);
  return result.overallResult === 'Allowed';
}

function statement(functionArn: string, permission: Permission): object {
  const { action, principal, sourceArn, sourceAccount } = permission;
  return {
    Effect: 'Allow',
    Principal: { [principal.endsWith('.amazonaws.com') ? 'Service' : 'AWS']: principal },
    Action: action,
    Resource: functionArn,
    Condition: {
      ...(sourceArn === undefined ? {} : { ArnLike: { 'aws:SourceArn': sourceArn } }),
      ...(sourceAccount === undefined ? {} : { StringEquals: { 'aws:SourceAccount': sourceAccount } }),
    },
  };
}
