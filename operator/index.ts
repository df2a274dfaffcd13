import { CLIENTS_USAGE, clients } from './clients';
import { dashedHandles } from './dashed-handles';
import { OperatorError, UsageError } from './errors';
import { KEYS_USAGE, keys } from './keys';
import type { Output } from './output';
import { PEOPLE_USAGE, people } from './people';

const COMMANDS = {
  people: { run: people, usage: PEOPLE_USAGE },
  clients: { run: clients, usage: CLIENTS_USAGE },
  keys: { run: keys, usage: KEYS_USAGE },
};

export type OperatorCommand = keyof typeof COMMANDS;

/**
 * What operators do by hand, on the table and the key set of an authorization server.
 *
 * @param args what was typed after the command
 * @returns the exit code: 0 if it is done, else 1
 */
export async function operate(command: OperatorCommand, args: string[], output: Output): Promise<0 | 1> {
  const { run, usage } = COMMANDS[command];
  if (args.includes('--help') || args.includes('-h')) {
    output.print(usage);
    return 0;
  }
  try {
    await run(dashedHandles(args), output);
    return 0;
  } catch (error) {
    if (isUsageError(error)) output.note(`${error.message}\n\n${usage}`);
    else if (error instanceof OperatorError) output.note(error.message);
    else throw error;
    return 1;
  }
}

/** Ours, or one of Node's parser. */
function isUsageError(error: unknown): error is Error {
  if (error instanceof UsageError) return true;
  return error instanceof TypeError && 'code' in error && String(error.code).startsWith('ERR_PARSE_ARGS_');
}
