import { LogFormatter, Logger, LogItem } from '@aws-lambda-powertools/logger';
import type { LogAttributes, UnformattedAttributes } from '@aws-lambda-powertools/logger/types';
import { DIMENSIONS, SERVER_METRICS } from '../lib/counted-events';
import { embeddedMetrics } from './embedded-metrics';
import type { LogWriter } from './provider/log';
import { printableJson } from './provider/printable-json';

/** The line of every function here: what it is about comes first. */
class EventFormatter extends LogFormatter {
  formatAttributes({ logLevel, timestamp, message }: UnformattedAttributes, { fields }: LogAttributes): LogItem {
    const attributes = { level: logLevel, timestamp: this.formatTimestamp(timestamp), event: message };
    return new LogItem({ attributes: { ...attributes, ...(fields as object) } });
  }
}

/** Node.js 24 has it, and its types do not: JSON text that stands in the output as it is. */
const { rawJSON } = JSON as unknown as { rawJSON(text: string): object };

/**
 * The log of a function on Lambda: a line of JSON for each event, and nothing before it, because CloudWatch reads metrics only from
 * lines that are JSON from their first character.
 *
 * @param issuer where the events count as metrics, by this dimension
 */
export function lambdaLog(issuer?: string): LogWriter {
  const logger = new Logger({
    logFormatter: new EventFormatter(),
    jsonReplacerFn: (_, value) => (typeof value === 'string' ? rawJSON(printableJson(value)) : value),
  });
  return (level, event, fields) => {
    const counted =
      issuer === undefined
        ? {}
        : embeddedMetrics({ event, ...fields }, SERVER_METRICS, { [DIMENSIONS.issuer]: issuer });
    // Below one name: Logger keeps some for itself, `message` among them.
    logger[level](event, { fields: { ...fields, ...counted } });
  };
}
