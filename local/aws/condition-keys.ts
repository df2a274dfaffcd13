import type { Caller } from './caller';

/** The condition keys of services that calls carry here; https://docs.aws.amazon.com/service-authorization/latest/reference/ */
const SERVICE_KEYS = [
  'dynamodb:LeadingKeys',
  'dynamodb:ReturnValues',
  'dynamodb:Select',
  'kms:ViaService',
  'secretsmanager:Name',
  'secretsmanager:SecretId',
  'secretsmanager:VersionId',
  'secretsmanager:VersionStage',
];

/**
 * The global condition keys that AWS gives to a call of a Lambda function: `aws:SourceAccount` and `aws:SourceArn` are
 * not among them (they belong to calls of services), nor is `aws:SourceIp`, because no one knows a function's address.
 */
export function globalContext(
  { region, account }: { region: string; account: string },
  { roleArn, functionName, roleId }: Caller & { roleId: string },
): Record<string, string> {
  const now = new Date();
  return {
    'aws:CurrentTime': now.toISOString(),
    'aws:EpochTime': String(Math.floor(now.getTime() / 1000)),
    'aws:PrincipalAccount': account,
    'aws:PrincipalArn': roleArn,
    'aws:PrincipalIsAWSService': 'false',
    'aws:PrincipalType': 'AssumedRole',
    'aws:RequestedRegion': region,
    'aws:ResourceAccount': account,
    // What a deployed function uses is always TLS; that it is not needed on one machine must not change the decision.
    'aws:SecureTransport': 'true',
    'aws:userid': `${roleId}:${functionName}`,
    'aws:ViaAWSService': 'false',
    'lambda:SourceFunctionArn': `arn:aws:lambda:${region}:${account}:function:${functionName}`,
  };
}

const nobody = { functionName: '', roleArn: '', accessKeyId: '', secretAccessKey: '', sessionToken: '', roleId: '' };
const KNOWN = [...Object.keys(globalContext({ region: '', account: '' }, nobody)), ...SERVICE_KEYS];

/**
 * A condition on a key that no call carries here would be judged otherwise than AWS judges it.
 * @throws Error that names the key
 */
export function assertKnownConditions(policy: object, owner: string): void {
  const known = new Set(KNOWN.map((key) => key.toLowerCase()));
  const statements = [(policy as { Statement?: Statement | Statement[] }).Statement ?? []].flat();
  for (const key of statements.flatMap(({ Condition = {} }) => Object.values(Condition).flatMap(Object.keys))) {
    if (!known.has(key.toLowerCase())) {
      throw new Error(
        `A policy of ${owner} has a condition on ${key}, which cannot be judged on this machine. Known: ${KNOWN.join(', ')}.`,
      );
    }
  }
}

interface Statement {
  readonly Condition?: Record<string, Record<string, unknown>>;
}
