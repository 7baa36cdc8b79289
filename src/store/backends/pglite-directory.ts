import { mkdir, realpath } from 'node:fs/promises';
import { migrate } from '../migrations/migrate.js';
import type { OpenStoreOptions } from '../open-store.js';
import type { Store } from '../store.js';
import { createPgliteStore } from './pglite.js';
import { WatchedPGlite } from './pglite-client.js';

/** Opens, and on first use creates, the embedded database in a directory; migrates it. */
export async function openPgliteDirectory(directory: string, _options: OpenStoreOptions): Promise<Store> {
  await mkdir(directory, { recursive: true, mode: 0o700 });
  const path = await realpath(directory);
  const pglite = new WatchedPGlite(path);
  await pglite.waitReady;
  const store = createPgliteStore(pglite, path, () => Promise.resolve());
  await migrate(store);
  return store;
}
