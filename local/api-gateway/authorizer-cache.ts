import type { Clock } from '../clock';

/** The results of a Lambda authorizer by the values of its identity sources. */
export class AuthorizerCache<T> {
  readonly #results = new Map<string, { readonly result: T; readonly until: number }>();

  constructor(
    readonly clock: Clock,
    /** In seconds; 0 = nothing is kept. */
    readonly timeToLive: number,
  ) {}

  get(identity: readonly string[]): T | undefined {
    const found = this.#results.get(JSON.stringify(identity));
    return found && found.until > this.clock.now() ? found.result : undefined;
  }

  set(identity: readonly string[], result: T): void {
    if (this.timeToLive === 0) return;
    this.#results.set(JSON.stringify(identity), { result, until: this.clock.now() + this.timeToLive * 1000 });
  }
}
