import { setImmediate } from 'node:timers/promises';
import { expect, it, vi } from 'vitest';
import { GuardedFetch } from '../../../../lambda/provider/client-metadata/guarded-fetch';
import {
  ClientMetadataRefused,
  MetadataDocuments,
} from '../../../../lambda/provider/client-metadata/metadata-documents';
import { ClientPolicy } from '../../../../lambda/provider/client-policy';
import { MemoryStore } from '../../../../stores/memory-store';

it('a fetch that is under way is not made again, however many ids somebody makes up', async () => {
  const log = vi.spyOn(console, 'log').mockImplementation(() => {});
  const get = vi.spyOn(GuardedFetch.prototype, 'get').mockReturnValue(new Promise(() => {}));
  const documents = new MetadataDocuments({
    store: new MemoryStore(),
    policy: new ClientPolicy(),
    guardedFetch: new GuardedFetch(new Set()),
    hosts: { internalHosts: [], deniedHosts: [] },
    lifetime: 3600,
  });
  const find = (id: string) => documents.find(id, async () => undefined, false);

  void find('https://app.example.com/client.json');
  for (let i = 0; i < 500; i++) {
    await expect(find(`https://app.example.com/?${i}`)).rejects.toThrow(ClientMetadataRefused);
  }
  void find('https://app.example.com/client.json');
  await setImmediate();
  expect(get).toHaveBeenCalledOnce();
  // Each of them is told of all the same.
  expect(log.mock.calls.filter(([line]) => line.includes('"client_metadata.refused"'))).toHaveLength(500);
});
