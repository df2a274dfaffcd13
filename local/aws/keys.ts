import { arn, REGION, URL_SUFFIX } from '../account';
import { isObject, type Json, type JsonObject } from '../json';
import type { Access } from './access-control';
import { assertKnownConditions } from './condition-keys';

/** The use of a key that a service makes on a caller's behalf: the caller needs the permission for it. */
export type KeyUse = (action: 'kms:Decrypt' | 'kms:GenerateDataKey') => Access;

/** Leaves the decision to the roles: the policy that KMS gives a key where nobody writes another. */
const DEFAULT_POLICY = {
  Version: '2012-10-17',
  Statement: [
    {
      Effect: 'Allow',
      Principal: { AWS: arn('iam', 'root').replace(`:${REGION}:`, '::') },
      Action: 'kms:*',
      Resource: '*',
    },
  ],
};

/** The customer managed keys of KMS. Nothing is encrypted here, but a key's policy decides beside the roles who may read what would be. */
export class Keys {
  /** By ARN. */
  readonly #policies = new Map<string, object>();
  /** ARNs by alias name. */
  readonly #aliases = new Map<string, string>();

  /** @throws Error where the policy has a condition that cannot be judged here */
  add(keyArn: string, policy: JsonObject | undefined): void {
    if (policy) assertKnownConditions(ofCallers(policy), `the key ${keyArn}`);
    this.#policies.set(keyArn, policy ?? DEFAULT_POLICY);
  }

  addAlias(name: string, keyId: string): void {
    this.#aliases.set(name, this.#arnOf(keyId));
  }

  /**
   * What a service needs a caller to be allowed where data is encrypted under a key; nothing where the key is AWS's own.
   * A key that no template made is taken to have the policy that leaves the decision to the roles.
   *
   * @param id a key's ARN or id, an alias' ARN or name
   */
  useOf(id: string | undefined, service: 'dynamodb' | 'secretsmanager'): KeyUse | undefined {
    if (id === undefined || /(^|:)alias\/aws\//.test(id)) return undefined;
    const keyArn = this.#arnOf(id);
    return (action) => ({
      action,
      resource: keyArn,
      resourcePolicy: this.#policies.get(keyArn) ?? DEFAULT_POLICY,
      context: { 'kms:ViaService': `${service}.${REGION}.${URL_SUFFIX}` },
    });
  }

  #arnOf(id: string): string {
    const [, alias] = /(?:^|:)(alias\/.+)$/.exec(id) ?? [];
    if (alias !== undefined) return this.#aliases.get(alias) ?? arn('kms', `key/${alias}`);
    return id.startsWith('arn:') ? id : arn('kms', `key/${id}`);
  }
}

/** The statements that are not about a service which uses the key in its own name: none does here. */
function ofCallers(policy: JsonObject): JsonObject {
  const isOfService = (statement: Json) =>
    isObject(statement) && isObject(statement.Principal) && 'Service' in statement.Principal;
  return { ...policy, Statement: [policy.Statement ?? []].flat().filter((statement) => !isOfService(statement)) };
}
