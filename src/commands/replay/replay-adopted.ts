import type { Context } from '../../context.js';
import type { CrmName } from '../../model/enumerations.js';
import type { RawEntry } from '../../model/raw-entry.js';
import type { RunResult } from '../../model/run-result.js';
import { replay } from './replay.js';

/** Messages per transaction. */
const BATCH = 1000;

/** Stores and applies what only a CRM, or a phone's exported chat, has of a connection: without tickets, and undoable. */
export function replayAdopted(
  ctx: Context,
  {
    crm,
    connection,
    entries,
    dryRun,
  }: {
    crm: CrmName | 'chat-export';
    connection: { id: string; name: string };
    entries: AsyncIterable<RawEntry>;
    dryRun: boolean;
  },
): Promise<RunResult> {
  return replay(ctx, {
    input: { kind: 'rows', entries },
    connection: connection.id,
    register: false,
    tickets: 'none',
    include: new Set(),
    dryRun,
    strict: false,
    batchSize: BATCH,
    resume: false,
    isUndoable: true,
    recordedOptions: { crm, adopt: true, connection: connection.name },
  });
}
