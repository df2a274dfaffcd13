import type { ITableV2 } from 'aws-cdk-lib/aws-dynamodb';
import { Grant, type IGrantable } from 'aws-cdk-lib/aws-iam';
import { CLIENT_PREFIX, GRANT_PREFIX, PERSON_PREFIX } from './contract';

/** What `npx mcp-oidc-auth people grants` does. */
export function grantReadPeople(table: ITableV2, grantee: IGrantable): Grant {
  return onRecords(table, grantee, ['Query'], [PERSON_PREFIX]);
}

/** What `npx mcp-oidc-auth people revoke` does. */
export function grantRevokePeople(table: ITableV2, grantee: IGrantable): Grant {
  const ending = onRecords(table, grantee, ['DeleteItem'], [PERSON_PREFIX, GRANT_PREFIX]);
  return grantReadPeople(table, grantee).combine(ending);
}

/** What `npx mcp-oidc-auth clients` does. */
export function grantManageClients(table: ITableV2, grantee: IGrantable): Grant {
  return onRecords(table, grantee, ['BatchGetItem', 'DeleteItem', 'PutItem'], [CLIENT_PREFIX]);
}

/** Actions on the records whose partition begins so, and on no others: codes and tokens lie in the same table. */
function onRecords(table: ITableV2, grantee: IGrantable, actions: string[], prefixes: string[]): Grant {
  return Grant.addToPrincipal({
    grantee,
    actions: actions.map((action) => `dynamodb:${action}`),
    resourceArns: [table.tableArn],
    conditions: { 'ForAllValues:StringLike': { 'dynamodb:LeadingKeys': prefixes.map((prefix) => `${prefix}*`) } },
  });
}
