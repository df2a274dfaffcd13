import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';

/** Where a start keeps what it writes, below the directory of the app. */
export const STATE_DIRECTORY = '.local';

/** Holds the id of the process that runs the app. */
const FILE = `${STATE_DIRECTORY}/running`;

/**
 * Makes a process the only one that runs the app of the working directory: a second one would replace the files that the
 * first one runs from. A process that has ended is in nobody's way.
 *
 * @returns why that cannot be, or undefined
 */
export function claim(pid: number): string | undefined {
  mkdirSync(STATE_DIRECTORY, { recursive: true });
  for (;;) {
    try {
      writeFileSync(FILE, `${pid}\n`, { flag: 'wx' });
      return undefined;
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
    }
    const holder = Number(readFileSync(FILE, 'utf8'));
    if (holder === pid) return undefined;
    if (isAlive(holder)) {
      return `The app of this directory is running already, as process ${holder}: end that first, with Ctrl-C where it runs. If process ${holder} is something else, remove ${FILE}.`;
    }
    rmSync(FILE, { force: true });
  }
}

export function release(): void {
  rmSync(FILE, { force: true });
}

function isAlive(pid: number): boolean {
  if (!(pid > 0)) return false;
  try {
    return process.kill(pid, 0);
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}

// `npm start` runs this file before the build, which replaces files too: for its shell, which then becomes the command.
if (import.meta.main) {
  const obstacle = claim(process.ppid);
  if (obstacle) {
    console.error(obstacle);
    process.exitCode = 1;
  }
}
