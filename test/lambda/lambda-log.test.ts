import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { lambdaLog } from '../../lambda/lambda-log';
import { metricsOf } from '../support/embedded-metrics';
import { catchLog } from '../support/log-lines';

let log: ReturnType<typeof catchLog>;
beforeEach(() => {
  log = catchLog();
});
afterEach(() => {
  vi.restoreAllMocks();
});

it('writes a line that is JSON from its first character, with the event before its fields', () => {
  lambdaLog()('info', 'person.signed_in', { requestId: 'request-1', sub: 'hash' });
  expect(log.text()).toMatch(
    /^\{"level":"INFO","timestamp":"[^"]+Z","event":"person.signed_in","requestId":"request-1","sub":"hash"\}\n$/,
  );
});

it('keeps every field, those too that Powertools has names of its own for', () => {
  const fields = { message: 'what happened', service: 'notes', error: 'TypeError' };
  lambdaLog()('error', 'request.failed', fields);
  expect(log.lines()).toMatchObject([{ event: 'request.failed', ...fields }]);
});

it('shows what strangers have written as no command to a terminal, and loses none of it', () => {
  const written = '\u001b[2J\u009b31m\u0007\u007f\u0085\r\n{"event":"forged"}\u2028\u202e\u2066\u{e0041}';
  lambdaLog()('info', 'client.refused', { description: written, nested: { list: [written] } });
  expect(log.text().trimEnd()).not.toMatch(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/u);
  expect(log.lines()).toMatchObject([{ description: written, nested: { list: [written] } }]);
});

it('counts where it is told the issuer, and else not', () => {
  lambdaLog('https://auth.example.com')('info', 'client.registered', {});
  lambdaLog()('info', 'client.registered', {});
  expect(metricsOf(log.lines())).toEqual([
    { name: 'ClientsRegistered', value: 1, dimensions: { Issuer: 'https://auth.example.com' } },
  ]);
});
