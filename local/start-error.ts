/** A stack that cannot be run, with words for the person who started it: what was given and what is needed. */
export class StartError extends Error {
  override name = 'StartError';
}
