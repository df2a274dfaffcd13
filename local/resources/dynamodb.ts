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

/** Of a table, or of a global table's replica here. */
const PROTECTION = ['ResourcePolicy.PolicyDocument', 'SSESpecification.KMSMasterKeyId'];

export const DYNAMODB: Record<string, ResourceType> = {
  'AWS::DynamoDB::GlobalTable': {
    properties: [...KEYS_AND_INDEXES, 'Replicas.Region', ...PROTECTION.map((name) => `Replicas.${name}`)],
    create(resource, deployment) {
      const regions = ((resource.properties.Replicas ?? []) as { Region: string }[]).map(({ Region }) => Region);
      const other = regions.find((region) => region !== REGION);
      if (other) throw new StartError(`The table has a replica in ${other}. Here there is ${REGION} alone.`);
      const [replica] = (resource.properties.Replicas ?? []) as Protected[];
      return createTable(resource, deployment, replica);
    },
  },
  'AWS::DynamoDB::Table': {
    properties: [...KEYS_AND_INDEXES, ...PROTECTION],
    create: (resource, deployment) => createTable(resource, deployment, resource.properties as Protected),
  },
};

interface Protected {
  readonly ResourcePolicy?: { readonly PolicyDocument: object };
  readonly SSESpecification?: { readonly KMSMasterKeyId?: string };
}

async function createTable(
  { stack, logicalId, properties }: DeclaredResource,
  deployment: Deployment,
  protectedBy: Protected | undefined,
): Promise<CreatedResource> {
  const TableName = String(properties.TableName ?? physicalName(stack.name, logicalId, 255));
  const { arn, name } = await deployment.dynamoDb.createTable(
    { ...properties, TableName },
    {
      key: deployment.keys.useOf(protectedBy?.SSESpecification?.KMSMasterKeyId, 'dynamodb'),
      resourcePolicy: protectedBy?.ResourcePolicy?.PolicyDocument,
    },
  );
  return { ref: name, attributes: { Arn: arn, TableId: shortId(stack.name, logicalId) } };
}
