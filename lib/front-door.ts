import { Token, Validations } from 'aws-cdk-lib';
import { AccessLogField, AccessLogFormat } from 'aws-cdk-lib/aws-apigateway';
import {
  DomainName,
  HttpApi,
  type HttpMethod,
  HttpStage,
  LogGroupLogDestination,
  type ThrottleSettings,
} from 'aws-cdk-lib/aws-apigatewayv2';
import { HttpLambdaIntegration } from 'aws-cdk-lib/aws-apigatewayv2-integrations';
import type { ICertificate } from 'aws-cdk-lib/aws-certificatemanager';
import type { Function as LambdaFunction } from 'aws-cdk-lib/aws-lambda';
import type { LogGroup } from 'aws-cdk-lib/aws-logs';
import { ARecord, type IHostedZone, RecordTarget } from 'aws-cdk-lib/aws-route53';
import { ApiGatewayv2DomainProperties } from 'aws-cdk-lib/aws-route53-targets';
import { Construct, type IDependable } from 'constructs';
import { ROUTES } from './contract';
import { type LogKeeping, logGroup } from './log-group';
import { checkNumber, refuse } from './validation';

/** A domain of your own for the authorization server. */
export interface CustomDomainProps {
  /**
   * The host, for example `auth.example.com`. The issuer becomes `https://auth.example.com`.
   */
  readonly domainName: string;

  /**
   * A certificate for the domain, in the stack's region.
   */
  readonly certificate: ICertificate;

  /**
   * The Route 53 zone that gets the alias record.
   *
   * @default - no record; create one for the regional domain name that API Gateway shows for the custom domain
   */
  readonly hostedZone?: IHostedZone;
}

interface FrontDoorProps {
  readonly handler: LambdaFunction;
  readonly customDomain?: CustomDomainProps;
  readonly throttle: ThrottleSettings;
  readonly logs: LogKeeping;
  /** What must be in place before the first request arrives. */
  readonly opensAfter: IDependable;
}

/** The HTTP API in front of the authorization server: an explicit route for each path and method, so that unknown paths cost nothing. */
export class FrontDoor extends Construct {
  readonly api: HttpApi;
  readonly issuer: string;
  readonly accessLogs: LogGroup;

  constructor(scope: Construct, id: string, props: FrontDoorProps) {
    super(scope, id);
    const { customDomain } = props;
    checkThrottle(props.throttle);
    if (customDomain) {
      checkDomain(customDomain);
    }

    this.api = new HttpApi(this, 'Api', {
      description: 'MCP authorization server',
      createDefaultStage: false,
      disableExecuteApiEndpoint: customDomain !== undefined,
    });
    Validations.of(this.api).acknowledge({
      id: 'AwsSolutions::AwsSolutions-APIG4',
      reason:
        'An authorization server is what authorizers rely on. Its endpoints authenticate clients and people themselves (RFC 6749, RFC 7636), or are public by specification (RFC 8414, RFC 7517, RFC 7591).',
    });
    const integration = new HttpLambdaIntegration('Provider', props.handler, {
      // One permission for all routes: one for each would come close to the 20 KB that a function's policy may have.
      scopePermissionToRoute: false,
    });
    for (const { path, methods } of ROUTES) {
      this.api.addRoutes({ path, methods: methods as HttpMethod[], integration });
    }

    const domainName = customDomain && this.domain(customDomain);
    this.accessLogs = logGroup(this, 'AccessLogs', props.logs);
    const stage = new HttpStage(this, 'Stage', {
      httpApi: this.api,
      stageName: '$default',
      autoDeploy: true,
      throttle: props.throttle,
      domainMapping: domainName && { domainName },
      accessLogSettings: {
        destination: new LogGroupLogDestination(this.accessLogs),
        format: ACCESS_LOG_FORMAT,
      },
    });
    stage.node.addDependency(props.opensAfter);
    this.issuer = customDomain ? `https://${customDomain.domainName}` : this.api.apiEndpoint;
  }

  private domain({ domainName, certificate, hostedZone }: CustomDomainProps): DomainName {
    const domain = new DomainName(this, 'Domain', { domainName, certificate });
    if (hostedZone) {
      new ARecord(this, 'Alias', {
        zone: hostedZone,
        recordName: domainName,
        target: RecordTarget.fromAlias(
          new ApiGatewayv2DomainProperties(domain.regionalDomainName, domain.regionalHostedZoneId),
        ),
      });
    }
    return domain;
  }
}

/** Routes rather than paths, and no query strings: those carry codes, states and handles. */
const ACCESS_LOG_FORMAT = AccessLogFormat.custom(
  JSON.stringify({
    requestId: AccessLogField.contextRequestId(),
    time: AccessLogField.contextRequestTime(),
    ip: AccessLogField.contextIdentitySourceIp(),
    userAgent: AccessLogField.contextIdentityUserAgent(),
    route: AccessLogField.contextRouteKey(),
    status: AccessLogField.contextStatus(),
    latency: AccessLogField.contextResponseLatency(),
    error: AccessLogField.contextErrorMessage(),
    integrationError: AccessLogField.contextIntegrationErrorMessage(),
  }),
);

const HOST = /^([a-z0-9]([a-z0-9-]*[a-z0-9])?\.)+[a-z]([a-z0-9-]*[a-z0-9])?$/;

function checkDomain({ domainName, hostedZone }: CustomDomainProps): void {
  if (Token.isUnresolved(domainName)) {
    return;
  }
  if (!HOST.test(domainName)) {
    refuse(`customDomain.domainName must be a lower-case host such as 'auth.example.com', got '${domainName}'.`);
  }
  const zone = hostedZone?.zoneName;
  if (zone !== undefined && !Token.isUnresolved(zone) && domainName !== zone && !domainName.endsWith(`.${zone}`)) {
    refuse(`customDomain.domainName must be in the hosted zone '${zone}', got '${domainName}'.`);
  }
}

/** Both halves, because API Gateway would fill in one that is missing by itself. */
function checkThrottle({ rateLimit, burstLimit }: ThrottleSettings): void {
  checkNumber('throttle.rateLimit', rateLimit, { atLeast: 1 });
  checkNumber('throttle.burstLimit', burstLimit, { atLeast: 1 });
}
