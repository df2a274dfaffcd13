import { Metric, type MetricOptions, Stats } from 'aws-cdk-lib/aws-cloudwatch';
import type { ILogGroup } from 'aws-cdk-lib/aws-logs';
import { Construct } from 'constructs';
import { type AUTHORIZER_METRICS, DIMENSIONS, METRICS_NAMESPACE } from './counted-events';

/** Options of `metricDenials`. */
export interface DenialMetricOptions extends MetricOptions {
  /**
   * Only calls that were denied for this reason: `insufficient_scope`, or the `reason` of the log's `invalid_token`, for example `expired`.
   *
   * @default - every reason
   */
  readonly reason?: string;
}

/** An MCP server behind the authorizer. */
export abstract class ProtectedApi extends Construct {
  /** The resource identifier: the `aud` of the access tokens that are let through. */
  abstract readonly identifier: string;
  /** The authorization server that is trusted. */
  abstract readonly issuer: string;
  /** @internal */
  abstract readonly _authorizerLogs: ILogGroup;

  /**
   * Calls that the authorizer has refused. A client's first call, which has no token, is one (`missing`) where the authorizer's result cache is off;
   * else API Gateway refuses it by itself.
   */
  metricDenials({ reason, ...props }: DenialMetricOptions = {}): Metric {
    return this.counted('Denials', reason === undefined ? {} : { [DIMENSIONS.reason]: reason }, props);
  }

  /** Calls that the authorizer could not decide about, because it could not fetch the issuer's keys. */
  metricKeySetFailures(props?: MetricOptions): Metric {
    return this.counted('KeySetFailures', {}, props);
  }

  private counted(
    metricName: keyof typeof AUTHORIZER_METRICS,
    dimensions: { [name: string]: string },
    props?: MetricOptions,
  ): Metric {
    return new Metric({
      namespace: METRICS_NAMESPACE,
      metricName,
      dimensionsMap: { [DIMENSIONS.issuer]: this.issuer, [DIMENSIONS.resource]: this.identifier, ...dimensions },
      statistic: Stats.SUM,
      ...props,
    }).attachTo(this);
  }
}
