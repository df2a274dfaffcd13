import { REGION } from '../account';
import { StartError } from '../start-error';
import { physicalName, shortId } from './physical-id';
import type { CreatedResource, DeclaredResource, Deployment, ResourceType } from './resource-type';

const KEYS_AND_INDEXES = [
  'AttributeDefinitions',
  'GlobalSecondaryIndexes.IndexName',
  'GlobalSecondaryIndexes.KeySchema',
  'GlobalSecondaryIndexes.Projection',
  'KeySchema',
  'LocalSecondaryIndexes',
  'TableName',
];

export const DYNAMODB: Record<string, ResourceType> = {
  'AWS::DynamoDB::GlobalTable': {
    properties: [...KEYS_AND_INDEXES, 'Replicas.Region'],
    create(resource, deployment) {
      const regions = ((resource.properties.Replicas ?? []) as { Region: string }[]).map(({ Region }) => Region);
      const other = regions.find((region) => region !== REGION);
      if (other) throw new StartError(`The table has a replica in ${other}. Here there is ${REGION} alone.`);
      return createTable(resource, deployment);
    },
  },
  'AWS::DynamoDB::Table': { properties: KEYS_AND_INDEXES, create: createTable },
};

async function createTable(
  { stack, logicalId, properties }: DeclaredResource,
  deployment: Deployment,
): Promise<CreatedResource> {
  const TableName = String(properties.TableName ?? physicalName(stack.name, logicalId, 255));
  const { arn, name } = await deployment.dynamoDb.createTable({ ...properties, TableName });
  return { ref: name, attributes: { Arn: arn, TableId: shortId(stack.name, logicalId) } };
}
