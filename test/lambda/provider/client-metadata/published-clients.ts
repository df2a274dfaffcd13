import { afterAll, afterEach, beforeAll, beforeEach, vi } from 'vitest';
import { type Answer, type MetadataHost, startMetadataHost, trust } from '../../../support/metadata-host';
import { Harness } from '../harness';

export let host: MetadataHost;
export let harness: Harness;
beforeAll(async () => {
  host = await startMetadataHost();
  trust(host);
});
afterAll(() => host.close());

beforeEach(async () => {
  harness = await Harness.start({ internalHosts: ['localhost'] });
});
afterEach(async () => {
  vi.useRealTimers();
  vi.restoreAllMocks();
  host.mend();
  await harness[Symbol.asyncDispose]();
});

let number = 0;
/** Another document for each test: the host is the same for all. */
export const newPath = () => `/client-${++number}`;

export function publish(metadata: Record<string, unknown> = {}, answer: Answer = {}) {
  return { client_id: host.publish(newPath(), metadata, answer) };
}

export const fetches = ({ client_id }: { client_id: string }) =>
  host.requests.filter(({ path }) => `${host.origin}${path}` === client_id).length;

/** The events that were logged, by their names. */
export function events(): Record<string, unknown>[] {
  const lines = [console.log, console.error].flatMap((log) => vi.mocked(log).mock.calls);
  return lines.map(([line]) => JSON.parse(String(line)));
}

export function watchLog(): void {
  vi.spyOn(console, 'log').mockImplementation(() => {});
  vi.spyOn(console, 'error').mockImplementation(() => {});
}

export const authorize = (client: { client_id: string }, params: Record<string, string> = {}) =>
  harness.browser().open(harness.authorizationRequest(client, params).url);

/** A client that has signed in, and its refresh token. */
export async function signedIn(metadata?: Record<string, unknown>, answer?: Answer) {
  const client = publish(metadata, answer);
  const { body } = await harness.redeem(client, await harness.signIn(client));
  return { client, refreshToken: body.refresh_token ?? '' };
}
