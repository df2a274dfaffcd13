import type { Contestant } from './contestant';
import { progress } from './statistics';

export interface Memory {
  readonly signIns: number;
  /** Bytes after a collection of garbage. */
  readonly heapUsed: number;
  readonly rss: number;
}

/** The memory of one warm instance on its way through many sign-ins, each with its tokens and a refresh. */
export async function measureMemory(contestant: Contestant, signIns: number): Promise<Memory[]> {
  await using instance = await contestant.instance();
  const person = contestant.person(instance);
  await person.register();
  const samples: Memory[] = [];
  for (let i = 1; i <= signIns; i++) {
    await person.redeem(await person.signIn());
    await person.refresh();
    // What the emulators remember of each call is not what is measured.
    contestant.aws.calls.length = 0;
    contestant.forget();
    if (i % 1_000 !== 0) continue;
    const { heapUsed, rss } = await instance.memory();
    samples.push({ signIns: i, heapUsed, rss });
    progress(`  ${i} of ${signIns} sign-ins: ${(heapUsed / 2 ** 20).toFixed(1)} MiB of heap`);
  }
  return samples;
}
