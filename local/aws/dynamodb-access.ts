import type { Access } from './access-control';
import { AwsError } from './aws-error';

type AttributeMap = Readonly<Record<string, Readonly<Record<string, unknown>>>>;

/** The parts of a request that decide which permission it needs. */
interface Input {
  readonly TableName?: string;
  readonly IndexName?: string;
  readonly Key?: AttributeMap;
  readonly Item?: AttributeMap;
  readonly RequestItems?: Readonly<Record<string, BatchGet | readonly BatchWrite[]>>;
  readonly KeyConditionExpression?: string;
  readonly ExpressionAttributeNames?: Readonly<Record<string, string>>;
  readonly ExpressionAttributeValues?: AttributeMap;
  readonly ReturnValues?: string;
  readonly Select?: string;
}
interface BatchGet {
  readonly Keys?: readonly AttributeMap[];
}
interface BatchWrite {
  readonly PutRequest?: { readonly Item?: AttributeMap };
  readonly DeleteRequest?: { readonly Key?: AttributeMap };
}

/** The tables' partition keys, by table name and by `table/index/name`. */
export type PartitionKeys = ReadonlyMap<string, string>;

const ONE_TABLE = new Set([
  'DeleteItem',
  'DescribeTable',
  'DescribeTimeToLive',
  'GetItem',
  'PutItem',
  'Query',
  'Scan',
  'UpdateItem',
]);

/**
 * What a DynamoDB call needs permissions for:
 * https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazondynamodb.html
 * @throws AwsError UnknownOperationException for what the embedded DynamoDB cannot do, or no function does
 */
export function accessOf(operation: string, request: object, tablesArn: string, keys: PartitionKeys): Access[] {
  const input = request as Input;
  const action = `dynamodb:${operation}`;
  if (operation === 'ListTables') return [{ action, resource: '*' }];
  if (operation === 'BatchGetItem' || operation === 'BatchWriteItem') {
    return Object.entries(input.RequestItems ?? {}).map(([table, items]) => ({
      action,
      resource: `${tablesArn}${table}`,
      context: leadingKeys(
        batchKeys(items).map((key) => key[keys.get(table) ?? '']),
        {},
      ),
    }));
  }
  if (!ONE_TABLE.has(operation)) {
    throw new AwsError('UnknownOperationException', `DynamoDB on this machine does not know ${operation}.`);
  }
  const { TableName: table = '', IndexName: index } = input;
  const target = index === undefined ? table : `${table}/index/${index}`;
  const partitionKey = keys.get(target) ?? '';
  const value = input.KeyConditionExpression
    ? queriedValue(input, partitionKey)
    : (input.Key ?? input.Item)?.[partitionKey];
  const { ReturnValues, Select } = input;
  return [
    {
      action,
      resource: `${tablesArn}${target}`,
      context: leadingKeys([value], {
        ...(ReturnValues && { 'dynamodb:ReturnValues': ReturnValues }),
        ...(Select && { 'dynamodb:Select': Select }),
      }),
    },
  ];
}

function batchKeys(items: BatchGet | readonly BatchWrite[]): AttributeMap[] {
  if ('Keys' in items) return [...(items.Keys ?? [])];
  return (items as readonly BatchWrite[]).map(
    ({ PutRequest, DeleteRequest }) => PutRequest?.Item ?? DeleteRequest?.Key ?? {},
  );
}

/** A key condition always has `<partition key> = <value>`; the other half, if any, is about the sort key. */
function queriedValue(input: Input, partitionKey: string): AttributeMap[string] | undefined {
  for (const [, name = '', value = ''] of input.KeyConditionExpression!.matchAll(/(#?[\w.-]+)\s*=\s*(:\w+)/g)) {
    if ((input.ExpressionAttributeNames?.[name] ?? name) === partitionKey) {
      return input.ExpressionAttributeValues?.[value];
    }
  }
  return undefined;
}

/** `dynamodb:LeadingKeys`: the partition keys that the call touches; absent where it names none, as in a Scan. */
function leadingKeys(
  values: readonly (AttributeMap[string] | undefined)[],
  context: Record<string, string>,
): Record<string, string | string[]> {
  const keys = values.filter((value) => value !== undefined).map((value) => String(Object.values(value)[0]));
  return keys.length > 0 ? { ...context, 'dynamodb:LeadingKeys': keys } : context;
}
