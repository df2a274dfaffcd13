import { ACCOUNT, REGION } from './account';
import { LambdaTargets } from './api-gateway/lambda-target';
import { AccessControl } from './aws/access-control';
import { type LocalDynamoDb, startDynamoDb } from './aws/dynamodb';
import { Keys } from './aws/keys';
import { type LocalSecretsManager, startSecretsManager } from './aws/secrets-manager';
import { Clock } from './clock';
import { CustomResources } from './custom-resources';

/** The AWS services that the resources of a template are created in. */
export interface Services {
  readonly clock: Clock;
  readonly accessControl: AccessControl;
  readonly keys: Keys;
  readonly functions: LambdaTargets;
  readonly dynamoDb: LocalDynamoDb;
  readonly secretsManager: LocalSecretsManager;
  readonly customResources: CustomResources;
  close(): Promise<void>;
}

/** @param dynamoDbEndpoint an existing DynamoDB endpoint instead of the embedded one */
export async function startServices(dynamoDbEndpoint: string | undefined): Promise<Services> {
  const accessControl = new AccessControl({ region: REGION, account: ACCOUNT });
  const functions = new LambdaTargets();
  const customResources = await CustomResources.start();
  const secretsManager = await startSecretsManager({
    accessControl,
    async invoke(functionArn, event, source) {
      const result = await functions
        .behind(functionArn)
        .invoke(event, { service: source.service, sourceArn: source.arn });
      if ('error' in result) throw new Error(`${result.error.errorType}: ${result.error.errorMessage}`);
      return JSON.parse(result.payload.toString());
    },
  });
  const dynamoDb = await startDynamoDb({
    accessControl,
    ...(dynamoDbEndpoint === undefined ? {} : { upstream: dynamoDbEndpoint }),
  });
  return {
    clock: new Clock(),
    accessControl,
    keys: new Keys(),
    functions,
    dynamoDb,
    secretsManager,
    customResources,
    async close() {
      await Promise.all(functions.all().map((target) => target.close()));
      await Promise.all([customResources.close(), secretsManager.close(), dynamoDb.close()]);
    },
  };
}
