/** A setting that the server cannot start with. */
export interface SettingProblem {
  /** Its name, as whoever set it knows it. */
  readonly setting: string;
  /** What was given, in words. Never the value of a secret. */
  readonly given: string;
  readonly needed: string;
}

/** Settings that are missing or wrong: all of them, so that nobody mends one to hear of the next. */
export class SettingsError extends Error {
  override readonly name = 'SettingsError';

  constructor(readonly problems: readonly SettingProblem[]) {
    const lines = problems.map(({ setting, given, needed }) => `- ${setting}: got ${given}; needs ${needed}`);
    super(`mcp-oidc-auth cannot start with these settings:\n${lines.join('\n')}`);
  }
}

/** Collects what is wrong with settings. */
export class Settings {
  readonly problems: SettingProblem[] = [];

  /** @param nameOf the name of an option to whoever has set it, for example that of an environment variable */
  constructor(private readonly nameOf: (option: string) => string = (option) => option) {}

  refuse(option: string, given: string, needed: string): void {
    this.problems.push({ setting: this.nameOf(option), given, needed });
  }

  error(): SettingsError {
    return new SettingsError(this.problems);
  }

  /** @throws SettingsError if there is a problem */
  done(): void {
    if (this.problems.length > 0) throw this.error();
  }
}

/** What was given, in words. */
export function described(given: unknown): string {
  if (given === undefined || given === '') return 'nothing';
  if (typeof given === 'string') return `'${given}'`;
  if (Array.isArray(given)) return `a list of ${given.length}`;
  return typeof given === 'object' && given !== null ? 'an object' : String(given);
}
