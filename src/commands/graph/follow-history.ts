import type { Context } from '../../context.js';
import type { HistoryChunkFact, HistoryStateFact } from '../../model/facts.js';
import { SMB_SYNC_TYPES } from '../../model/enumerations.js';
import { RawLog, type DecodedEntry } from '../../rawlog/raw-log.js';
import { missingChunks } from '../connections/list.js';
import { countPendingOfFields, readEntriesOfFields } from '../../store/tables/stored-entries.js';

/** The result of a request so far, according to the raw log, replayed or not. */
export interface HistoryArrival {
  /** The last entry read. */
  lastEntryId: string | null;
  /** Address-book entries. */
  contacts: number;
  messages: number;
  chunks: { phase: number | null; chunkOrder: number | null; progress: number | null; messages: number }[];
  /** The highest progress; null before the first chunk that reports it. */
  progress: number | null;
  /** `waiting`: no history has arrived yet. */
  status: 'waiting' | 'arriving' | 'completed' | 'declined' | 'failed';
  error: string | null;
  /** Entries that no replay has imported yet. */
  pending: number;
  /** `phase/chunk_order` of what is missing of a completed history: in neither the ledger nor what came. */
  missingChunks: string[];
}

export const NOTHING_YET: HistoryArrival = {
  lastEntryId: null,
  contacts: 0,
  messages: 0,
  chunks: [],
  progress: null,
  status: 'waiting',
  error: null,
  pending: 0,
  missingChunks: [],
};

const PAGE = 20;
const COMPLETE = 100;

/** Reads what arrived since `before`, in entries received at `since` (ms since 1970) or later. */
export async function readArrival(
  ctx: Context,
  connection: { id: string; phoneNumberId: string | null },
  since: number,
  before: HistoryArrival,
): Promise<HistoryArrival> {
  let arrival = before;
  const log = await RawLog.open(ctx.store.sql);
  for (;;) {
    const entries = await readEntriesOfFields(
      ctx.store.sql,
      { connectionId: connection.id, phoneNumberId: connection.phoneNumberId },
      SMB_SYNC_TYPES,
      { since, after: arrival.lastEntryId, most: PAGE },
    );
    for (const decoded of await log.decode(entries)) {
      arrival = {
        ...withEntry(arrival, decoded, connection.phoneNumberId),
        lastEntryId: decoded.entry.id,
      };
    }
    if (entries.length < PAGE || ctx.signal.aborted) {
      const pending = await countPendingOfFields(
        ctx.store.sql,
        { connectionId: connection.id, phoneNumberId: connection.phoneNumberId },
        SMB_SYNC_TYPES,
        since,
      );
      return { ...arrival, pending, missingChunks: await missingOf(ctx, connection.id, arrival) };
    }
  }
}

/** The gaps as the report counts them; while history arrives, chunks may overtake each other. */
async function missingOf(ctx: Context, id: string, { status, chunks }: HistoryArrival): Promise<string[]> {
  if (status !== 'completed') return [];
  const came = chunks.flatMap(({ phase, chunkOrder }) =>
    phase === null || chunkOrder === null ? [] : [{ connectionId: id, phase, chunkOrder }],
  );
  return (await missingChunks(ctx, [id], came)).get(id) ?? [];
}

/** What an entry adds; pure. */
function withEntry(
  before: HistoryArrival,
  { sections }: DecodedEntry,
  phoneNumberId: string | null,
): HistoryArrival {
  const facts = sections
    .filter(
      ({ section: { connection } }) =>
        connection.phoneNumberId === undefined || connection.phoneNumberId === phoneNumberId,
    )
    .flatMap(({ section }) => section.facts);
  const chunks = facts.filter((fact): fact is HistoryChunkFact => fact.kind === 'history_chunk');
  const states = facts.filter((fact): fact is HistoryStateFact => fact.kind === 'history_state');
  const ended = states.find(({ status }) => status !== 'pending_history');
  // Meta redelivers a webhook if it saw no receipt.
  const byPlace = new Map(before.chunks.map((chunk) => [placeOf(chunk), chunk]));
  for (const { phase = null, chunkOrder = null, progress: at = null, messages } of chunks) {
    const chunk = { phase, chunkOrder, progress: at, messages };
    byPlace.set(placeOf(chunk), chunk);
  }
  const all = [...byPlace.values()];
  const steps = all.flatMap(({ progress }) => progress ?? []);
  const progress = steps.length === 0 ? null : Math.max(...steps);
  return {
    lastEntryId: before.lastEntryId,
    contacts: before.contacts + facts.filter(({ kind }) => kind === 'address_book').length,
    messages: all.reduce((sum, chunk) => sum + chunk.messages, 0),
    chunks: all,
    progress,
    status: statusOf(ended, before, progress, all.length),
    error: ended?.error ?? before.error,
    pending: before.pending,
    missingChunks: before.missingChunks,
  };
}

function placeOf({ phase, chunkOrder }: HistoryArrival['chunks'][number]): string {
  return `${phase ?? ''}/${chunkOrder ?? ''}`;
}

function statusOf(
  ended: HistoryStateFact | undefined,
  before: HistoryArrival,
  progress: number | null,
  chunks: number,
): HistoryArrival['status'] {
  if (progress !== null && progress >= COMPLETE) return 'completed';
  if (ended !== undefined) return ended.status === 'declined' ? 'declined' : 'failed';
  if (before.status === 'declined' || before.status === 'failed') return before.status;
  return chunks > 0 ? 'arriving' : 'waiting';
}
