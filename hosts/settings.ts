import { described, type Refuse } from '../lib/refusal';

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

  // Not twice in what Node prints of an error that nobody catches.
  readonly #problems: readonly SettingProblem[];

  constructor(problems: readonly SettingProblem[]) {
    const lines = problems.map(({ setting, given, needed }) => `- ${setting}: got ${given}; needs ${needed}`);
    super(`mcp-oidc-auth cannot start with these settings:\n${lines.join('\n')}`);
    this.#problems = problems;
  }

  get problems(): readonly SettingProblem[] {
    return this.#problems;
  }
}

/** Collects what is wrong with settings. */
export class Settings {
  readonly problems: SettingProblem[] = [];

  /** @param nameOf the name of an option to whoever has set it, for example that of an environment variable */
  constructor(private readonly nameOf: (option: string) => string = (option) => option) {}

  readonly refuse: Refuse = (option, given, needed) => {
    this.problems.push({ setting: this.nameOf(option), given, needed });
  };

  /** A text such as 'false' would mean yes. */
  checkBoolean(option: string, given: unknown): void {
    if (given !== undefined && typeof given !== 'boolean') this.refuse(option, described(given), 'true or false');
  }

  error(): SettingsError {
    return new SettingsError(this.problems);
  }

  /** @throws SettingsError if there is a problem */
  done(): void {
    if (this.problems.length > 0) throw this.error();
  }
}
