import type { Contestant } from './contestant';
import { median, progress } from './statistics';

/** Medians of milliseconds of CPU time for one refresh on a warm instance, from handler in to handler out. */
export async function measureWarmCpu(contestants: readonly Contestant[], rounds: number): Promise<number[]> {
  const warm = await Promise.all(
    contestants.map(async (contestant) => {
      const instance = await contestant.instance();
      const person = contestant.person(instance);
      await person.register();
      await person.redeem(await person.signIn());
      // As often as it takes V8 to compile what is hot.
      for (let i = 0; i < 500; i++) await person.refresh();
      return { instance, person, blocks: [] as number[] };
    }),
  );
  for (let round = 1; round <= rounds; round++) {
    for (const { instance, person, blocks } of warm) {
      let cpu = 0;
      for (let i = 0; i < REFRESHES; i++) {
        await person.refresh();
        cpu += instance.last!.cpu;
      }
      blocks.push(cpu / REFRESHES);
    }
    if (round % 5 === 0) progress(`  ${round} of ${rounds} blocks of ${REFRESHES} refreshes of each`);
  }
  for (const { instance } of warm) await instance[Symbol.asyncDispose]();
  return warm.map(({ blocks }) => median(blocks));
}

const REFRESHES = 100;
