import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { parseRate, RotationSchedule } from '../../../local/aws/rotation-schedule';

const DAY = 24 * 60 * 60 * 1000;

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

it.each([
  ['rate(30 days)', 30 * DAY],
  ['rate(1 day)', DAY],
  ['rate(4 hours)', DAY / 6],
  ['rate(10 minutes)', 600_000],
  ['rate(5 seconds)', 5000],
])('reads %s', (expression, milliseconds) => {
  expect(parseRate(expression)).toBe(milliseconds);
});

it.each(['rate(0 days)', 'rate(1 week)', 'cron(0 8 * * ? *)', ''])('refuses "%s"', (expression) => {
  expect(() => parseRate(expression)).toThrow(/Needed is rate\(N days/);
});

it('waits for longer than a timer can count', async () => {
  const run = vi.fn(async () => {});
  const schedule = new RotationSchedule(1000 * DAY, run);
  await vi.advanceTimersByTimeAsync(1000 * DAY - 1);
  expect(run).not.toHaveBeenCalled();
  await vi.advanceTimersByTimeAsync(1);
  expect(run).toHaveBeenCalledTimes(1);
  await vi.advanceTimersByTimeAsync(1000 * DAY);
  expect(run).toHaveBeenCalledTimes(2);
  schedule.stop();
});

it('counts from the end of a run, and ends when it is stopped, even during one', async () => {
  const ends: (() => void)[] = [];
  const run = vi.fn(() => new Promise<void>((resolve) => ends.push(resolve)));
  const schedule = new RotationSchedule(DAY, run);
  await vi.advanceTimersByTimeAsync(3 * DAY);
  expect(run).toHaveBeenCalledTimes(1);
  ends.shift()!();
  await vi.advanceTimersByTimeAsync(DAY);
  expect(run).toHaveBeenCalledTimes(2);
  schedule.stop();
  ends.shift()!();
  await vi.advanceTimersByTimeAsync(3 * DAY);
  expect(run).toHaveBeenCalledTimes(2);
});
