import { resourceKey } from '../lambda/provider/keys';
import type { Store } from '../lambda/store/store';
import type { ResourceOption } from './options';
import { resourceRecord } from './resource-record';

/**
 * Registers a protected resource in the store that its authorization server shares with it, for 400 days, as everything there: whoever runs
 * for longer registers again.
 */
export async function registerResource(store: Store, resource: ResourceOption): Promise<void> {
  await store.set(resourceKey(resource.identifier), resourceRecord(resource));
}
