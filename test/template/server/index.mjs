/** An MCP server of which only the place matters. */
export const handler = async () => ({ statusCode: 204 });
