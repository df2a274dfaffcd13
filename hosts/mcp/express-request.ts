import type { AuthInfo, Person } from './caller';

declare global {
  namespace Express {
    interface Request {
      /** For whom the request comes: at the MCP endpoint of `setupMcpExpress`. */
      user?: Person;
      /** The verified access token, where the official SDK looks for it. */
      auth?: AuthInfo;
    }
  }
}
