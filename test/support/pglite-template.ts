import { access, readFile, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { createPgliteStore, startPglite } from '../../src/store/backends/pglite.js';
import { migrate } from '../../src/store/migrations/migrate.js';

/** A migrated, empty embedded database: as a data directory, and as the archive that PGlite's `loadDataDir` takes. */
export interface PgliteTemplate {
  directory: string;
  archive: string;
}

const TIMEOUT_MS = 60_000;

/** Makes the template under `parent`. Does not throw: what went wrong is thrown where the template is asked for. */
export async function createPgliteTemplate(parent: string): Promise<void> {
  const { directory, archive } = paths(parent);
  try {
    const pglite = await startPglite({ dataDir: directory });
    const store = createPgliteStore(pglite, directory, () => Promise.resolve());
    await migrate(store);
    // Each start fills its buffers with zeros: of 128 MB that is a fifth of the start, and the tests have few rows.
    await store.sql.execute(`alter system set shared_buffers = '16MB'`);
    const content = await pglite.dumpDataDir('none');
    await store.close();
    await writeFile(`${archive}.part`, Buffer.from(await content.arrayBuffer()));
    // Last, and at once: its existence says that all is ready.
    await rename(`${archive}.part`, archive);
  } catch (error) {
    const text = error instanceof Error ? (error.stack ?? error.message) : String(error);
    await writeFile(`${archive}.error`, text).catch(() => undefined);
  }
}

/** The template under `parent`, as soon as it is ready. */
export async function pgliteTemplate(parent: string): Promise<PgliteTemplate> {
  const template = paths(parent);
  const deadline = Date.now() + TIMEOUT_MS;
  while (!(await exists(template.archive))) {
    const failure = await readFile(`${template.archive}.error`, 'utf8').catch(() => undefined);
    if (failure !== undefined) throw new Error(`the embedded database for the tests failed: ${failure}`);
    if (Date.now() > deadline)
      throw new Error('the embedded database for the tests is not ready after a minute');
    await delay(50);
  }
  return template;
}

function paths(parent: string): PgliteTemplate {
  return { directory: join(parent, 'pglite-template'), archive: join(parent, 'pglite-template.tar') };
}

async function exists(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  );
}
