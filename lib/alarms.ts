import { Duration } from 'aws-cdk-lib';
import { type Alarm, ComparisonOperator, type Metric, TreatMissingData } from 'aws-cdk-lib/aws-cloudwatch';
import { SnsAction } from 'aws-cdk-lib/aws-cloudwatch-actions';
import type { ILogGroup } from 'aws-cdk-lib/aws-logs';
import type { ITopic } from 'aws-cdk-lib/aws-sns';
import { Construct } from 'constructs';
import type { McpOidcAuth } from './mcp-oidc-auth';
import type { ProtectedApi } from './protected-api';
import { described } from './refusal';
import { checkNumber, refuse } from './validation';

/** An alarm fires when the count in five minutes reaches this. Each at least 1. */
export interface AlarmThresholds {
  /**
   * Answers of the authorization server with a status of 500 or above.
   *
   * @default 5
   */
  readonly serverErrors?: number;

  /**
   * Errors that nobody foresaw.
   *
   * @default 1
   */
  readonly requestsFailed?: number;

  /**
   * What the upstream identity provider has not done.
   *
   * @default 5
   */
  readonly upstreamFailures?: number;

  /**
   * Secrets that cannot be read or used, in two of three times five minutes.
   *
   * @default 1
   */
  readonly secretFailures?: number;

  /**
   * Codes that came again after they had been redeemed.
   *
   * @default 1
   */
  readonly codesReused?: number;

  /**
   * Refresh tokens that came again although their successor is in use.
   *
   * @default 1
   */
  readonly refreshTokensReused?: number;

  /**
   * Registrations that a limit has refused.
   *
   * @default 10
   */
  readonly registrationsLimited?: number;

  /**
   * Steps of a rotation of the signing keys that have failed.
   *
   * @default 1
   */
  readonly keyRotationErrors?: number;

  /**
   * Calls of one MCP server that its authorizer could not decide about.
   *
   * @default 1
   */
  readonly keySetFailures?: number;
}

/** Alarms on what somebody has to do something about. */
export interface AlarmsProps {
  /**
   * Is notified when an alarm fires and, where that means that all is well again, when it ends.
   */
  readonly topic: ITopic;

  /**
   * The counts from which an alarm fires.
   *
   * @default - see AlarmThresholds
   */
  readonly thresholds?: AlarmThresholds;
}

/** What is watched: the name of an alarm, as docs/operations.md explains it. */
interface Watched {
  readonly id: string;
  readonly metric: Metric;
  readonly threshold: keyof AlarmThresholds;
  /** What it means and what to do, in short. */
  readonly description: string;
  /** Where to look. */
  readonly logs: readonly ILogGroup[];
  /** Whether all is well again when nothing more is counted. Else something has happened that somebody must look at, later too. */
  readonly passes?: true;
  readonly evaluationPeriods?: number;
  readonly datapointsToAlarm?: number;
}

const DEFAULTS: Required<AlarmThresholds> = {
  serverErrors: 5,
  requestsFailed: 1,
  upstreamFailures: 5,
  secretFailures: 1,
  codesReused: 1,
  refreshTokensReused: 1,
  // Fewer are the people of one office behind one address, on their first day: nobody is to be woken for them. A flood is more at once.
  registrationsLimited: 10,
  keyRotationErrors: 1,
  keySetFailures: 1,
};

/** The alarms of an authorization server, and of the MCP servers that it protects. */
export class Alarms extends Construct {
  readonly ofServer: Alarm[];

  constructor(
    scope: Construct,
    id: string,
    private readonly props: AlarmsProps,
    server: McpOidcAuth,
    accessLogs: ILogGroup,
  ) {
    super(scope, id);
    if (typeof props.topic?.topicArn !== 'string') {
      refuse(
        `alarms.topic must be an SNS topic, for example new Topic(this, 'Alarms'), got ${described(props.topic)}.`,
      );
    }
    for (const [name, threshold] of Object.entries(props.thresholds ?? {})) {
      if (!(name in DEFAULTS)) {
        refuse(`alarms.thresholds must be of ${Object.keys(DEFAULTS).join(', ')}, got '${name}'.`);
      }
      checkNumber(`alarms.thresholds.${name}`, threshold, { atLeast: 1 });
    }
    this.ofServer = watchedOf(server, accessLogs).map((watched) => this.alarm(this, watched));
  }

