/** What clients in a browser send to an MCP server beside what every page may: for its answer to a preflight, whoever gives that. */
export const MCP_REQUEST_HEADERS: readonly string[] = [
  'Authorization',
  'Content-Type',
  'Accept',
  'MCP-Protocol-Version',
  'Mcp-Method',
  'Mcp-Name',
  'Mcp-Session-Id',
  'Last-Event-ID',
  'DPoP',
];
