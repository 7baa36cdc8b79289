import { PGlite, type PGliteOptions } from '@electric-sql/pglite';

/**
 * Starts PGlite, in UTC whatever the machine's zone: days and times in SQL are of the session's zone, and must be the same
 * everywhere.
 */
export async function startPglite(options: PGliteOptions): Promise<PGlite> {
  const pglite = new PGlite(options);
  await pglite.waitReady;
  await pglite.exec(`set timezone to 'UTC'`);
  return pglite;
}
