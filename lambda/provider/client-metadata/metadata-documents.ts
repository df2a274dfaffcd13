import { type AdapterPayload, errors } from 'oidc-provider';
import type { ClientMetadataConfig } from '../../../lib/contract';
import type { Store, StoredRecord } from '../../store/store';
import { ClientMetadataError, type ClientPolicy, UNUSED_LIFETIME } from '../client-policy';
import { now } from '../clock';
import { clientKey } from '../keys';
import { logEvent, logProblem } from '../log';
import { problemOfClientIdUrl } from './client-id-url';
import { freshnessOf, LONGEST_FRESHNESS } from './freshness';
import { FetchRefused, FetchUnavailable, type GuardedFetch, TooManyFetches } from './guarded-fetch';

/** Milliseconds after which a host is asked again, however its answer was and whoever asks. */
const ASK_AGAIN_AFTER = 30_000;
/** How many answers of late an instance remembers. */
const MOST_ATTEMPTS = 200;

/** The client's document, or its address, is not one that may be used; the description says why. */
export class ClientMetadataRefused extends errors.InvalidClient {}

/** What the table holds of a document. Times in epoch seconds. */
interface Copy {
  readonly metadata: AdapterPayload;
  readonly fetchedAt: number;
  readonly freshUntil: number;
}

interface Attempt {
  readonly at: number;
  readonly outcome: Promise<Copy>;
}

export interface MetadataDocumentsContext {
  readonly store: Store;
  readonly policy: ClientPolicy;
  readonly guardedFetch: GuardedFetch;
  readonly hosts: ClientMetadataConfig;
  /** Seconds for which a client is remembered after its last use. */
  readonly lifetime: number;
}

/** Clients whose id is the URL of their metadata (draft-ietf-oauth-client-id-metadata-document-00), fetched once for all instances. */
export class MetadataDocuments {
  /** What the instance has fetched of late, and what it is fetching: a host is asked once, however many ask for it here. */
  readonly #attempts = new Map<string, Attempt>();

  constructor(private readonly context: MetadataDocumentsContext) {}

  /**
   * @param stored reads the client's record
   * @param duringTokenRequest the answer decides about tokens that the client has already
   * @returns the client's metadata
   * @throws ClientMetadataRefused
   * @throws FetchUnavailable if the document cannot be read and no instance has ever read it
   */
  async find(
    id: string,
    stored: () => Promise<StoredRecord | undefined>,
    duringTokenRequest: boolean,
  ): Promise<AdapterPayload> {
    const problem = problemOfClientIdUrl(id, this.context.hosts);
    // Before anything is remembered of it: ids that somebody makes up must not push out what is being fetched.
    if (problem) throw refusal(id, `the client_id cannot be the address of a document: ${problem}`);
    const record = await stored();
    const copy = record?.value as Copy | undefined;
    if (copy && record && !isStaleCopy(record)) return copy.metadata;
    try {
      const { metadata } = await this.#attempt(id, this.#expiry(record, duringTokenRequest));
      return metadata;
    } catch (error) {
      if (!copy || !isAnswer(error)) throw error;
      // What was right yesterday is still the best word there is.
      if (error instanceof FetchUnavailable) return copy.metadata;
      // The document has been withdrawn or spoiled. Its publisher could have let it be used for a day without a look, so a
      // mistake that is mended within a day costs nobody their tokens: clients delete them when they hear invalid_client.
      const isRecent = now() - copy.fetchedAt < LONGEST_FRESHNESS;
      if (isRecent && duringTokenRequest) return copy.metadata;
      // An outage later on must not bring back what has been withdrawn.
      if (!isRecent) await this.context.store.delete(clientKey(id));
      throw error;
    }
  }

  /** Epoch seconds. A token request renews the record, and nothing shortens its life. */
  #expiry(record: StoredRecord | undefined, duringTokenRequest: boolean): number {
    const { lifetime } = this.context;
    const left = duringTokenRequest ? lifetime : Math.min(UNUSED_LIFETIME, lifetime);
    return Math.max(now() + left, record?.expiresAt ?? 0);
  }

  #attempt(id: string, expiresAt: number): Promise<Copy> {
    const recent = this.#attempts.get(id);
    if (recent && Date.now() - recent.at < ASK_AGAIN_AFTER) return recent.outcome;
    const outcome = this.#fetch(id, expiresAt);
    this.#attempts.delete(id);
    this.#attempts.set(id, { at: Date.now(), outcome });
    if (this.#attempts.size > MOST_ATTEMPTS) this.#attempts.delete(this.#attempts.keys().next().value ?? '');
    outcome.catch((error) => {
      if (!isAnswer(error) || error instanceof TooManyFetches) this.#attempts.delete(id);
    });
    return outcome;
  }

  async #fetch(clientId: string, expiresAt: number): Promise<Copy> {
    try {
      const { document, freshness } = await this.#document(clientId);
      const metadata = this.context.policy.normalizeMetadataDocument(document, clientId) as AdapterPayload;
      const copy: Copy = { metadata, fetchedAt: now(), freshUntil: now() + freshness };
      await this.context.store.set(clientKey(clientId), copy, expiresAt * 1000);
      logEvent('client_metadata.fetched', { clientId, freshness });
      return copy;
    } catch (error) {
      if (error instanceof FetchUnavailable) logProblem('client_metadata.unavailable', error, { clientId });
      if (!(error instanceof FetchRefused || error instanceof ClientMetadataError)) throw error;
      throw refusal(clientId, `the client metadata document cannot be used: ${error.message}`);
    }
  }

  async #document(clientId: string): Promise<{ document: Record<string, unknown>; freshness: number }> {
    const response = await this.context.guardedFetch.get(clientId);
    let document: unknown;
    try {
      document = await response.json();
    } catch {
      // What it is instead stands in the next line.
    }
    if (typeof document !== 'object' || document === null || Array.isArray(document)) {
      throw new FetchRefused('it is not a JSON object');
    }
    return { document: document as Record<string, unknown>, freshness: freshnessOf(response.headers) };
  }
}

/** Whether a client's record is a copy of a metadata document that has to be looked at again. */
export function isStaleCopy({ value }: StoredRecord): boolean {
  const { freshUntil } = value as Partial<Copy>;
  return freshUntil !== undefined && now() >= freshUntil;
}

/** What a document's host, or the policy, has said; anything else is our own trouble. */
function isAnswer(error: unknown): boolean {
  return error instanceof FetchUnavailable || error instanceof ClientMetadataRefused;
}

/** @param reason in the words for the client's developer */
function refusal(clientId: string, reason: string): ClientMetadataRefused {
  logEvent('client_metadata.refused', { clientId, reason });
  return new ClientMetadataRefused(reason);
}
