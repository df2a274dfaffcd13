import { ACCOUNT, PARTITION } from '../account';
import type { JsonObject } from '../json';
import { StartError } from '../start-error';
import { physicalName } from './physical-id';
import type { Deployment, ResourceType } from './resource-type';

const LOGGING = ['logs:CreateLogGroup', 'logs:CreateLogStream', 'logs:PutLogEvents'];
/** What AWS's own managed policies allow, as far as constructs attach them without being asked. */
const AWS_MANAGED: Readonly<Record<string, readonly string[]>> = {
  'service-role/AWSLambdaBasicExecutionRole': LOGGING,
  'service-role/AmazonAPIGatewayPushToCloudWatchLogs': [
    ...LOGGING,
    'logs:DescribeLogGroups',
    'logs:DescribeLogStreams',
    'logs:GetLogEvents',
    'logs:FilterLogEvents',
  ],
};

export const IAM: Record<string, ResourceType> = {
  'AWS::IAM::Role': {
    properties: ['AssumeRolePolicyDocument', 'ManagedPolicyArns', 'Policies', 'RoleName'],
    create({ stack, logicalId, properties }, deployment) {
      const name = String(properties.RoleName ?? physicalName(stack.name, logicalId, 64));
      const inline = (properties.Policies ?? []) as { PolicyDocument: JsonObject }[];
      const managed = (properties.ManagedPolicyArns ?? []) as string[];
      const arn = iamArn(`role/${name}`);
      deployment.roles.set(arn, {
        name,
        policies: [
          ...inline.map(({ PolicyDocument }) => PolicyDocument),
          ...managed.map((policyArn) => managedPolicy(policyArn, deployment)),
        ],
        assumeRolePolicy: properties.AssumeRolePolicyDocument as JsonObject,
      });
      return { ref: name, attributes: { Arn: arn, RoleId: 'AROALOCAL' } };
    },
  },
  'AWS::IAM::Policy': {
    properties: ['PolicyDocument', 'Roles'],
    create({ stack, logicalId, properties }, deployment) {
      attach(properties, deployment);
      return { ref: physicalName(stack.name, logicalId, 128), attributes: {} };
    },
  },
  'AWS::IAM::ManagedPolicy': {
    properties: ['ManagedPolicyName', 'PolicyDocument', 'Roles'],
    create({ stack, logicalId, properties }, deployment) {
      const arn = iamArn(`policy/${properties.ManagedPolicyName ?? physicalName(stack.name, logicalId, 128)}`);
      deployment.managedPolicies.set(arn, properties.PolicyDocument as JsonObject);
      attach(properties, deployment);
      return { ref: arn, attributes: { PolicyArn: arn } };
    },
  },
};

function iamArn(resource: string): string {
  return `arn:${PARTITION}:iam::${ACCOUNT}:${resource}`;
}

function attach(properties: JsonObject, deployment: Deployment): void {
  for (const name of (properties.Roles ?? []) as string[]) {
    const role = deployment.roles.get(iamArn(`role/${name}`));
    if (!role) throw new StartError(`There is no role ${name} to attach the policy to.`);
    role.policies.push(properties.PolicyDocument as JsonObject);
  }
}

function managedPolicy(policyArn: string, deployment: Deployment): object {
  const own = deployment.managedPolicies.get(policyArn);
  if (own) return own;
  const actions = AWS_MANAGED[policyArn.replace(`arn:${PARTITION}:iam::aws:policy/`, '')];
  if (!actions) throw new StartError(`What the managed policy ${policyArn} allows is not known here.`);
  return { Version: '2012-10-17', Statement: [{ Effect: 'Allow', Action: actions, Resource: '*' }] };
}
