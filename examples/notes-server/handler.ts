import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { createMcpHandler } from '@modelcontextprotocol/server';
import type { APIGatewayProxyEvent } from 'aws-lambda';
import { callerOf } from './caller';
import { Notes } from './notes';
import { requestOf, stream } from './rest-api';
import { notesServer } from './server';

const dynamoDb = new DynamoDBClient({});
const tableName = process.env.TABLE_NAME!;

/** An MCP server without sessions, in a Lambda function behind a REST API that streams: every request stands for itself. */
export const handler = awslambda.streamifyResponse<APIGatewayProxyEvent>(async (event, responseStream) => {
  const caller = callerOf(event);
  const notes = new Notes(dynamoDb, tableName, caller.sub);
  const mcp = createMcpHandler(() => notesServer(caller, notes));
  await stream(await mcp.fetch(requestOf(event)), responseStream);
});
