import type { Store } from '../lambda/store/store';
import { described } from '../lib/refusal';
import { MemoryStore } from '../stores/memory-store';
import { storeFor, UnknownAdapterError } from '../stores/store-for';
import { isProduction } from './check-options';
import type { HostOptions } from './options';
import type { Settings } from './settings';

const NEEDED = 'a Keyv on @keyv/redis, @keyv/valkey, @keyv/postgres or @keyv/sqlite';

/** The store of the options; undefined, with the reason noted, where there is none to start with. */
export function openStore(settings: Settings, options: HostOptions): Store | undefined {
  const { store, singleProcess = false } = options;
  try {
    const opened = storeFor(store, { singleProcess });
    if (opened instanceof MemoryStore && isProduction(options)) refuseMemory(settings, NEEDED);
    return opened;
  } catch (error) {
    if (error instanceof UnknownAdapterError) settings.refuse('store', 'a Keyv on another adapter', error.message);
    else settings.refuse('store', described(store), NEEDED);
    return undefined;
  }
}

export function refuseMemory(settings: Settings, needed: string): void {
  settings.refuse(
    'store',
    'the memory of this process',
    `${needed} in production, for there a restart would sign everybody out`,
  );
}
