import { setTimeout } from 'node:timers/promises';

/** What the answer waits for takes too long: a retry of ours or of somebody that we asked is still under way. */
export class OutOfTime extends Error {
  override readonly name = 'OutOfTime';
}

/** @throws OutOfTime if `work`, which goes on, has not ended after so many milliseconds */
export async function within<T>(milliseconds: number, work: Promise<T>): Promise<T> {
  const ended = new AbortController();
  const limit = setTimeout(milliseconds, undefined, { signal: ended.signal }).then(() => {
    throw new OutOfTime(`no answer after ${milliseconds} ms`);
  });
  try {
    return await Promise.race([work, limit]);
  } finally {
    ended.abort();
  }
}
