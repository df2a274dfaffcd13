import { App, Stack } from 'aws-cdk-lib';
import { Certificate } from 'aws-cdk-lib/aws-certificatemanager';
import { Vpc } from 'aws-cdk-lib/aws-ec2';
import { Repository } from 'aws-cdk-lib/aws-ecr';
import { Cluster, ContainerImage } from 'aws-cdk-lib/aws-ecs';
import { ApplicationLoadBalancedFargateService } from 'aws-cdk-lib/aws-ecs-patterns';
import { Secret } from 'aws-cdk-lib/aws-secretsmanager';
import { McpOidcAuth, UpstreamIdp } from 'mcp-oidc-auth';

const app = new App();
const stack = new Stack(app, 'LoadBalancer');

const mcpUrl = 'https://mcp.example.com/mcp';
const auth = new McpOidcAuth(stack, 'Auth', {
  upstream: UpstreamIdp.oidc({
    issuer: 'https://login.example.com',
    clientId: 'mcp',
    clientSecret: Secret.fromSecretNameV2(stack, 'UpstreamSecret', 'mcp/upstream'),
    allow: [{ claim: 'email', values: ['@example.com'] }],
  }),
  resources: [{ identifier: mcpUrl, scopes: [{ name: 'reports:read', description: 'Read your reports' }] }],
});

// The container looks at the tokens (examples/container-server.ts): a load balancer sends no challenge.
const service = new ApplicationLoadBalancedFargateService(stack, 'Server', {
  cluster: new Cluster(stack, 'Cluster', { vpc: new Vpc(stack, 'Vpc') }),
  certificate: Certificate.fromCertificateArn(
    stack,
    'Certificate',
    'arn:aws:acm:eu-west-1:111122223333:certificate/12345678-1234-1234-1234-123456789012',
  ),
  taskImageOptions: {
    image: ContainerImage.fromEcrRepository(Repository.fromRepositoryName(stack, 'Images', 'reports'), '1'),
    environment: { ISSUER: auth.issuer, MCP_URL: mcpUrl, PORT: '80' },
  },
  minHealthyPercent: 100,
  circuitBreaker: { rollback: true },
});
// All other paths answer 401: a health check has no token.
service.targetGroup.configureHealthCheck({ path: '/.well-known/oauth-protected-resource/mcp' });
