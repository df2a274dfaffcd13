import { METRICS_NAMESPACE } from '../../lib/counted-events';
import type { LogLine } from './log-lines';

export interface MetricValue {
  readonly name: string;
  readonly value: number;
  readonly dimensions: Readonly<Record<string, string>>;
}

interface Directive {
  readonly Namespace: string;
  readonly Dimensions: readonly (readonly string[])[];
  readonly Metrics: readonly { readonly Name: string; readonly Unit: string }[];
}

/**
 * The metrics that CloudWatch extracts from a log.
 *
 * @throws Error for a line that it would not take (CloudWatch embedded metric format, "Target members", "Dimension set")
 */
export function metricsOf(lines: readonly LogLine[]): MetricValue[] {
  return lines.flatMap((line) => {
    const { Timestamp, CloudWatchMetrics: directives } = (line._aws ?? { Timestamp: 0, CloudWatchMetrics: [] }) as {
      readonly Timestamp: unknown;
      readonly CloudWatchMetrics: readonly Directive[];
    };
    if (!Number.isInteger(Timestamp)) throw new Error(`No timestamp in milliseconds: ${Timestamp}`);
    return directives.flatMap(({ Namespace, Dimensions, Metrics }) => {
      if (Namespace !== METRICS_NAMESPACE) throw new Error(`A metric of ${Namespace}`);
      return Dimensions.flatMap((set) =>
        Metrics.map(({ Name, Unit }) => {
          const value = line[Name];
          if (typeof value !== 'number' || Unit !== 'Count') throw new Error(`${Name} has no count, but ${value}`);
          return {
            name: Name,
            value,
            dimensions: Object.fromEntries(set.map((name) => [name, dimension(line, name)])),
          };
        }),
      );
    });
  });
}

function dimension(line: LogLine, name: string): string {
  const value = line[name];
  if (typeof value !== 'string' || value === '' || value.length > 1024) throw new Error(`${name} is ${value}`);
  return value;
}

/** How much each metric was counted, in whatever dimensions. */
export function countsOf(metrics: readonly MetricValue[]): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const { name, value } of metrics) counts[name] = (counts[name] ?? 0) + value;
  return counts;
}
