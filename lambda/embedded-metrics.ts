import { type CountedEvents, METRICS_NAMESPACE } from '../lib/counted-events';

type Fields = Readonly<Record<string, unknown>>;

/**
 * What makes a line of the log count as metrics: CloudWatch reads it from the line itself, so that nothing has to be called
 * (https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/CloudWatch_Embedded_Metric_Format_Specification.html).
 *
 * @param line the event's name and fields
 * @param counted what each metric counts
 * @param dimensions a metric is kept for each of these sets
 * @returns the members to add to the line; none where it counts for nothing
 */
export function embeddedMetrics(
  line: Fields,
  counted: CountedEvents,
  ...dimensions: readonly Readonly<Record<string, string>>[]
): Fields {
  const metrics = Object.keys(counted).filter((name) => counted[name]?.some((fields) => has(line, fields)));
  if (metrics.length === 0) return {};
  return {
    ...Object.assign({}, ...dimensions),
    ...Object.fromEntries(metrics.map((name) => [name, 1])),
    _aws: {
      Timestamp: Date.now(),
      CloudWatchMetrics: [
        {
          Namespace: METRICS_NAMESPACE,
          Dimensions: dimensions.map(Object.keys),
          Metrics: metrics.map((Name) => ({ Name, Unit: 'Count' })),
        },
      ],
    },
  };
}

function has(line: Fields, fields: Fields): boolean {
  return Object.entries(fields).every(([name, value]) => line[name] === value);
}
