import { formatOrigin } from '../../model/raw-entry.js';
import type { ConnectionRow } from '../../store/tables/connections.js';
import type { EntrySelection } from '../../store/tables/stored-entries.js';
import { markNarrowed } from '../../store/tables/webhook-log.js';
import type { PreparedEntry } from '../../ingest/batch/batch.js';
import { narrowEntry } from '../../ingest/batch/narrow-entry.js';
import { prepareEntry } from '../../ingest/batch/prepare-entry.js';
import type { Context } from '../../context.js';
import { RawLog, rawEntryOf } from '../../rawlog/raw-log.js';
import { applyEntries, type Applied, type Applier } from '../../ingest/apply/apply-entries.js';
import { openDirectory } from '../replay/open-directory.js';
import { HISTORY } from './save-page.js';

/**
 * Applies the contact's part of what the linked device has brought beside the answers: late chunks of this import's requests
 * and of earlier ones, files that could not be had before, what the phone sent by itself.
 */
export async function applyBeside(
  ctx: Context,
  applier: Applier,
  connection: ConnectionRow,
  names: ReadonlySet<string>,
): Promise<Applied & { entries: number }> {
  const { sql } = applier.target;
  const directory = await openDirectory(sql, { register: false, connection: connection.id }, applier.newId);
  const origin = formatOrigin({ kind: 'device', connection: '' });
  const selection: EntrySelection = {
    statuses: ['pending'],
    chatIds: [...names],
    connection: { id: connection.id, phoneNumberId: null },
  };
  const partly: PreparedEntry[] = [];
  let count = 0;
  async function* entries(): AsyncGenerator<PreparedEntry> {
    const log = await RawLog.open(sql);
    for await (const stored of log.stored(selection)) {
      const { connectionScope, origin: place, error } = stored.entry;
      // What has an error was looked at before: a contact's part of it was applied.
      if (connectionScope !== connection.id || error !== null || place?.startsWith(origin) !== true) continue;
      const whole = prepareEntry(rawEntryOf(stored), stored.storedAs, directory, new Set());
      const { entry } = narrowEntry(whole, names);
      if (entry.isNarrowed === true) partly.push(entry);
      count += 1;
      yield entry;
    }
  }
  const applied = await applyEntries(
    ctx,
    applier,
    { settings: HISTORY, directory, claim: ['pending'] },
    entries(),
  );
  await markNarrowed(sql, applier.runId, partly);
  return { ...applied, entries: count };
}
