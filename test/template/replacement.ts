import { fullDiff, ResourceImpact } from '@aws-cdk/cloudformation-diff';
import { schemaOf } from './apply';
import type { ResourceJson, TemplateJson } from './variants';

/** Types whose resources hold what cannot be made again, or are known to others by what they are called: clients keep an API's URL. */
const KNOWN_TO_OTHERS = ['AWS::ApiGatewayV2::Api', 'AWS::ApiGateway::RestApi'];

export function isStateful({ Type }: ResourceJson): boolean {
  return KNOWN_TO_OTHERS.includes(Type) || schemaOf(Type)?.isStateful === true;
}

/** What CloudFormation does to stateful resources that loses them, when it updates one template to another. */
export function losses(from: TemplateJson, to: TemplateJson): string[] {
  const found: string[] = [];
  fullDiff(from, to).resources.forEachDifference((logicalId, { changeImpact }) => {
    const before = from.Resources[logicalId];
    if (before && isStateful(before) && LOSING.includes(changeImpact)) {
      found.push(`${logicalId} (${before.Type}) ${changeImpact}`);
    }
  });
  return found;
}

const LOSING = [
  ResourceImpact.WILL_REPLACE,
  ResourceImpact.MAY_REPLACE,
  ResourceImpact.WILL_DESTROY,
  ResourceImpact.WILL_ORPHAN,
];

/** What a stateful resource must stay in every release: its type, and the properties that cannot change without a replacement. */
export interface Identity {
  readonly Type: string;
  readonly immutable: Readonly<Record<string, unknown>>;
}

/** The stateful resources of a template by logical id. */
export function identities(template: TemplateJson): Record<string, Identity> {
  const stateful = Object.entries(template.Resources).filter(([, resource]) => isStateful(resource));
  return Object.fromEntries(
    stateful.map(([logicalId, { Type, Properties = {} }]) => {
      const immutable = Object.entries(schemaOf(Type)!.properties)
        .filter(([name, { causesReplacement = 'no' }]) => causesReplacement !== 'no' && name in Properties)
        .map(([name]) => [name, Properties[name]]);
      return [logicalId, { Type, immutable: Object.fromEntries(immutable) }];
    }),
  );
}
