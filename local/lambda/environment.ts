import { REGION } from '../account';

/** The Lambda runtime that this process can stand in for. */
export const RUNTIME = `nodejs${process.versions.node.split('.')[0]}.x`;

/** Variables that Lambda sets itself and does not let a function declare. */
export const RESERVED: readonly string[] = [
  '_HANDLER',
  '_X_AMZN_TRACE_ID',
  'AWS_ACCESS_KEY',
  'AWS_ACCESS_KEY_ID',
  'AWS_DEFAULT_REGION',
  'AWS_EXECUTION_ENV',
  'AWS_LAMBDA_FUNCTION_MEMORY_SIZE',
  'AWS_LAMBDA_FUNCTION_NAME',
  'AWS_LAMBDA_FUNCTION_VERSION',
  'AWS_LAMBDA_INITIALIZATION_TYPE',
  'AWS_LAMBDA_LOG_GROUP_NAME',
  'AWS_LAMBDA_LOG_STREAM_NAME',
  'AWS_LAMBDA_RUNTIME_API',
  'AWS_REGION',
  'AWS_SECRET_ACCESS_KEY',
  'AWS_SESSION_TOKEN',
  'LAMBDA_RUNTIME_DIR',
  'LAMBDA_TASK_ROOT',
];

export interface RuntimeEnvironment {
  readonly functionName: string;
  readonly handler: string;
  readonly memorySize: number;
  readonly taskRoot: string;
  readonly logGroupName: string;
  readonly credentials: {
    readonly accessKeyId: string;
    readonly secretAccessKey: string;
    readonly sessionToken: string;
  };
  /** What the template declares. */
  readonly variables: Readonly<Record<string, string>>;
  readonly dynamoDbEndpoint: string;
  readonly secretsManagerEndpoint: string;
}

/**
 * The environment of a function: what the template gives it, what Lambda itself sets, and the AWS SDKs' own variables for
 * the two local services. Of the runner's environment only NODE_EXTRA_CA_CERTS gets in: a machine that sits behind its own
 * certificate authority could not reach an upstream identity provider otherwise. What the template gives comes first.
 */
export function functionEnvironment(options: RuntimeEnvironment): Record<string, string> {
  const certificates = process.env.NODE_EXTRA_CA_CERTS;
  return {
    LANG: 'en_US.UTF-8',
    PATH: '/var/lang/bin:/usr/local/bin:/usr/bin/:/bin:/opt/bin',
    TZ: ':UTC',
    ...(certificates === undefined ? {} : { NODE_EXTRA_CA_CERTS: certificates }),
    ...options.variables,
    AWS_ENDPOINT_URL_DYNAMODB: options.dynamoDbEndpoint,
    AWS_ENDPOINT_URL_SECRETS_MANAGER: options.secretsManagerEndpoint,
    _HANDLER: options.handler,
    AWS_ACCESS_KEY_ID: options.credentials.accessKeyId,
    AWS_DEFAULT_REGION: REGION,
    AWS_EXECUTION_ENV: `AWS_Lambda_${RUNTIME}`,
    AWS_LAMBDA_FUNCTION_MEMORY_SIZE: String(options.memorySize),
    AWS_LAMBDA_FUNCTION_NAME: options.functionName,
    AWS_LAMBDA_FUNCTION_VERSION: '$LATEST',
    AWS_LAMBDA_INITIALIZATION_TYPE: 'on-demand',
    AWS_LAMBDA_LOG_GROUP_NAME: options.logGroupName,
    AWS_LAMBDA_LOG_STREAM_NAME: `local/${options.functionName}`,
    AWS_REGION: REGION,
    AWS_SECRET_ACCESS_KEY: options.credentials.secretAccessKey,
    AWS_SESSION_TOKEN: options.credentials.sessionToken,
    LAMBDA_RUNTIME_DIR: '/var/runtime',
    LAMBDA_TASK_ROOT: options.taskRoot,
  };
}
