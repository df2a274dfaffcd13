import { ACCOUNT, PARTITION } from '../account';
import type { JsonObject } from '../json';
import { StartError } from '../start-error';
import { physicalName } from './physical-id';
import type { DeclaredResource, Deployment, ManagedPolicy, ResourceType, Role } from './resource-type';

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
      const inTemplate = (stack.template.Resources?.[logicalId]?.Properties?.Policies ?? []) as typeof inline;
      const managed = (properties.ManagedPolicyArns ?? []) as string[];
      const arn = iamArn(`role/${name}`);
      const role: Role = {
        logicalId,
        name,
        policies: [],
        declared: new Map(),
        assumeRolePolicy: properties.AssumeRolePolicyDocument as JsonObject,
      };
      inline.forEach(({ PolicyDocument }, index) => {
        addPolicy(role, PolicyDocument, inTemplate[index]!.PolicyDocument);
      });
      for (const policyArn of managed) {
        const { document, declared } = managedPolicy(policyArn, deployment);
        addPolicy(role, document, declared);
      }
      deployment.roles.set(arn, role);
      return { ref: name, attributes: { Arn: arn, RoleId: 'AROALOCAL' } };
    },
  },
  'AWS::IAM::Policy': {
    properties: ['PolicyDocument', 'Roles'],
    create(resource, deployment) {
      attach(resource, deployment);
      return { ref: physicalName(resource.stack.name, resource.logicalId, 128), attributes: {} };
    },
  },
  'AWS::IAM::ManagedPolicy': {
    properties: ['ManagedPolicyName', 'PolicyDocument', 'Roles'],
    create(resource, deployment) {
      const { stack, logicalId, properties } = resource;
      const arn = iamArn(`policy/${properties.ManagedPolicyName ?? physicalName(stack.name, logicalId, 128)}`);
      deployment.managedPolicies.set(arn, {
        document: properties.PolicyDocument as JsonObject,
        declared: declaredDocument(resource),
      });
      attach(resource, deployment);
      return { ref: arn, attributes: { PolicyArn: arn } };
    },
  },
};

function iamArn(resource: string): string {
  return `arn:${PARTITION}:iam::${ACCOUNT}:${resource}`;
}

function attach(resource: DeclaredResource, deployment: Deployment): void {
  const { properties } = resource;
  for (const name of (properties.Roles ?? []) as string[]) {
    const role = deployment.roles.get(iamArn(`role/${name}`));
    if (!role) throw new StartError(`There is no role ${name} to attach the policy to.`);
    addPolicy(role, properties.PolicyDocument as JsonObject, declaredDocument(resource));
  }
}

function addPolicy(role: Role, document: JsonObject, declared: JsonObject): void {
  role.policies.push(document);
  role.declared.set(document, declared);
}

function declaredDocument({ stack, logicalId }: DeclaredResource): JsonObject {
  return stack.template.Resources![logicalId]!.Properties!.PolicyDocument as JsonObject;
}

function managedPolicy(policyArn: string, deployment: Deployment): ManagedPolicy {
  const own = deployment.managedPolicies.get(policyArn);
  if (own) return own;
  const actions = AWS_MANAGED[policyArn.replace(`arn:${PARTITION}:iam::aws:policy/`, '')];
  if (!actions) throw new StartError(`What the managed policy ${policyArn} allows is not known here.`);
  const document = { Version: '2012-10-17', Statement: [{ Effect: 'Allow', Action: [...actions], Resource: '*' }] };
  return { document, declared: document };
}
