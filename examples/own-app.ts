import { App, Stack } from 'aws-cdk-lib';
import { LambdaIntegration, ResponseTransferMode, RestApi } from 'aws-cdk-lib/aws-apigateway';
import { Code, Function as LambdaFunction, Runtime } from 'aws-cdk-lib/aws-lambda';
import { Secret } from 'aws-cdk-lib/aws-secretsmanager';
import { McpOidcAuth, UpstreamIdp } from 'mcp-oidc-auth';

const app = new App();
const stack = new Stack(app, 'MyMcpServer');

// The authorization server, in front of the identity provider that you have.
const auth = new McpOidcAuth(stack, 'Auth', {
  upstream: UpstreamIdp.oidc({
    issuer: 'https://login.example.com',
    clientId: 'mcp',
    clientSecret: Secret.fromSecretNameV2(stack, 'UpstreamSecret', 'mcp/upstream'),
    allow: [{ claim: 'email', values: ['@example.com'] }], // who may sign in
  }),
});

// Your MCP server, on a REST API that streams its answers.
const server = new LambdaFunction(stack, 'Server', {
  runtime: Runtime.NODEJS_24_X,
  code: Code.fromAsset('server'),
  handler: 'index.handler',
});
const api = new RestApi(stack, 'Api');

// From here on only people who consented get through, and the handler knows who they are.
auth.protectRestApi(api, {
  name: 'Reports',
  integration: new LambdaIntegration(server, { responseTransferMode: ResponseTransferMode.STREAM }),
  scopes: [
    { name: 'reports:read', description: 'Read your reports', default: true },
    { name: 'reports:write', description: 'Change your reports' },
  ],
  toolScopes: { update_report: ['reports:write'] },
});
