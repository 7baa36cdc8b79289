import type { EntryStatus } from '../../model/enumerations.js';
import type { EntrySelection } from '../../store/tables/stored-entries.js';
import { REQUEUED } from '../../store/tables/webhook-log.js';
import type { PreparedEntry } from '../../ingest/batch/batch.js';
import type { ConnectionDirectory } from '../../ingest/batch/connection-directory.js';
import { narrowEntry } from '../../ingest/batch/narrow-entry.js';
import { prepareEntry } from '../../ingest/batch/prepare-entry.js';
import type { Context } from '../../context.js';
import {
  applyEntries,
  nothingApplied,
  type Applied,
  type Applier,
} from '../../ingest/apply/execute-batch.js';
import { distrustChangedMessages } from '../../ingest/apply/heal-messages.js';
import { LogSource } from '../replay/open-input.js';
import { endReopened, openDirectory } from '../replay/open-directory.js';

/** Entries that are not fully in the database. */
const NOT_DONE: readonly EntryStatus[] = ['pending', 'partial', 'failed'];
/** Entries that were, unless somebody has deleted or changed rows since. */
const DONE: readonly EntryStatus[] = ['processed'];
/** Entries may give the contact new names, which lead to more entries; a longer chain is not one contact. */
const MOST_ROUNDS = 5;

interface CacheOptions {
  /** Only entries of this connection. */
  connection?: { id: string; phoneNumberId: string | null };
  /** The contact's names, as the database knows them now. */
  names: () => Promise<ReadonlySet<string>>;
}

/** What the raw log gave. */
interface CacheResult extends Applied {
  entries: number;
}

/**
 * Replays what the raw log holds about one contact and the database lacks: only the contact's items, exactly as a
 * replay would apply them (a live message opens its ticket). Items about other people stay due. Where no entry is due, those that
 * were applied are held against the database again.
 */
export async function replayCache(
  ctx: Context,
  applier: Applier,
  { connection, names }: CacheOptions,
): Promise<CacheResult> {
  const { sql } = applier.target;
  const directory = await openDirectory(
    sql,
    { register: false, ...(connection === undefined ? {} : { connection: connection.id }) },
    applier.newId,
    ctx,
    'stored',
  );
  const result: CacheResult = { ...nothingApplied(), entries: 0 };
  const selectionOf = (statuses: readonly EntryStatus[], chatIds: ReadonlySet<string>): EntrySelection => ({
    statuses,
    chatIds: [...chatIds],
    ...(connection === undefined ? {} : { connection }),
  });
  const seen = new Set<string>();
  let known: ReadonlySet<string> = new Set();
  for (let round = 0; round < MOST_ROUNDS && !ctx.signal.aborted; round += 1) {
    const now = await names();
    if ([...now].every((name) => known.has(name))) break;
    known = now;
    const selection = selectionOf(NOT_DONE, known);
    absorb(result, await applySelection(ctx, applier, directory, selection, { known, seen }));
  }
  result.entries = seen.size;
  const { created, updated } = result.tally.messages;
  if (created + updated === 0 && !ctx.signal.aborted) {
    const again = await applySelection(ctx, applier, directory, selectionOf(DONE, known), { known, seen });
    const { messages } = again.tally;
    // Rows that somebody has changed: their entries are due once more, whole.
    result.requeued += await distrustChangedMessages(ctx, applier.target, [...again.contested]);
    // What is there as it should be is not worth a word.
    if (messages.created + messages.updated > 0) {
      absorb(result, again);
      result.entries = seen.size;
    }
  }
  if (result.requeued > 0 && !ctx.signal.aborted) {
    const everywhere = directory.unrestricted();
    const selection: EntrySelection = { statuses: ['pending'], error: REQUEUED };
    absorb(
      result,
      await applySelection(ctx, applier, everywhere, selection, { known: null, seen: new Set() }),
    );
  }
  await endReopened(ctx, directory.erased, applier.target);
  return result;
}

function applySelection(
  ctx: Context,
  applier: Applier,
  directory: ConnectionDirectory,
  selection: EntrySelection,
  { known, seen }: { known: ReadonlySet<string> | null; seen: Set<string> },
): Promise<Applied> {
  async function* entries(): AsyncGenerator<PreparedEntry> {
    const source = await LogSource.open(applier.target.sql, selection);
    for await (const { entry, storedAs } of source.items()) {
      if (seen.has(storedAs.id)) continue;
      seen.add(storedAs.id);
      const prepared = prepareEntry(entry, storedAs, directory, new Set());
      yield known === null ? prepared : narrowEntry(prepared, known).entry;
    }
  }
  return applyEntries(
    ctx,
    applier,
    {
      settings: { tickets: 'auto', syncSource: 'webhook', takesUpWaiting: false },
      directory,
      claim: selection.statuses,
    },
    entries(),
  );
}

function absorb(result: CacheResult, more: Applied): void {
  result.tally.absorb(more.tally);
  for (const id of more.touched) result.touched.add(id);
  result.requeued += more.requeued;
}
