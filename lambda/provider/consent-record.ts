/** What lies under a person about each of their grants: who may act for them, where, since when. */
export interface ConsentRecord {
  readonly clientId: string;
  /** The client's own word for itself. */
  readonly clientName?: string;
  /** The resource's identifier. */
  readonly resource: string;
  readonly scopes: readonly string[];
  /** Epoch seconds. */
  readonly consentedAt: number;
}
