import { Metric, type MetricOptions, Stats } from 'aws-cdk-lib/aws-cloudwatch';
import { Construct } from 'constructs';
import { DIMENSIONS, METRICS_NAMESPACE, type SERVER_METRICS } from './counted-events';

/** What an authorization server counts, wherever it is. Each metric is a sum over five minutes unless its options say otherwise. */
export abstract class IssuerMetrics extends Construct {
  abstract readonly issuer: string;

  /** A metric of this authorization server, by its name. */
  metric(metricName: string, props?: MetricOptions): Metric {
    return new Metric({
      namespace: METRICS_NAMESPACE,
      metricName,
      dimensionsMap: { [DIMENSIONS.issuer]: this.issuer },
      statistic: Stats.SUM,
      ...props,
    }).attachTo(this);
  }

  /** Clients that have registered. */
  metricClientsRegistered(props?: MetricOptions): Metric {
    return this.counted('ClientsRegistered', props);
  }

  /** Registrations that a limit has refused. */
  metricRegistrationsLimited(props?: MetricOptions): Metric {
    return this.counted('RegistrationsLimited', props);
  }

  /** Sign-ins that have come to the consent page. */
  metricSignInsStarted(props?: MetricOptions): Metric {
    return this.counted('SignInsStarted', props);
  }

  /** Sign-ins that have ended with a code for the client. */
  metricSignInsCompleted(props?: MetricOptions): Metric {
    return this.counted('SignInsCompleted', props);
  }

  /** Token responses, refreshes among them. */
  metricTokensIssued(props?: MetricOptions): Metric {
    return this.counted('TokensIssued', props);
  }

  /** Token responses for a refresh token. */
  metricRefreshes(props?: MetricOptions): Metric {
    return this.counted('Refreshes', props);
  }

  /** Codes that were presented again; each has ended a grant. */
  metricCodesReused(props?: MetricOptions): Metric {
    return this.counted('CodesReused', props);
  }

  /** Refresh tokens that were presented again although their successor is in use; each has ended a grant. */
  metricRefreshTokensReused(props?: MetricOptions): Metric {
    return this.counted('RefreshTokensReused', props);
  }

  /** What the upstream identity provider has not done: it cannot be reached, is out of order, or refuses this server. */
  metricUpstreamFailures(props?: MetricOptions): Metric {
    return this.counted('UpstreamFailures', props);
  }

  /** Secrets that cannot be read or used. What was read before serves on. */
  metricSecretFailures(props?: MetricOptions): Metric {
    return this.counted('SecretFailures', props);
  }

  /** Requests that were answered 503, because something that the server needs was not there. */
  metricRequestsUnavailable(props?: MetricOptions): Metric {
    return this.counted('RequestsUnavailable', props);
  }

  /** Requests that were answered 500, because of an error that nobody foresaw. */
  metricRequestsFailed(props?: MetricOptions): Metric {
    return this.counted('RequestsFailed', props);
  }

  private counted(name: keyof typeof SERVER_METRICS, props?: MetricOptions): Metric {
    return this.metric(name, props);
  }
}
