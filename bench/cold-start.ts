import type { Contestant } from './contestant';
import { type Event, eventOf } from './instance';
import { ISSUER } from './person';
import { progress } from './statistics';

/**
 * Milliseconds, the least of all runs: other work on the machine has disturbed that least, and V8 itself, whose threads use CPU time for what
 * nobody waits for, in some runs half as much again as in others.
 */
export interface ColdStart {
  /** Loading the bundle. */
  readonly load: number;
  /** From the beginning of that until the first token request, a refresh, is answered. */
  readonly firstToken: number;
  /** The CPU time of that. */
  readonly cpu: number;
  /** The same as firstToken from the start of the process. */
  readonly process: number;
}

/** Fresh processes of each in turn, each of which answers one refresh. */
export async function measureColdStart(contestants: readonly Contestant[], runs: number): Promise<ColdStart[]> {
  const samples = contestants.map(() => [] as ColdStart[]);
  const tokens = await Promise.all(contestants.map((contestant) => issueTokens(contestant, runs + 1)));
  // The first run of each is for the disk's and the emulator's own warmth.
  for (let run = 0; run <= runs; run++) {
    for (const [i, contestant] of contestants.entries()) {
      await using instance = await contestant.instance(tokens[i]?.[run]);
      const { result, sinceStart, cpuSinceStart, sinceBoot } = instance.last!;
      if (result.statusCode !== 200) throw new Error(`${contestant.bundle} answers ${result.body}`);
      const sample = { load: instance.loaded, firstToken: sinceStart, cpu: cpuSinceStart, process: sinceBoot };
      if (run > 0) samples[i]?.push(sample);
    }
    if (run % 5 === 0) progress(`  ${run} of ${runs} starts of each`);
  }
  return samples.map((of) => {
    const least = (name: keyof ColdStart) => Math.min(...of.map((sample) => sample[name]));
    return { load: least('load'), firstToken: least('firstToken'), cpu: least('cpu'), process: least('process') };
  });
}

/** Refreshes that nobody has made yet. */
async function issueTokens(contestant: Contestant, count: number): Promise<Event[]> {
  await using instance = await contestant.instance();
  const events: Event[] = [];
  for (let i = 0; i < count; i++) {
    const person = contestant.person(instance);
    await person.register();
    await person.redeem(await person.signIn());
    const params = { grant_type: 'refresh_token', client_id: person.clientId, refresh_token: person.refreshToken };
    const headers = { 'content-type': 'application/x-www-form-urlencoded' };
    const body = new URLSearchParams(params).toString();
    events.push(eventOf(new URL('/token', ISSUER), { method: 'POST', headers, body }));
  }
  return events;
}
