import { App, CfnOutput, CfnParameter, Duration, Stack, Validations } from 'aws-cdk-lib';
import { EndpointType, LambdaIntegration, ResponseTransferMode, RestApi } from 'aws-cdk-lib/aws-apigateway';
import { Code, Function as LambdaFunction, Runtime } from 'aws-cdk-lib/aws-lambda';
import { Secret } from 'aws-cdk-lib/aws-secretsmanager';
import { McpOidcAuth, UpstreamIdp } from 'mcp-oidc-auth';

const app = new App();
const stack = new Stack(app, 'MyMcpServer');

// Parameters, so that `mcp-oidc-auth start` can give those of its demo identity provider; else you may write the values below.
const parameter = (id: string) => new CfnParameter(stack, id).valueAsString;
Validations.of(stack).acknowledge({
  id: 'CloudFormation-Validate::W2509',
  reason: 'The name of a secret is no secret.',
});

// The authorization server, in front of the identity provider that you have.
const auth = new McpOidcAuth(stack, 'Auth', {
  upstream: UpstreamIdp.oidc({
    issuer: parameter('UpstreamIssuer'),
    clientId: parameter('UpstreamClientId'),
    clientSecret: Secret.fromSecretNameV2(stack, 'UpstreamSecret', parameter('UpstreamSecretName')),
    allow: [{ claim: 'email', values: ['@example.com'] }], // who may sign in
  }),
});

// Your MCP server, on a REST API that streams its answers: a regional one, since others end a stream that is silent for 30 seconds.
const server = new LambdaFunction(stack, 'Server', {
  runtime: Runtime.NODEJS_24_X,
  code: Code.fromAsset('server'),
  handler: 'index.handler',
  timeout: Duration.minutes(5),
});
const api = new RestApi(stack, 'Api', { endpointTypes: [EndpointType.REGIONAL] });

// From here on only people who consented get through, and the handler knows who they are.
const mcp = auth.protectRestApi(api, {
  name: 'Reports',
  integration: new LambdaIntegration(server, {
    responseTransferMode: ResponseTransferMode.STREAM,
    timeout: Duration.minutes(5),
  }),
  scopes: [
    { name: 'reports:read', description: 'Read your reports', default: true },
    { name: 'reports:write', description: 'Change your reports' },
  ],
  toolScopes: { update_report: ['reports:write'] },
});

// What is printed after a deployment, for you and for the commands.
const outputs = {
  CallbackUrl: auth.callbackUrl,
  Issuer: auth.issuer,
  McpUrl: mcp.url,
  TableName: auth.table.tableName,
  KeySetSecretArn: auth.keySetSecret.secretArn,
};
for (const [name, value] of Object.entries(outputs)) new CfnOutput(stack, name, { value });
