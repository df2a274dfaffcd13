import type { AuthInfo } from './auth-info';
import type { Person } from './person';

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
