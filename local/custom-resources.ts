import { randomUUID } from 'node:crypto';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { isObject, type Json, type JsonObject } from './json';
import type { LambdaFunction } from './lambda/function';
import { StartError } from './start-error';

/** The longest answer that CloudFormation takes, in bytes. */
const ANSWER_LIMIT = 4096;

interface CustomResource {
  readonly type: string;
  readonly stackId: string;
  readonly logicalId: string;
  readonly properties: JsonObject;
  readonly target: LambdaFunction;
}

interface Answer {
  readonly Status?: string;
  readonly Reason?: string;
  readonly PhysicalResourceId?: string;
  readonly Data?: Record<string, Json>;
}

/**
 * CloudFormation's side of custom resources: it invokes a function with a ResponseURL and waits for the answer that the
 * function puts there. https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/crpg-ref.html
 */
export class CustomResources {
  readonly #server: Server;
  readonly #waiting = new Map<string, (answer: Answer) => void>();
  readonly #created = new Map<string, { resource: CustomResource; physicalId: string }>();

  private constructor(server: Server) {
    this.#server = server;
  }

  static start(): Promise<CustomResources> {
    const server = createServer();
    const customResources = new CustomResources(server);
    server.on('request', async (request, response) => {
      const chunks: Buffer[] = [];
      for await (const chunk of request as AsyncIterable<Buffer>) chunks.push(chunk);
      const settle = customResources.#waiting.get(request.url ?? '');
      const accepted = settle && request.method === 'PUT';
      response.statusCode = accepted ? 200 : 403;
      response.end();
      if (accepted) settle(readAnswer(Buffer.concat(chunks)));
    });
    return new Promise((resolve) => server.listen(0, '127.0.0.1', () => resolve(customResources)));
  }

  /** @throws StartError with the reason that the function gave */
  async create(resource: CustomResource): Promise<{ ref: string; attributes: Record<string, Json> }> {
    const { PhysicalResourceId, Data } = await this.#request('Create', resource, {});
    const physicalId = PhysicalResourceId!;
    this.#created.set(resource.logicalId, { resource, physicalId });
    return { ref: physicalId, attributes: isObject(Data) ? Data : {} };
  }

  /** As where a later deployment changes the resource's properties. */
  async update(logicalId: string, properties: JsonObject): Promise<void> {
    const { resource, physicalId } = this.#get(logicalId);
    const updated = { ...resource, properties: { ...properties, ServiceToken: resource.properties.ServiceToken! } };
    const { PhysicalResourceId } = await this.#request('Update', updated, {
      PhysicalResourceId: physicalId,
      OldResourceProperties: inStrings(resource.properties),
    });
    this.#created.set(logicalId, { resource: updated, physicalId: PhysicalResourceId! });
    // Another physical id means another resource, and CloudFormation deletes the one that it replaces.
    if (PhysicalResourceId !== physicalId) {
      await this.#request('Delete', resource, { PhysicalResourceId: physicalId });
    }
  }

  /** As where a later deployment removes the resource. */
  async delete(logicalId: string): Promise<void> {
    const { resource, physicalId } = this.#get(logicalId);
    await this.#request('Delete', resource, { PhysicalResourceId: physicalId });
    this.#created.delete(logicalId);
  }

  close(): Promise<void> {
    this.#server.closeAllConnections();
    return new Promise((resolve) => this.#server.close(() => resolve()));
  }

  #get(logicalId: string): { resource: CustomResource; physicalId: string } {
    const found = this.#created.get(logicalId);
    if (!found) throw new StartError(`There is no custom resource ${logicalId}.`);
    return found;
  }

  async #request(RequestType: 'Create' | 'Update' | 'Delete', resource: CustomResource, more: object): Promise<Answer> {
    const { type, stackId, logicalId, properties, target } = resource;
    const path = `/${randomUUID()}`;
    const answered = new Promise<Answer>((resolve) => this.#waiting.set(path, resolve));
    const invoked = target.invoke({
      RequestType,
      ServiceToken: properties.ServiceToken,
      ResponseURL: `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}${path}`,
      StackId: stackId,
      RequestId: randomUUID(),
      ResourceType: type,
      LogicalResourceId: logicalId,
      ResourceProperties: inStrings(properties),
      ...more,
    });
    const silent = invoked.then((result): Answer => {
      const how = 'error' in result ? `${result.error.errorType}: ${result.error.errorMessage}` : 'nothing to say';
      return { Status: 'FAILED', Reason: `The function ended without an answer, with ${how}.` };
    });
    try {
      const answer = await Promise.race([answered, silent.then((failure) => Promise.race([answered, failure]))]);
      if (answer.Status !== 'SUCCESS') {
        throw new StartError(
          `${RequestType} of ${logicalId} (${type}) has failed: ${answer.Reason ?? 'no reason given'}`,
        );
      }
      if (!answer.PhysicalResourceId) {
        throw new StartError(`${RequestType} of ${logicalId} (${type}) was answered without a PhysicalResourceId.`);
      }
      await invoked;
      return answer;
    } finally {
      this.#waiting.delete(path);
    }
  }
}

/** CloudFormation hands every number and every boolean over as a string. */
function inStrings(value: Json): Json {
  if (Array.isArray(value)) return value.map(inStrings);
  if (isObject(value)) return Object.fromEntries(Object.entries(value).map(([name, item]) => [name, inStrings(item)]));
  return String(value);
}

function readAnswer(body: Buffer): Answer {
  if (body.length > ANSWER_LIMIT) return { Status: 'FAILED', Reason: 'Response object is too long.' };
  try {
    return JSON.parse(body.toString());
  } catch {
    return { Status: 'FAILED', Reason: 'The answer is no JSON.' };
  }
}
