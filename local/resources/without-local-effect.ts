/**
 * Properties that a template may have though nothing on this machine comes of them, each with the reason. What stands
 * neither here nor among the properties that a resource type knows is refused at start.
 *
 * A path stands for everything below it; members of lists have no index.
 */
export const WITHOUT_LOCAL_EFFECT: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  'AWS::ApiGateway::Account': {
    CloudWatchRoleArn: 'API Gateway writes no logs here.',
  },
  'AWS::ApiGateway::Authorizer': {
    AuthType: 'Only exported API definitions show it.',
    Name: 'A label.',
  },
  'AWS::ApiGateway::Deployment': {
    Description: 'A label.',
  },
  'AWS::ApiGateway::Method': {
    'Integration.CacheNamespace': 'Caching is refused where it is switched on.',
    'MethodResponses.ResponseModels': 'Models describe responses and change none.',
    OperationName: 'A label.',
    RequestModels: 'Requests are validated only with a request validator, which is refused.',
    RequestParameters: 'Requests are validated only with a request validator, which is refused.',
  },
  'AWS::ApiGateway::RestApi': {
    Description: 'A label.',
    Name: 'A label.',
    Tags: 'Labels.',
  },
  'AWS::ApiGateway::Stage': {
    AccessLogSetting: 'API Gateway writes no logs here.',
    Description: 'A label.',
    'MethodSettings.DataTraceEnabled': 'API Gateway writes no logs here.',
    'MethodSettings.LoggingLevel': 'API Gateway writes no logs here.',
    'MethodSettings.MetricsEnabled': 'There are no metrics here.',
    Tags: 'Labels.',
    TracingEnabled: 'There is no tracing here.',
  },
  'AWS::ApiGatewayV2::Api': {
    Description: 'A label.',
    Name: 'A label.',
    Tags: 'Labels.',
  },
  'AWS::ApiGatewayV2::Authorizer': {
    Name: 'A label.',
  },
  'AWS::ApiGatewayV2::Integration': {
    Description: 'A label.',
    IntegrationMethod: 'Lambda is always invoked by POST.',
  },
  'AWS::ApiGatewayV2::Route': {
    OperationName: 'A label.',
  },
  'AWS::ApiGatewayV2::Stage': {
    AccessLogSettings: 'API Gateway writes no logs here.',
    'DefaultRouteSettings.DetailedMetricsEnabled': 'There are no metrics here.',
    Description: 'A label.',
    Tags: 'Labels.',
  },
  'AWS::CDK::Metadata': {
    Analytics: 'Statistics for the CDK team.',
  },
  'AWS::CloudWatch::Alarm': {
    '*': 'There are no metrics here to watch.',
  },
  'AWS::CloudWatch::Dashboard': {
    '*': 'There are no metrics here to show.',
  },
  'AWS::DynamoDB::GlobalTable': {
    BillingMode: 'Nothing is billed here.',
    'Replicas.ContributorInsightsSpecification': 'There are no metrics here.',
    'Replicas.DeletionProtectionEnabled': 'Tables in memory end with the stack.',
    'Replicas.PointInTimeRecoverySpecification': 'There are no backups here.',
    'Replicas.TableClass': 'Nothing is billed here.',
    'Replicas.Tags': 'Labels.',
    'SSESpecification.SSEEnabled': 'Nothing is stored on disk.',
    'SSESpecification.SSEType': 'Nothing is stored on disk.',
    TimeToLiveSpecification: 'Expired items are not deleted: on AWS it may take days, so nothing may depend on it.',
    WarmThroughput: 'Capacity is not limited here.',
    WriteOnDemandThroughputSettings: 'Capacity is not limited here.',
  },
  'AWS::DynamoDB::Table': {
    BillingMode: 'Nothing is billed here.',
    ContributorInsightsSpecification: 'There are no metrics here.',
    DeletionProtectionEnabled: 'Tables in memory end with the stack.',
    OnDemandThroughput: 'Capacity is not limited here.',
    PointInTimeRecoverySpecification: 'There are no backups here.',
    ProvisionedThroughput: 'Capacity is not limited here.',
    'SSESpecification.SSEEnabled': 'Nothing is stored on disk.',
    'SSESpecification.SSEType': 'Nothing is stored on disk.',
    TableClass: 'Nothing is billed here.',
    Tags: 'Labels.',
    TimeToLiveSpecification: 'Expired items are not deleted: on AWS it may take days, so nothing may depend on it.',
    WarmThroughput: 'Capacity is not limited here.',
  },
  'AWS::EC2::SecurityGroup': {
    '*': 'Functions reach what this machine reaches.',
  },
  'AWS::IAM::ManagedPolicy': {
    Description: 'A label.',
    Path: 'Part of the ARN, which is not imitated.',
  },
  'AWS::IAM::Policy': {
    PolicyName: 'A label.',
  },
  'AWS::IAM::Role': {
    Description: 'A label.',
    MaxSessionDuration: 'Credentials do not expire here.',
    PermissionsBoundary:
      'The policy of a boundary belongs to the account and is mostly not in the template. It is not judged.',
    Tags: 'Labels.',
  },
  'AWS::KMS::Key': {
    Description: 'A label.',
    EnableKeyRotation: 'Nothing is encrypted here.',
    Enabled: 'Nothing is encrypted here.',
    KeySpec: 'Nothing is encrypted here.',
    KeyUsage: 'Nothing is encrypted here.',
    PendingWindowInDays: 'Nothing is encrypted here.',
    RotationPeriodInDays: 'Nothing is encrypted here.',
    Tags: 'Labels.',
  },
  'AWS::Lambda::Function': {
    Architectures: 'Functions are JavaScript and run on this machine, whichever its architecture.',
    Description: 'A label.',
    'LoggingConfig.ApplicationLogLevel': 'Every line that a function logs is kept.',
    'LoggingConfig.LogFormat': 'Lines are kept as the function writes them.',
    'LoggingConfig.SystemLogLevel': 'Lambda itself logs only errors here.',
    RecursiveLoop: 'Loops are not looked for.',
    Tags: 'Labels.',
    VpcConfig: 'Functions reach what this machine reaches.',
  },
  'AWS::Logs::LogGroup': {
    KmsKeyId: 'Logs are files, and not encrypted.',
    LogGroupClass: 'Nothing is billed here.',
    RetentionInDays: 'Logs are files below the state directory and stay there.',
    Tags: 'Labels.',
  },
  'AWS::SecretsManager::ResourcePolicy': {
    BlockPublicPolicy: 'Nobody else can reach this machine.',
  },
  'AWS::SecretsManager::RotationSchedule': {
    'RotationRules.Duration': 'A rotation begins when it is due.',
  },
  'AWS::SecretsManager::Secret': {
    Tags: 'Labels.',
  },
  'AWS::SNS::Subscription': {
    '*': 'Nothing is published here.',
  },
  'AWS::SNS::Topic': {
    '*': 'Nothing is published here.',
  },
};
