import { App, Stack } from 'aws-cdk-lib';
import { Template } from 'aws-cdk-lib/assertions';
import * as apigateway from 'aws-cdk-lib/aws-apigateway';
import { LambdaIntegration, type RestApi, type RestApiProps } from 'aws-cdk-lib/aws-apigateway';
import { Code, Function as LambdaFunction, Runtime } from 'aws-cdk-lib/aws-lambda';
import { Secret } from 'aws-cdk-lib/aws-secretsmanager';
import { McpOidcAuth, type McpOidcAuthProps, type OidcUpstreamProps, UpstreamIdp } from 'mcp-oidc-auth';

type Json = Record<string, unknown>;

/** A resource of a template. */
export interface Resource {
  readonly Type: string;
  // biome-ignore lint/suspicious/noExplicitAny: the shape of a template is what the tests look at
  readonly Properties: any;
  readonly DependsOn?: string | string[];
  readonly DeletionPolicy?: string;
  readonly UpdateReplacePolicy?: string;
}

export function newStack(context: Json = {}): Stack {
  return new Stack(new App({ context }), 'Stack');
}

export function upstream(stack: Stack, props: Partial<OidcUpstreamProps> = {}): UpstreamIdp {
  return UpstreamIdp.oidc({
    issuer: 'https://idp.example.com',
    clientId: 'mcp',
    clientSecret: Secret.fromSecretNameV2(stack, 'UpstreamSecret', 'upstream'),
    ...props,
  });
}

export function newAuth(stack: Stack, props: Partial<McpOidcAuthProps> = {}): McpOidcAuth {
  return new McpOidcAuth(stack, 'Auth', { ...props, upstream: props.upstream ?? upstream(stack) });
}

export const SCOPES = [
  { name: 'notes:use', description: 'Connect to your notes' },
  { name: 'notes:read', description: 'Read your notes' },
  { name: 'notes:write', description: 'Add notes', implies: ['notes:read'] },
];

export function mcpServer(stack: Stack): LambdaFunction {
  return new LambdaFunction(stack, 'Server', {
    runtime: Runtime.NODEJS_24_X,
    handler: 'index.handler',
    code: Code.fromInline('exports.handler = async () => ({ statusCode: 204 })'),
  });
}

export function restApi(stack: Stack, props: RestApiProps = {}): { api: RestApi; integration: LambdaIntegration } {
  return { api: new apigateway.RestApi(stack, 'Api', props), integration: new LambdaIntegration(mcpServer(stack)) };
}

/** All resources of a stack by logical id. */
export function resources(stack: Stack): Record<string, Resource> {
  return Template.fromStack(stack).toJSON().Resources;
}

/** The resources of one type, as [logical id, resource]. */
export function ofType(stack: Stack, type: string): [string, Resource][] {
  return Object.entries(resources(stack)).filter(([, resource]) => resource.Type === type);
}

/** A template value with its references written as `<LogicalId.Attribute>`. */
export function text(value: unknown): string {
  if (typeof value === 'string') {
    return value;
  }
  const intrinsic = value as Json;
  if ('Ref' in intrinsic) {
    return `<${intrinsic.Ref}>`;
  }
  if ('Fn::GetAtt' in intrinsic) {
    return `<${(intrinsic['Fn::GetAtt'] as string[]).join('.')}>`;
  }
  if ('Fn::Join' in intrinsic) {
    const [separator, parts] = intrinsic['Fn::Join'] as [string, unknown[]];
    return parts.map(text).join(separator);
  }
  if ('Fn::ImportValue' in intrinsic) {
    return `<import ${text(intrinsic['Fn::ImportValue'])}>`;
  }
  if ('Fn::GetStackOutput' in intrinsic) {
    return `<output ${Object.values(intrinsic['Fn::GetStackOutput'] as Json)
      .map(text)
      .join('.')}>`;
  }
  throw new Error(`No text for ${JSON.stringify(value)}`);
}

/** CONFIG of the function whose logical id begins so. */
// biome-ignore lint/suspicious/noExplicitAny: the tests compare it with what they expect
export function configOf(stack: Stack, prefix: string): any {
  const found = ofType(stack, 'AWS::Lambda::Function').filter(([id]) => new RegExp(`^${prefix}[0-9A-F]{8}$`).test(id));
  if (found.length !== 1) {
    throw new Error(`${found.length} functions begin with ${prefix}`);
  }
  return JSON.parse(text(found[0]?.[1].Properties.Environment.Variables.CONFIG));
}

/** The logical id of the one resource of a type whose id begins so. */
export function idOf(stack: Stack, type: string, prefix = ''): string {
  const found = ofType(stack, type).filter(([id]) => id.startsWith(prefix));
  if (found.length !== 1) {
    throw new Error(`${found.length} resources of ${type} begin with '${prefix}'`);
  }
  return found[0]?.[0] as string;
}

/** What the role of a function may do, as sorted `action on resource` lines. */
export function permissionsOf(stack: Stack, rolePrefix: string): string[] {
  const role = idOf(stack, 'AWS::IAM::Role', rolePrefix);
  const policies = ofType(stack, 'AWS::IAM::Policy').filter(([, policy]) =>
    policy.Properties.Roles.some((attached: { Ref: string }) => attached.Ref === role),
  );
  return policies
    .flatMap(([, policy]) => policy.Properties.PolicyDocument.Statement)
    .flatMap((statement) => {
      const condition = statement.Condition ? ` if ${JSON.stringify(statement.Condition)}` : '';
      return [statement.Action].flat().flatMap((action: string) =>
        // A list of resources is an array; a single one an object or a string.
        [statement.Resource].flat().map((on: unknown) => `${statement.Effect} ${action} on ${text(on)}${condition}`),
      );
    })
    .sort();
}
