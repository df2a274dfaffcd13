import type { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import type { SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import type { CloudFormationCustomResourceEvent, Context } from 'aws-lambda';
import {
  CLIENT_RESOURCE_TYPE,
  KEY_SET_RESOURCE_TYPE,
  type OnDeployConfig,
  PROTECTED_RESOURCE_TYPE,
  RESOURCE_SERVER_RESOURCE_TYPE,
} from '../../lib/contract';
import { ClientPolicy } from '../provider/client-policy';
import { clientKey, resourceKey } from '../provider/keys';
import { logProblem } from '../provider/log';
import { preRegisteredClient } from '../provider/pre-registered-client';
import { resourceServerClient } from '../provider/resource-server';
import { OutOfTime, within } from '../provider/time-limit';
import { putConfigured, removeConfigured } from '../store/configured-record';
import { ensureKeySet } from './first-key-set';
import { parseClient } from './parse-client';
import { parseResource } from './parse-resource';
import { parseResourceServer, secretOf } from './parse-resource-server';
import { readNewSecret } from './read-new-secret';
import { type Outcome, respond } from './respond';

/** Kept back from the function's time for the answer to CloudFormation, in milliseconds. */
const TIME_TO_ANSWER = 10_000;
/** The whole answer may have 4096 bytes. */
const LONGEST_REASON = 1000;

/** What of Lambda's context is needed: how long the function may still run, and where it writes its log. */
export type RunContext = Pick<Context, 'getRemainingTimeInMillis' | 'logStreamName'>;

/** Where the record of a custom resource lies, by its physical id. */
const KEY_OF: Readonly<Record<string, (id: string) => string>> = {
  [PROTECTED_RESOURCE_TYPE]: resourceKey,
  [CLIENT_RESOURCE_TYPE]: clientKey,
  [RESOURCE_SERVER_RESOURCE_TYPE]: clientKey,
};

/** The custom resources that make the first key set and register protected resources, clients and resource servers. Each request may come more than once. */
export class CustomResources {
  constructor(
    private readonly secretsManager: SecretsManagerClient,
    private readonly dynamoDb: DynamoDBClient,
    private readonly config: OnDeployConfig,
  ) {}

  /**
   * Does what CloudFormation asks for and tells it the outcome, whatever happens.
   *
   * @throws Error only where CloudFormation could not be told, so that Lambda repeats the request
   */
  async handle(event: CloudFormationCustomResourceEvent, context: RunContext): Promise<void> {
    await respond(event, await this.outcomeOf(event, context));
  }

  private async outcomeOf(event: CloudFormationCustomResourceEvent, context: RunContext): Promise<Outcome> {
    try {
      // A function that is stopped cannot answer, so it gives up before.
      const timeLimit = Math.max(0, context.getRemainingTimeInMillis() - TIME_TO_ANSWER);
      const PhysicalResourceId = await within(timeLimit, this.perform(event));
      return { Status: 'SUCCESS', PhysicalResourceId };
    } catch (error) {
      logProblem('custom_resource.failed', error, { type: event.ResourceType, logicalId: event.LogicalResourceId });
      const Reason = `${wordsFor(error).slice(0, LONGEST_REASON)} (log stream ${context.logStreamName})`;
      // What failed to come into being has to have an id as well: CloudFormation asks to delete it.
      const PhysicalResourceId = 'PhysicalResourceId' in event ? event.PhysicalResourceId : `failed-${event.RequestId}`;
      return { Status: 'FAILED', PhysicalResourceId, Reason };
    }
  }

  /** @returns the physical id: while it stays the same, CloudFormation sees the same thing; when it changes, the former is deleted. */
  private async perform(event: CloudFormationCustomResourceEvent): Promise<string> {
    const { tableName, privateUseSchemes } = this.config;
    const owner = `${event.StackId}/${event.LogicalResourceId}`;
    if (event.RequestType === 'Delete') {
      // The key set goes with its secret, whose removal policy decides.
      const key = KEY_OF[event.ResourceType]?.(event.PhysicalResourceId);
      if (key) await removeConfigured(this.dynamoDb, tableName, key, owner);
      return event.PhysicalResourceId;
    }
    switch (event.ResourceType) {
      case KEY_SET_RESOURCE_TYPE:
        await ensureKeySet(this.secretsManager, this.config);
        return this.config.keySetSecretArn;
      case PROTECTED_RESOURCE_TYPE: {
        const resource = parseResource(event.ResourceProperties.Resource);
        await putConfigured(this.dynamoDb, tableName, resourceKey(resource.identifier), resource, owner);
        return resource.identifier;
      }
      case CLIENT_RESOURCE_TYPE: {
        const client = parseClient(event.ResourceProperties.Client);
        const metadata = preRegisteredClient(new ClientPolicy(privateUseSchemes), client);
        await putConfigured(this.dynamoDb, tableName, clientKey(client.clientId), metadata, owner);
        return client.clientId;
      }
      case RESOURCE_SERVER_RESOURCE_TYPE: {
        const server = parseResourceServer(event.ResourceProperties.ResourceServer);
        const credential = await readNewSecret(this.secretsManager, String(event.ResourceProperties.Secret));
        const metadata = resourceServerClient(server, secretOf(credential, server));
        await putConfigured(this.dynamoDb, tableName, clientKey(server.clientId), metadata, owner);
        return server.clientId;
      }
      default:
        throw new Error(
          `This function makes ${[KEY_SET_RESOURCE_TYPE, ...Object.keys(KEY_OF)].join(', ')}; given: ${event.ResourceType}.`,
        );
    }
  }
}

/** For whoever deploys. */
function wordsFor(error: unknown): string {
  if (error instanceof OutOfTime)
    return 'AWS did not answer in time. Deploy again; if it stays so, look for an outage.';
  return error instanceof Error ? error.message : String(error);
}
