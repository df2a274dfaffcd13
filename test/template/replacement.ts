import { fullDiff, ResourceImpact } from '@aws-cdk/cloudformation-diff';
import { schemaOf } from './apply';
import type { ResourceJson, TemplateJson } from './variants';

/** Clients keep the URL of an API. */
const KNOWN_TO_OTHERS = ['AWS::ApiGatewayV2::Api', 'AWS::ApiGateway::RestApi'];

/**
 * What every update must leave in place: what holds data, what others know by its name, and the functions behind custom resources, because
 * CloudFormation refuses another ServiceToken ("Modifying service token is not allowed").
 */
function kept({ Resources }: TemplateJson): Map<string, ResourceJson> {
  const tokens = Object.values(Resources).map(({ Properties = {} }) => Properties.ServiceToken);
  const behind = tokens.map((token) => (token as { 'Fn::GetAtt'?: string[] } | undefined)?.['Fn::GetAtt']?.[0]);
  return new Map(
    Object.entries(Resources).filter(
      ([logicalId, { Type }]) =>
        schemaOf(Type)?.isStateful === true || KNOWN_TO_OTHERS.includes(Type) || behind.includes(logicalId),
    ),
  );
}

/** What CloudFormation does, when it updates one template to another, to what it must leave in place. */
export function losses(from: TemplateJson, to: TemplateJson): string[] {
  const before = kept(from);
  const found: string[] = [];
  fullDiff(from, to).resources.forEachDifference((logicalId, { changeImpact }) => {
    const resource = before.get(logicalId);
    if (resource && LOSING.includes(changeImpact)) found.push(`${logicalId} (${resource.Type}) ${changeImpact}`);
  });
  return found;
}

const LOSING = [
  ResourceImpact.WILL_REPLACE,
  ResourceImpact.MAY_REPLACE,
  ResourceImpact.WILL_DESTROY,
  ResourceImpact.WILL_ORPHAN,
];

/** What a resource must stay in every release: its type, and the properties that cannot change without a replacement. */
export interface Identity {
  readonly Type: string;
  readonly immutable: Readonly<Record<string, unknown>>;
}

/** What every release must leave in place, by logical id. */
export function identities(template: TemplateJson): Record<string, Identity> {
  return Object.fromEntries(
    [...kept(template)].map(([logicalId, { Type, Properties = {} }]) => {
      const immutable = Object.entries(schemaOf(Type)!.properties)
        .filter(([name, { causesReplacement = 'no' }]) => causesReplacement !== 'no' && name in Properties)
        .map(([name]) => [name, Properties[name]]);
      return [logicalId, { Type, immutable: Object.fromEntries(immutable) }];
    }),
  );
}
