/**
 * Milliseconds between two deletions of what has expired, where the database does not do it by itself. A write begins them, no timer, so
 * that nothing keeps a process alive.
 */
export const SWEEP_EVERY = 10 * 60_000;

/** Milliseconds for which an expired record stays in a database that others use too, whose clocks may be behind. */
export const SWEEP_AFTER = 60 * 60_000;
