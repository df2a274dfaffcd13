import { ROUTES } from '../lib/contract';

/** What hosts answer by themselves. */
const OF_THE_HOST = ['/health', '/ready'];

/** The first segments of the authorization server's routes, but for the redirect URI, which is wherever the options have it. */
const FIRST_SEGMENTS = new Set(ROUTES.map(({ path }) => firstOf(path)).filter((first) => first !== 'callback'));

/** For a refusal, in words. */
export const TAKEN_PATHS = [...OF_THE_HOST, ...[...FIRST_SEGMENTS].filter(Boolean).map((first) => `/${first}`)].join(
  ', ',
);

/** Whether a path is for something else already. Express takes those for the same that differ in case, or in a slash at the end. */
export function isTaken(path: string): boolean {
  const plain = plainPath(path);
  return OF_THE_HOST.includes(plain) || FIRST_SEGMENTS.has(firstOf(plain));
}

export function plainPath(path: string): string {
  return path.toLowerCase().replace(/\/$/, '');
}

function firstOf(path: string): string {
  return path.split('/')[1] ?? '';
}
