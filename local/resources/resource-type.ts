import type { HttpApi, HttpApiIntegration } from '../api-gateway/http-api';
import type { HttpApiAuthorizer } from '../api-gateway/http-api-authorizer';
import type { Listener } from '../api-gateway/listener';
import type { RestApi } from '../api-gateway/rest-api';
import type { RestApiDeployment } from '../api-gateway/rest-api-deployment';
import type { RestAuthorizer } from '../api-gateway/rest-authorizer';
import type { Json, JsonObject } from '../json';
import type { Services } from '../services';
import type { AssemblyStack } from '../template/assembly';

/** A role: its name and the identity policies that are attached to it. The list grows while policies are created. */
export interface Role {
  readonly logicalId: string;
  readonly name: string;
  readonly policies: object[];
  /** What the template says of each of them, with its intrinsic functions. */
  readonly declared: Map<object, JsonObject>;
  readonly assumeRolePolicy: object;
}

/** A policy as it is judged, and as the template says it. */
export interface ManagedPolicy {
  readonly document: JsonObject;
  readonly declared: JsonObject;
}

/** What the resources of a running template have to do with each other. */
export interface Deployment extends Services {
  /** By ARN. */
  readonly roles: Map<string, Role>;
  /** By ARN. */
  readonly managedPolicies: Map<string, ManagedPolicy>;
  /** By name. */
  readonly logGroups: Set<string>;
  readonly httpApis: Map<string, HttpApi>;
  readonly httpApiIntegrations: Map<string, HttpApiIntegration>;
  readonly httpApiAuthorizers: Map<string, HttpApiAuthorizer>;
  readonly restApis: Map<string, RestApi>;
  readonly restApiDeployments: Map<string, RestApiDeployment>;
  readonly restAuthorizers: Map<string, RestAuthorizer>;
  /** The local origin of an API that is to be created. */
  listener(stack: string, logicalId: string): Listener;
  readonly eventsPerInstance?: number;
  onLog(functionName: string, line: string): void;
}

/** A resource of the template, with every intrinsic function resolved. */
export interface DeclaredResource {
  readonly type: string;
  readonly logicalId: string;
  readonly stack: AssemblyStack;
  readonly stackId: string;
  readonly properties: JsonObject;
}

/** What `Ref` and `Fn::GetAtt` give for a resource. */
export interface CreatedResource {
  readonly ref: string;
  readonly attributes: Readonly<Record<string, Json>>;
}

export interface ResourceType {
  /** The properties that have an effect here, as paths (`Environment.Variables`); each stands for all that is below it. */
  readonly properties: readonly string[];
  create(resource: DeclaredResource, deployment: Deployment): CreatedResource | Promise<CreatedResource>;
}
