import { randomUUID } from 'node:crypto';
import { AwsError } from './aws-error';
import { parseRate, RotationSchedule } from './rotation-schedule';
import { AWSCURRENT, AWSPENDING, type Secret } from './secret';

/** Invokes a function as the service does, if its resource policy lets it. Rejects where the function fails. */
export type Invoke = (functionArn: string, event: object, source: { service: string; arn: string }) => Promise<unknown>;

const STEPS = ['createSecret', 'setSecret', 'testSecret', 'finishSecret'] as const;

/**
 * Rotation by a Lambda function: https://docs.aws.amazon.com/secretsmanager/latest/userguide/rotate-secrets_lambda.html
 * A step that fails ends the attempt and leaves AWSPENDING where it is; the next attempt has the same token.
 */
export class SecretRotation {
  lastRotatedAt: Date | undefined;
  private running: Promise<void> | undefined;
  private readonly schedule: RotationSchedule;

  constructor(
    private readonly secret: Secret,
    readonly functionArn: string,
    readonly scheduleExpression: string,
    private readonly invoke: Invoke,
  ) {
    this.schedule = new RotationSchedule(parseRate(scheduleExpression), () => this.inBackground(this.scheduled()));
  }

  get nextRotationAt(): Date {
    return this.schedule.next;
  }

  stop(): void {
    this.schedule.stop();
  }

  /**
   * RotateSecret.
   * @returns the end of the attempt, which rejects where a step fails
   * @throws UnfinishedRotation
   */
  start(token: string): Promise<void> {
    this.assertFinished();
    return this.attempt(token);
  }

  /**
   * While a rotation is unfinished, neither another one nor a new configuration is accepted.
   * @throws UnfinishedRotation after beginning the next attempt
   */
  assertFinished(): void {
    const unfinished = this.unfinished();
    if (!this.running && !unfinished) return;
    const reattempt = this.running ?? this.attempt(unfinished!);
    throw new UnfinishedRotation(this.inBackground(reattempt));
  }

  /** Without RotateImmediately, Secrets Manager makes a pending version, runs `testSecret` alone, and removes the version. */
  async test(): Promise<void> {
    const { id } = this.secret.addPending(randomUUID());
    try {
      await this.step('testSecret', id);
    } finally {
      this.secret.versions.delete(id);
    }
  }

  /** Waits for the end of an attempt that nobody else waits for: as in AWS, its failure shows in the function's log alone. */
  async inBackground(attempt: Promise<void>): Promise<void> {
    await attempt.catch((error: unknown) => {
      process.emitWarning(`The rotation of ${this.secret.name} has failed: ${error}`, 'SecretRotation');
    });
  }

  private scheduled(): Promise<void> {
    return this.running ?? this.attempt(this.unfinished() ?? randomUUID());
  }

  /** AWSPENDING on another version than AWSCURRENT means that a rotation has not come to its end. */
  private unfinished(): string | undefined {
    const pending = this.secret.labelled(AWSPENDING);
    return pending && !pending.stages.has(AWSCURRENT) ? pending.id : undefined;
  }

  private attempt(token: string): Promise<void> {
    this.running = this.steps(token).finally(() => {
      this.running = undefined;
    });
    return this.running;
  }

  private async steps(token: string): Promise<void> {
    const version = this.secret.addPending(token);
    for (const step of STEPS) await this.step(step, token);
    if (!version.stages.has(AWSCURRENT)) {
      throw new Error(`finishSecret has not moved ${AWSCURRENT} to version ${token}.`);
    }
    this.lastRotatedAt = new Date();
  }

  private async step(Step: (typeof STEPS)[number], ClientRequestToken: string): Promise<void> {
    const { arn } = this.secret;
    await this.invoke(
      this.functionArn,
      { Step, SecretId: arn, ClientRequestToken },
      { service: 'secretsmanager.amazonaws.com', arn },
    );
  }
}

/** An earlier rotation is unfinished; `reattempt` ends with its next attempt, whichever way that goes. */
export class UnfinishedRotation extends AwsError {
  constructor(readonly reattempt: Promise<void>) {
    super('InvalidRequestException', "A previous rotation isn't complete. That rotation will be reattempted.");
  }
}