  /** An alarm of its own for each MCP server, beside its API: its authorizer may stand in another stack. */
  watch(api: ProtectedApi): void {
    this.alarm(api, {
      id: 'KeySetFailures',
      metric: api.metricKeySetFailures(),
      threshold: 'keySetFailures',
      description:
        "The authorizer cannot fetch the issuer's keys, so that calls of the MCP server end with 503. See whether the issuer's /jwks answers, and the cause " +
        'in the log of the authorizer (event key_set_unavailable).',
      logs: [api._authorizerLogs],
      passes: true,
    });
  }

  private alarm(scope: Construct, { id, metric, threshold, description, logs, passes, ...evaluation }: Watched): Alarm {
    const names = logs.map(({ logGroupName }) => logGroupName).join(', ');
    const alarm = metric.with({ period: Duration.minutes(5) }).createAlarm(scope, `${id}Alarm`, {
      alarmDescription: `${description} Log: ${names}. What to do: "${id}" in docs/operations.md of the npm package mcp-oidc-auth.`,
      threshold: this.props.thresholds?.[threshold] ?? DEFAULTS[threshold],
      comparisonOperator: ComparisonOperator.GREATER_THAN_OR_EQUAL_TO_THRESHOLD,
      evaluationPeriods: 1,
      // Where nothing is counted, nothing has happened.
      treatMissingData: TreatMissingData.NOT_BREACHING,
      ...evaluation,
    });
    const action = new SnsAction(this.props.topic);
    alarm.addAlarmAction(action);
    if (passes) {
      alarm.addOkAction(action);
    }
    return alarm;
  }
}

function watchedOf(server: McpOidcAuth, accessLogs: ILogGroup): Watched[] {
  const { logGroup } = server.providerFunction;
  return [
    {
      id: 'ServerErrors',
      metric: server.api.metricServerError(),
      threshold: 'serverErrors',
      description:
        'The MCP authorization server answers with 5xx: people cannot sign in and clients cannot refresh. Look in its log for request.unavailable, ' +
        'request.failed and upstream.unavailable, and in its access log for what API Gateway or Lambda itself has refused.',
      logs: [logGroup, accessLogs],
      passes: true,
    },
    {
      id: 'RequestsFailed',
      metric: server.metricRequestsFailed(),
      threshold: 'requestsFailed',
      description:
        'The MCP authorization server has met an error that nobody foresaw, and has answered 500. Look for request.failed in its log and report it.',
      logs: [logGroup],
    },
    {
      id: 'UpstreamFailures',
      metric: server.metricUpstreamFailures(),
      threshold: 'upstreamFailures',
      description:
        'The identity provider cannot be reached, is out of order, or refuses the MCP authorization server: nobody new gets in. Look for upstream.* in its log; ' +
        'invalid_client means that the client secret has been changed or has expired there.',
      logs: [logGroup],
      passes: true,
    },
    {
      id: 'SecretFailures',
      metric: server.metricSecretFailures(),
      threshold: 'secretFailures',
      evaluationPeriods: 3,
      datapointsToAlarm: 2,
      description:
        'The MCP authorization server cannot read or use its secrets. What was read before serves on, but no new instance can start. Look for ' +
        'secret.unavailable and key_set.unusable in its log: permissions, a deleted or edited secret, or an outage of Secrets Manager.',
      logs: [logGroup],
      passes: true,
    },
    {
      id: 'CodesReused',
      metric: server.metricCodesReused(),
      threshold: 'codesReused',
      description:
        'An authorization code was redeemed twice, so its grant was ended: a stolen code, or a client that is broken. Look for code.reused in the log of the ' +
        'MCP authorization server, and whether it is always the same client.',
      logs: [logGroup],
    },
    {
      id: 'RefreshTokensReused',
      metric: server.metricRefreshTokensReused(),
      threshold: 'refreshTokensReused',
      description:
        'A refresh token came again although its successor is in use, so its grant was ended: a stolen token, or a client that shares one. Look for ' +
        'refresh.reused in the log of the MCP authorization server, and whether it is always the same client.',
      logs: [logGroup],
    },
    {
      id: 'RegistrationsLimited',
      metric: server.metricRegistrationsLimited(),
      threshold: 'registrationsLimited',
      description:
        'New clients were refused because too many have registered: a flood, or many people behind one address. Look for registration.limited in the log of ' +
        'the MCP authorization server; addresses that many share belong into registration.sharedEgress.',
      logs: [logGroup, accessLogs],
    },
    {
      id: 'KeyRotationErrors',
      metric: server.rotationFunction.metricErrors(),
      threshold: 'keyRotationErrors',
      description:
        'The signing keys of the MCP authorization server were not rotated. The current ones sign on and nobody notices; Secrets Manager tries again. Look for ' +
        'key_set.rotation_failed in the log of the rotation function.',
      logs: [server.rotationFunction.logGroup],
    },
  ];
}
