/** Something that a deployed stack must do, looked at from outside. */
export interface Check {
  readonly name: string;
  readonly expected: string;
  /**
   * True where AWS has not documented it and nothing depends on it (docs/local.md, What is unproven): what is found is worth knowing, and no failure.
   */
  readonly assumption?: boolean;
  /**
   * @returns what was found, where that is what was expected
   * @throws Unexpected with what was found instead
   */
  look(): Promise<string>;
}

/** What was found is not what was expected. */
export class Unexpected extends Error {
  override name = 'Unexpected';
}

export type Result = 'ok' | 'FAIL' | 'note';

export interface Finding {
  readonly name: string;
  readonly result: Result;
  readonly expected: string;
  readonly found: string;
}

export async function find({ name, expected, assumption, look }: Check): Promise<Finding> {
  try {
    return { name, result: 'ok', expected, found: await look() };
  } catch (error) {
    if (!(error instanceof Unexpected)) throw error;
    return { name, result: assumption ? 'note' : 'FAIL', expected, found: error.message };
  }
}

/** Holds what was found to what must hold of it. */
export function must(holds: boolean, found: string): void {
  if (!holds) throw new Unexpected(found);
}
