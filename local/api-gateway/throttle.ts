/** Seconds since some point in the past. */
type Stopwatch = () => number;

/** The token bucket that API Gateway throttles with: `rate` requests per second, `burst` at once. */
export class Throttle {
  #tokens: number;
  #filledAt: number;

  constructor(
    readonly rate: number,
    readonly burst: number,
    readonly stopwatch: Stopwatch = () => performance.now() / 1000,
  ) {
    this.#tokens = burst;
    this.#filledAt = stopwatch();
  }

  /** Whether one more request may pass now. */
  allows(): boolean {
    const now = this.stopwatch();
    this.#tokens = Math.min(this.burst, this.#tokens + (now - this.#filledAt) * this.rate);
    this.#filledAt = now;
    if (this.#tokens < 1) return false;
    this.#tokens -= 1;
    return true;
  }
}
