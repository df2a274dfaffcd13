import { Duration, type RemovalPolicy, Stack } from 'aws-cdk-lib';
import { Schedule } from 'aws-cdk-lib/aws-events';
import { PolicyStatement } from 'aws-cdk-lib/aws-iam';
import { CfnPermission, type Function as LambdaFunction } from 'aws-cdk-lib/aws-lambda';
import type { RetentionDays } from 'aws-cdk-lib/aws-logs';
import { CfnRotationSchedule, CfnSecret, type ISecret, Secret } from 'aws-cdk-lib/aws-secretsmanager';
import { Construct, type IDependable } from 'constructs';
import { bundledFunction, configure } from './bundled-function';
import { checkDuration, refuse } from './validation';

/** How often an instance of the provider function looks at the key set; also the `max-age` of /jwks. */
export const KEY_SET_REFRESH = Duration.minutes(1);

/**
 * How long a verifier may go on with a key set that it has fetched: API Gateway's own JWT authorizers keep one for two hours, the longest
 * that is known. What was fetched may itself be a refresh old at the instance and another one on its way.
 */
const KEY_SET_CACHES = Duration.hours(2).plus(Duration.seconds(2 * KEY_SET_REFRESH.toSeconds()));

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
  /** How often a new key takes over. */
  readonly every: Duration;
  /** The longest that something signed with a key is valid. */
  readonly longestToken: Duration;
  readonly logRetention: RetentionDays;
}

/** Turns the key set over: current becomes previous, next becomes current, and a new next is published. */
export class KeyRotation extends Construct {
  readonly function: LambdaFunction;

  constructor(scope: Construct, id: string, props: KeyRotationProps) {
    super(scope, id);
    const { secret, every } = props;
    checkRotation(every);

    this.function = bundledFunction(this, 'Function', {
      bundle: 'rotate-keys',
      description: 'Rotates the signing keys of the MCP authorization server.',
      memorySize: 256,
      timeout: Duration.minutes(1),
      logRetention: props.logRetention,
    });
    configure(this.function, {
      keySetSecretArn: secret.secretArn,
      minimumPublication: KEY_SET_CACHES.toSeconds(),
      retirement: props.longestToken.plus(KEY_SET_CACHES).toSeconds(),
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
      rotationRules: { scheduleExpression: Schedule.rate(every).expressionString },
    });
    schedule.node.addDependency(props.firstKeySet, permission, this.function);
  }
}

function checkRotation(every: Duration): void {
  // The limits of Secrets Manager. The lower one also leaves `next` published for longer than any cache before it signs.
  checkDuration('keyRotation', every, { atLeast: Duration.hours(4), atMost: Duration.days(1000) });
  if (!Number.isInteger(every.toHours({ integral: false }))) {
    refuse(`keyRotation must be a whole number of hours, got ${every.toHumanString()}.`);
  }
}
