import { AwsError } from './aws-error';

const UNITS = { second: 1000, minute: 60_000, hour: 3_600_000, day: 86_400_000 };

/** setTimeout counts in 32 bits: what is longer than 24.8 days would fire at once. */
const LONGEST_TIMEOUT = 2 ** 31 - 1;

/**
 * The milliseconds of a schedule expression. AWS knows hours and days; minutes and seconds are for this machine.
 * https://docs.aws.amazon.com/secretsmanager/latest/userguide/rotate-secrets_schedule.html
 * @throws AwsError InvalidParameterException, also for `cron(...)`, which is not known here
 */
export function parseRate(expression: string): number {
  const match = /^rate\(([1-9]\d{0,5}) (second|minute|hour|day)s?\)$/.exec(expression);
  if (!match) {
    throw new AwsError(
      'InvalidParameterException',
      `The schedule expression ${expression} is not known here. Needed is rate(N days|hours|minutes|seconds).`,
    );
  }
  return Number(match[1]) * UNITS[match[2] as keyof typeof UNITS];
}

/** Runs something again and again, each time an interval after the last run has ended; it does not keep the process alive. */
export class RotationSchedule {
  next: Date;
  private timer: NodeJS.Timeout | undefined;

  constructor(
    private readonly interval: number,
    private readonly run: () => Promise<void>,
  ) {
    this.next = new Date(Date.now() + interval);
    this.wait();
  }

  stop(): void {
    clearTimeout(this.timer);
    this.timer = undefined;
  }

  private wait(): void {
    const remaining = this.next.getTime() - Date.now();
    this.timer = setTimeout(() => this.due(), Math.min(Math.max(remaining, 0), LONGEST_TIMEOUT)).unref();
  }

  private async due(): Promise<void> {
    if (Date.now() >= this.next.getTime()) {
      const { timer } = this;
      await this.run();
      if (timer !== this.timer) return; // stopped meanwhile
      this.next = new Date(Date.now() + this.interval);
    }
    this.wait();
  }
}
