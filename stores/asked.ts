import { StoreUnavailable } from '../lambda/store/store';

/**
 * The answer of a database. Whatever its client throws (no connection, no time, no right to write) is an outage: it says nothing about
 * what the database holds.
 *
 * @param database its name, for the operator
 * @throws StoreUnavailable
 */
export async function asked<Answer>(database: string, ask: () => Promise<Answer>): Promise<Answer> {
  try {
    return await ask();
  } catch (error) {
    const { message = '', code } = error as { readonly message?: string; readonly code?: unknown };
    // An error of several connection attempts has a code and no message.
    const said = [...new Set([code, message].filter(Boolean))].join(': ');
    throw new StoreUnavailable(`${database} did not do what it was asked: ${said || String(error)}`, { cause: error });
  }
}
