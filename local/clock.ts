/**
 * The time of a running stack. Tests move it with `offsetSeconds` instead of sleeping: caches of API Gateway follow at
 * once, functions with their next instance.
 */
export class Clock {
  offsetSeconds = 0;

  /** Milliseconds since the epoch. */
  now(): number {
    return Date.now() + this.offsetSeconds * 1000;
  }
}
