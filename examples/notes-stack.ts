import { join } from 'node:path';
import { CfnOutput, CfnParameter, Duration, RemovalPolicy, Stack, type StackProps, Validations } from 'aws-cdk-lib';
import { EndpointType, LambdaIntegration, ResponseTransferMode, RestApi } from 'aws-cdk-lib/aws-apigateway';
import { AttributeType, TableV2 } from 'aws-cdk-lib/aws-dynamodb';
import { Role, ServicePrincipal } from 'aws-cdk-lib/aws-iam';
import { Architecture, Code, Function as LambdaFunction, Runtime } from 'aws-cdk-lib/aws-lambda';
import { LogGroup, RetentionDays } from 'aws-cdk-lib/aws-logs';
import { Secret } from 'aws-cdk-lib/aws-secretsmanager';
import type { Construct } from 'constructs';
import { McpOidcAuth, type McpOidcAuthProps, UpstreamIdp } from 'mcp-oidc-auth';

export interface NotesStackProps extends StackProps {
  /** What the authorization server is to be beyond its defaults. */
  readonly auth?: Omit<McpOidcAuthProps, 'upstream'>;
}

/** An MCP server that keeps notes, and the authorization server that says whose notes they are. */
export class NotesStack extends Stack {
  constructor(scope: Construct, id: string, props: NotesStackProps = {}) {
    super(scope, id, props);

    // Your identity provider, and the one client that you created there. In your own app you may as well write the values here.
    const issuer = new CfnParameter(this, 'UpstreamIssuer', {
      description: 'The OpenID Connect issuer that people sign in at, as its discovery document spells it.',
    });
    const clientId = new CfnParameter(this, 'UpstreamClientId', {
      description: 'The identifier of the client that you created there.',
    });
    const secretName = new CfnParameter(this, 'UpstreamSecretName', {
      description: 'The name of the secret in AWS Secrets Manager whose value is the client secret, as plain text.',
    });
    Validations.of(this).acknowledge({
      id: 'CloudFormation-Validate::W2509',
      reason: 'The name of a secret is no secret.',
    });

    // The authorization server. `allow` would say who may sign in: [{ claim: 'email', values: ['@example.com'] }].
    const auth = new McpOidcAuth(this, 'Auth', {
      upstream: UpstreamIdp.oidc({
        issuer: issuer.valueAsString,
        clientId: clientId.valueAsString,
        clientSecret: Secret.fromSecretNameV2(this, 'UpstreamSecret', secretName.valueAsString),
        claims: ['email'],
      }),
      ...props.auth,
    });

    // The MCP server: a function behind a REST API that streams its answers. An edge-optimized one would end a stream that is silent for 30 s.
    const server = this.notesServer();
    const api = new RestApi(this, 'NotesApi', { endpointTypes: [EndpointType.REGIONAL] });
    this.acknowledgeRules(api);

    // Both together: only who has a token for this server gets through, and the function reads in its event who that is.
    const notes = auth.protectRestApi(api, {
      name: 'Notes',
      integration: new LambdaIntegration(server, {
        responseTransferMode: ResponseTransferMode.STREAM,
        timeout: Duration.minutes(5),
      }),
      scopes: [
        {
          name: 'notes:use',
          description: 'Connect to your notes',
          descriptions: { de: 'Sich mit Ihren Notizen verbinden', fr: 'Se connecter à vos notes' },
          default: true,
        },
        {
          name: 'notes:read',
          description: 'Read your notes',
          descriptions: { de: 'Ihre Notizen lesen', fr: 'Lire vos notes' },
        },
        {
          name: 'notes:write',
          description: 'Add notes',
          descriptions: { de: 'Notizen hinzufügen', fr: 'Ajouter des notes' },
          implies: ['notes:read'],
        },
      ],
      toolScopes: { list_notes: ['notes:read'], add_note: ['notes:write'] },
      claims: ['email'],
    });

    new CfnOutput(this, 'Issuer', { value: auth.issuer, description: 'The authorization server.' });
    new CfnOutput(this, 'McpUrl', { value: notes.url, description: 'What MCP clients connect to.' });
    new CfnOutput(this, 'TableName', { value: auth.table.tableName, description: 'What operators name by --table.' });
    new CfnOutput(this, 'KeySetSecretArn', {
      value: auth.keySetSecret.secretArn,
      description: 'What operators name by --secret.',
    });
    new CfnOutput(this, 'CallbackUrl', {
      value: auth.callbackUrl,
      description: 'The redirect URI to add to the client at your identity provider.',
    });
  }

  /** What cdk-nag finds on the API, and why it stays as it is. */
  private acknowledgeRules(api: RestApi): void {
    const logs =
      'Logs of a REST API need a role in the settings of the account, without which the first deployment fails.';
    Validations.of(api).acknowledge(
      { id: 'AwsSolutions::AwsSolutions-APIG1', reason: logs },
      { id: 'AwsSolutions::AwsSolutions-APIG6', reason: logs },
      {
        id: 'AwsSolutions::AwsSolutions-APIG2',
        reason: 'The MCP server checks each message against its JSON schemas.',
      },
      { id: 'AwsSolutions::AwsSolutions-APIG3', reason: 'A web ACL costs by the month. Add one where you need it.' },
    );
  }

  private notesServer(): LambdaFunction {
    const table = new TableV2(this, 'Notes', {
      partitionKey: { name: 'person', type: AttributeType.STRING },
      sortKey: { name: 'id', type: AttributeType.STRING },
    });
    // A role of its own, that may do what the server does and nothing else.
    const logGroup = new LogGroup(this, 'NotesServerLogs', {
      retention: RetentionDays.ONE_MONTH,
      removalPolicy: RemovalPolicy.DESTROY,
    });
    const role = new Role(this, 'NotesServerRole', { assumedBy: new ServicePrincipal('lambda.amazonaws.com') });
    logGroup.grantWrite(role);
    const server = new LambdaFunction(this, 'NotesServer', {
      runtime: Runtime.NODEJS_24_X,
      architecture: Architecture.ARM_64,
      code: Code.fromAsset(join(__dirname, '..', '..', 'assets', 'example-notes-server')),
      handler: 'index.handler',
      memorySize: 512,
      timeout: Duration.minutes(5),
      environment: { TABLE_NAME: table.tableName },
      role,
      logGroup,
    });
    table.grant(server, 'dynamodb:Query', 'dynamodb:PutItem');
    return server;
  }
}
