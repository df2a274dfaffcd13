import { App, CfnOutput, Stack } from 'aws-cdk-lib';
import { Gateway, GatewayAuthorizer } from 'aws-cdk-lib/aws-bedrockagentcore';
import { Secret } from 'aws-cdk-lib/aws-secretsmanager';
import { McpOidcAuth, UpstreamIdp } from 'mcp-oidc-auth';

const app = new App();
const stack = new Stack(app, 'AgentCore');

const auth = new McpOidcAuth(stack, 'Auth', {
  upstream: UpstreamIdp.oidc({
    issuer: 'https://login.example.com',
    clientId: 'mcp',
    clientSecret: Secret.fromSecretNameV2(stack, 'UpstreamSecret', 'mcp/upstream'),
    allow: [{ claim: 'email', values: ['@example.com'] }],
  }),
});

// The Gateway checks tokens by itself, and tells clients where to sign in.
const gateway = new Gateway(stack, 'Gateway', {
  authorizerConfiguration: GatewayAuthorizer.usingCustomJwt({
    discoveryUrl: auth.discoveryUrl,
    // A scope that no other MCP server has: the Gateway's URL, for which its tokens are, cannot stand in its own template.
    allowedScopes: ['weather:use'],
  }),
});
const url = gateway.gatewayUrl as string;

auth.addResource(gateway, 'Registration', {
  identifier: url,
  name: 'Weather',
  scopes: [{ name: 'weather:use', description: 'Ask for the weather' }],
});

new CfnOutput(stack, 'Issuer', { value: auth.issuer });
new CfnOutput(stack, 'McpUrl', { value: url });
