/**
 * The pauses of `src/whatsapp/assumptions.ts` for a fake phone that answers in milliseconds, and in one chunk: tests in this process
 * need not wait as long as for a real one. They decide nothing but when an answer counts as over. The built command keeps its own, and
 * so do the files about answers in several chunks.
 *
 * A file of tests takes them so:
 * `vi.mock('../../src/whatsapp/assumptions.js', async (load) => (await import('../support/short-pauses.js')).shorten(await load<object>()));`
 */
export function shorten<T extends object>(assumptions: T): T {
  return {
    ...assumptions,
    SYNC_QUIET_MS: 1_500,
    ASK_AGAIN_MS: 600,
    LAST_CHUNK_MS: 200,
    NEXT_CHUNK_MS: 1_000,
  };
}
