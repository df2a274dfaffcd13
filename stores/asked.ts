import { within } from '../lambda/provider/time-limit';
import { StoreUnavailable } from '../lambda/store/store';

/** In milliseconds. The client of a database may wait for a connection, or for an answer that is lost, without end. */
const PATIENCE = 5_000;

/**
 * The answer of a database, where it comes in time. What has been asked goes on, and may be done later.
 *
 * @param database its name, for the operator
 * @throws StoreUnavailable
 */
export function asked<Answer>(database: string, ask: () => Promise<Answer>): Promise<Answer> {
  return answered(database, () => within(PATIENCE, ask()));
}

/**
 * The answer of a database, however long it takes. Whatever its client throws (no connection, no time, no right to write) is an outage: it
 * says nothing about what the database holds.
 *
 * @param database its name, for the operator
 * @throws StoreUnavailable
 */
export async function answered<Answer>(database: string, ask: () => Promise<Answer>): Promise<Answer> {
  try {
    return await ask();
  } catch (error) {
    if (error instanceof StoreUnavailable) throw error;
    throw new StoreUnavailable(`${database} did not do what it was asked: ${inWords(error)}`, { cause: error });
  }
}

/** What errors say, to be read by an operator. */
export function inWords(...errors: readonly unknown[]): string {
  const said = errors.flatMap((error) => {
    const { message = '', code } = Object(error) as { readonly message?: string; readonly code?: unknown };
    // An error of several connection attempts has a code and no message.
    return [code, message];
  });
  const words = [...new Set(said.filter(Boolean))].join(': ') || String(errors[0]);
  // Where Redis does not know a command, it repeats what came with it: with AUTH that is the password.
  return words.replace(/, with args beginning with:.*/s, '');
}
