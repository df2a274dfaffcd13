import { join } from 'node:path';
import { makeKeySet } from '../lambda/key-set/make-key-set';
import { CONFIG, type ProviderConfig, RESOURCES_PARTITION, type ResourceRecord } from '../lib/contract';
import { completeLifetimes } from '../lib/lifetime-rules';
import { startUpstreamIssuer, type UpstreamIssuer } from '../test/support/upstream-issuer';
import { Aws, TABLE_NAME } from './aws';
import { type Event, Instance } from './instance';
import { ISSUER, Person } from './person';

export const RESOURCE: ResourceRecord = {
  identifier: 'https://mcp.example.com/mcp',
  name: 'Notes',
  default: true,
  scopes: [{ name: 'notes:use', description: 'Use your notes', default: true, implies: [] }],
};

/** An authorization server that is measured, with a cloud and an identity provider of its own. */
export class Contestant implements AsyncDisposable {
  /** @param path of the folder where the table lies; in memory where absent */
  static async start(bundle: string, path?: string): Promise<Contestant> {
    const keySet = JSON.stringify(await makeKeySet(Math.floor(Date.now() / 1000)));
    const aws = await Aws.start({ keys: keySet, upstream: 'upstream-client-secret' }, path);
    await aws.createTable(TABLE_NAME);
    await aws.put(TABLE_NAME, {
      pk: { S: RESOURCES_PARTITION },
      sk: { S: `/${RESOURCE.identifier}` },
      v: { N: '1' },
      value: { S: JSON.stringify(RESOURCE) },
    });
    return new Contestant(bundle, aws, await startUpstreamIssuer());
  }

  private constructor(
    readonly bundle: string,
    readonly aws: Aws,
    private readonly upstream: UpstreamIssuer,
  ) {}

  /** A fresh process. */
  instance(first?: Event): Promise<Instance> {
    const config: ProviderConfig = {
      issuer: ISSUER,
      tableName: TABLE_NAME,
      keySetSecretArn: 'keys',
      upstream: {
        issuer: this.upstream.issuer,
        clientId: 'bench',
        clientSecretId: 'upstream',
        scopes: ['openid'],
        extraParameters: {},
        allow: [],
        claims: [],
        recheck: 3600,
      },
      registration: { perAddress: 1e9, inAll: 1e9, sharedEgress: [] },
      clientMetadata: { internalHosts: [], deniedHosts: [] },
      lifetimes: completeLifetimes({}),
      dpop: false,
      keySetRefresh: 300,
    };
    const environment = {
      ...this.aws.environment,
      [CONFIG]: JSON.stringify(config),
      RESOURCE: JSON.stringify(RESOURCE),
    };
    return Instance.start(join(process.cwd(), this.bundle), environment, first);
  }

  person(instance: Instance): Person {
    return new Person((url, init) => instance.send(url, init), RESOURCE.identifier);
  }

  /** Lets the identity provider forget the requests that it writes down. */
  forget(): void {
    for (const list of [this.upstream.requests, this.upstream.tokenRequests] as unknown[][]) list.length = 0;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all([this.aws[Symbol.asyncDispose](), this.upstream[Symbol.asyncDispose]()]);
  }
}
