import { Duration } from 'aws-cdk-lib';
import {
  type Alarm,
  AlarmStatusWidget,
  Dashboard,
  GraphWidget,
  type IMetric,
  type IWidget,
  MathExpression,
  Stats,
} from 'aws-cdk-lib/aws-cloudwatch';
import type { Construct } from 'constructs';
import { type AUTHORIZER_METRICS, DIMENSIONS, METRICS_NAMESPACE } from './counted-events';
import type { McpOidcAuth } from './mcp-oidc-auth';

/** Of 24 columns. */
const HALF = 12;

/** All that an authorization server counts, and what its parts do, on one page. */
export function dashboard(scope: Construct, id: string, auth: McpOidcAuth, alarms: Alarm[]): Dashboard {
  const status = new AlarmStatusWidget({ title: 'Alarms', width: 24, height: 3, alarms });
  return new Dashboard(scope, id, {
    defaultInterval: Duration.days(1),
    widgets: [
      ...(alarms.length > 0 ? [[status]] : []),
      [
        graph('Requests', [auth.api.metricCount(), auth.api.metricClientError(), auth.api.metricServerError()]),
        graph('Latency (ms)', [
          auth.api.metricLatency({ statistic: Stats.p(50), label: 'half of the requests' }),
          auth.api.metricLatency({ statistic: Stats.p(99), label: '99 of 100' }),
        ]),
      ],
      [
        graph('Sign-ins', [auth.metricSignInsStarted(), auth.metricSignInsCompleted()]),
        graph('Tokens', [auth.metricTokensIssued(), auth.metricRefreshes(), expiredTokens(auth.issuer)]),
      ],
      [
        graph('What goes wrong', [
          auth.metricUpstreamFailures(),
          auth.metricSecretFailures(),
          auth.metricRequestsUnavailable(),
          auth.metricRequestsFailed(),
        ]),
        graph('What may be an attack', [
          auth.metricCodesReused(),
          auth.metricRefreshTokensReused(),
          auth.metricRegistrationsLimited(),
          auth.metricClientsRegistered(),
        ]),
      ],
      [
        graph('Calls of MCP servers that were denied, by reason', [denials(auth.issuer)]),
        graph('Calls of MCP servers that could not be decided about', [keySetFailures(auth.issuer)]),
      ],
      [
        graph('Functions', [
          auth.providerFunction.metricErrors({ label: 'server: errors' }),
          auth.providerFunction.metricThrottles({ label: 'server: throttled' }),
          auth.rotationFunction.metricInvocations({ label: 'rotation: steps' }),
          auth.rotationFunction.metricErrors({ label: 'rotation: errors' }),
        ]),
        graph('Table (capacity units)', [
          auth.table.metricConsumedReadCapacityUnits({ label: 'read' }),
          auth.table.metricConsumedWriteCapacityUnits({ label: 'written' }),
        ]),
      ],
    ],
  });
}

function graph(title: string, left: IMetric[]): IWidget {
  return new GraphWidget({ title, left, width: HALF, leftYAxis: { min: 0 } });
}

function denials(issuer: string): MathExpression {
  return searched('Denials', [DIMENSIONS.issuer, DIMENSIONS.resource, DIMENSIONS.reason], { issuer });
}

function keySetFailures(issuer: string): MathExpression {
  return searched('KeySetFailures', [DIMENSIONS.issuer, DIMENSIONS.resource], { issuer });
}

/** Beside the refreshes: a client whose token has expired should refresh, and not come back with the same token. */
function expiredTokens(issuer: string): MathExpression {
  const { expression } = searched('Denials', [DIMENSIONS.issuer, DIMENSIONS.resource, DIMENSIONS.reason], {
    issuer,
    reason: 'expired',
  });
  return new MathExpression({ expression: `SUM(${expression})`, label: 'Calls with an expired token' });
}

/** A search, because MCP servers may be in other stacks, which know this one and not the other way round. */
function searched(
  metric: keyof typeof AUTHORIZER_METRICS,
  dimensions: readonly string[],
  where: { readonly issuer: string; readonly reason?: string },
): MathExpression {
  const schema = [METRICS_NAMESPACE, ...dimensions].join(',');
  const reason = where.reason === undefined ? '' : ` ${DIMENSIONS.reason}="${where.reason}"`;
  const terms = `MetricName="${metric}" ${DIMENSIONS.issuer}="${where.issuer}"${reason}`;
  return new MathExpression({ expression: `SEARCH('{${schema}} ${terms}', 'Sum', 300)`, label: '' });
}
