import { Duration, type RemovalPolicy, Stack } from 'aws-cdk-lib';
import { Schedule } from 'aws-cdk-lib/aws-events';
import { PolicyStatement } from 'aws-cdk-lib/aws-iam';
import { CfnPermission, type Function as LambdaFunction } from 'aws-cdk-lib/aws-lambda';
import type { RetentionDays } from 'aws-cdk-lib/aws-logs';
import { CfnRotationSchedule, CfnSecret, type ISecret, Secret } from 'aws-cdk-lib/aws-secretsmanager';
import { Construct, type IDependable } from 'constructs';
import { bundledFunction, configure } from './bundled-function';
import { LONGEST_KEY_SET_CACHE, OLDEST_KEY_SET } from './contract';
import type { SigningAlgorithm } from './signing-algorithm';
import { checkDuration, refuse } from './validation';

/** Below this, which is for tests, nobody waits for LONGEST_KEY_SET_CACHE. */
const REAL_REFRESH = Duration.minutes(1);

/**
 * The context that `mcp-oidc-auth start --rotate-every N` synthesizes with: seconds from one rotation to the next. Secrets Manager itself does not
 * take a schedule of less than 4 hours, so nothing that was synthesized with it can be deployed.
 */
const ROTATE_EVERY = 'mcp-oidc-auth:rotateEvery';

/** How often keys turn over, and how often everybody looks whether they have. */
export interface KeyPeriods {
  readonly rotation: Duration;
  /** How often an instance of the provider function looks at the key set; also the `max-age` of /jwks. */
  readonly refresh: Duration;
}

/** Throws where a period is out of its bounds. */
export function keyPeriods(scope: Construct, props: { keyRotation?: Duration; keySetRefresh?: Duration }): KeyPeriods {
  const rotateEvery: number | undefined = scope.node.tryGetContext(ROTATE_EVERY);
  if (rotateEvery !== undefined) {
    return { rotation: Duration.seconds(rotateEvery), refresh: Duration.seconds(Math.floor(rotateEvery / 5)) };
  }
  const rotation = props.keyRotation ?? Duration.days(30);
  const refresh = props.keySetRefresh ?? REAL_REFRESH;
  // The limits of Secrets Manager.
  checkDuration('keyRotation', rotation, { atLeast: Duration.hours(4), atMost: Duration.days(1000) });
  if (!Number.isInteger(rotation.toHours({ integral: false }))) {
    refuse(`keyRotation must be a whole number of hours, got ${rotation.toHumanString()}.`);
  }
  checkDuration('keySetRefresh', refresh, { atLeast: Duration.seconds(1), atMost: Duration.hours(1) });
  const known = knownAfter(refresh);
  if (rotation.toSeconds() < known.toSeconds()) {
    refuse(
      `keyRotation must be at least ${known.toHumanString()} where keySetRefresh is ${refresh.toHumanString()}, so that everybody knows a key before ` +
        `it signs, got ${rotation.toHumanString()}.`,
    );
  }
  return { rotation, refresh };
}

/** After this a new key set is known to everybody. */
function knownAfter(refresh: Duration): Duration {
  const known = Duration.seconds(OLDEST_KEY_SET * refresh.toSeconds());
  return refresh.toSeconds() < REAL_REFRESH.toSeconds() ? known : known.plus(Duration.seconds(LONGEST_KEY_SET_CACHE));
}

/** The secret that holds signing keys and derived secrets. It is empty until the first key set is made at deployment. */
export function keySetSecret(scope: Construct, id: string, removalPolicy: RemovalPolicy): ISecret {
  // The L2 construct would fill it with a random string, which is no key set.
  const secret = new CfnSecret(scope, `${id}Resource`, {
    description:
      'Edited by nobody: signing keys and derived secrets of the MCP authorization server, made and rotated by its functions.',
  });
  secret.applyRemovalPolicy(removalPolicy);
  return Secret.fromSecretCompleteArn(scope, id, secret.ref);
}

interface KeyRotationProps {
  readonly secret: ISecret;
  /** Makes the first key set: there is nothing to rotate before. */
  readonly firstKeySet: IDependable;
  readonly periods: KeyPeriods;
  /** Of access tokens. */
  readonly algorithm: SigningAlgorithm;
  /** The longest that something signed with a key is valid. */
  readonly longestToken: Duration;
  readonly logRetention: RetentionDays;
}

/** Turns the key set over: current becomes previous, next becomes current, and a new next is published. */
export class KeyRotation extends Construct {
  readonly function: LambdaFunction;

  constructor(scope: Construct, id: string, props: KeyRotationProps) {
    super(scope, id);
    const { secret, periods } = props;

    this.function = bundledFunction(this, 'Function', {
      bundle: 'rotate-keys',
      description: 'Rotates the signing keys of the MCP authorization server.',
      memorySize: 256,
      timeout: Duration.minutes(1),
      logRetention: props.logRetention,
    });
    const known = knownAfter(periods.refresh);
    configure(this.function, {
      keySetSecretArn: secret.secretArn,
      algorithm: props.algorithm,
      minimumPublication: known.toSeconds(),
      retirement: props.longestToken.plus(known).toSeconds(),
    });
    this.function.role?.addToPrincipalPolicy(
      new PolicyStatement({
        actions: [
          'secretsmanager:DescribeSecret',
          'secretsmanager:GetSecretValue',
          'secretsmanager:PutSecretValue',
          'secretsmanager:UpdateSecretVersionStage',
        ],
        resources: [secret.secretArn],
      }),
    );

    // L1s, because addRotationSchedule lets Secrets Manager call for any account, grants GetRandomPassword on everything, and rotates at once.
    const permission = new CfnPermission(this, 'Permission', {
      action: 'lambda:InvokeFunction',
      functionName: this.function.functionArn,
      principal: 'secretsmanager.amazonaws.com',
      sourceAccount: Stack.of(this).account,
      sourceArn: secret.secretArn,
    });
    const schedule = new CfnRotationSchedule(this, 'Schedule', {
      secretId: secret.secretArn,
      rotationLambdaArn: this.function.functionArn,
      rotateImmediatelyOnUpdate: false,
      rotationRules: { scheduleExpression: scheduleExpression(periods.rotation) },
    });
    schedule.node.addDependency(props.firstKeySet, permission, this.function);
  }
}

/** In hours, or, for `--rotate-every`, in seconds. */
function scheduleExpression(every: Duration): string {
  const hours = every.toHours({ integral: false });
  return Number.isInteger(hours) ? Schedule.rate(every).expressionString : `rate(${every.toSeconds()} seconds)`;
}
