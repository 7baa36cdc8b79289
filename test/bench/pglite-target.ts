import { cpSync, openAsBlob } from 'node:fs';
import { mkdtemp, readdir, rm, stat } from 'node:fs/promises';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { startPglite } from '../../src/store/backends/pglite.js';
import { openStore } from '../../src/store/open-store.js';
import type { Store } from '../../src/store/store.js';
import { stopwatch } from './measured.js';
import { CREATE_STAGED, upsertStaged, type Target } from './target.js';

/** The embedded database, migrated, in a directory under `parent`. */
export async function makePgliteTarget(parent: string): Promise<Target> {
  const home = await mkdtemp(join(parent, 'home-'));
  const directory = join(home, 'database');
  await (await open(directory)).close();

  async function copyDirectory(): Promise<string> {
    const copy = join(await mkdtemp(join(parent, 'copy-')), 'database');
    cpSync(directory, copy, { recursive: true });
    return copy;
  }

  return {
    title: 'PGlite',
    conditions: 'PGlite on disk: never syncs',
    // An empty DATABASE_URL counts as none, whatever the caller's environment holds.
    env: { DATABASE_URL: '', WA_RECONCILE_HOME: home },
    open: () => open(directory),
    async openCopy(emptied) {
      const copy = await copyDirectory();
      const store = await open(copy);
      await store.sql.execute(`truncate ${emptied.join(', ')} cascade`);
      await store.sql.execute('analyze');
      return { ...store, close: () => store.close().then(() => rm(copy, { recursive: true })) };
    },
    prisma: null,
    async measureFloor(copyFile, columns) {
      const copy = await copyDirectory();
      const pglite = await startPglite({ dataDir: copy });
      await pglite.exec('truncate messages cascade; analyze');
      const blob = await openAsBlob(copyFile);
      const milliseconds = await stopwatch(() =>
        pglite.transaction(async (tx) => {
          await tx.exec(CREATE_STAGED);
          await tx.query(`copy staged from '/dev/blob'`, [], { blob });
          await tx.query(upsertStaged(columns));
        }),
      );
      await pglite.close();
      await rm(copy, { recursive: true });
      return milliseconds;
    },
    openCrm: () => null,
    directoryBytes: () => sizeOf(directory),
    close: () => rm(home, { recursive: true }),
  };
}

function open(directory: string): Promise<Store> {
  return openStore(
    { kind: 'pglite', directory },
    { command: 'bench', host: hostname(), pid: process.pid, creates: true, keepsBlank: true },
  );
}

async function sizeOf(directory: string): Promise<number> {
  const entries = await readdir(directory, { recursive: true, withFileTypes: true });
  const files = entries.filter((entry) => entry.isFile());
  const sizes = await Promise.all(
    files.map(async (file) => (await stat(join(file.parentPath, file.name))).size),
  );
  return sizes.reduce((sum, size) => sum + size, 0);
}
