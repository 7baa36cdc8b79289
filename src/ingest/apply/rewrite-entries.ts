import type { JsonObject } from '../../model/json.js';
import { losesMoreThan } from '../../rawlog/removed-items.js';
import { erasePending } from '../../store/changes/erase-person.js';
import type { Sql } from '../../store/sql.js';
import { moveRejects } from '../../store/tables/rejects.js';
import { rewriteBodies, type RewrittenBody } from '../../store/tables/removed-bodies.js';
import type { EntrySlice, PreparedEntry } from '../batch/batch.js';
import type { KnownState } from './collect-items.js';

/** An entry that is stored without the items of erased people. */
export interface RewrittenEntry {
  entry: PreparedEntry;
  state: KnownState;
  bodyState: RewrittenBody['bodyState'];
  counters: JsonObject | null;
}

/**
 * Whether the stored body of an entry has items of erased people which it loses now: it came before their names were known. A redacted
 * one may have lost the same already, and something that only the erasure itself knew: only a file that tells of more takes its place.
 */
export function losesItems({ entry, isFirst }: EntrySlice, state: KnownState): boolean {
  if (entry.bodyState === undefined || entry.isCut === true) return false;
  if (!isFirst || !state.isStored || !state.isIntact) return false;
  switch (state.bodyState) {
    case null:
      return true;
    case 'redacted':
      return entry.storedId !== null || losesMoreThan(entry.counters(), state.erasedCounters ?? {});
    case 'erased':
    case 'pruned':
      return false;
  }
}

/**
 * Writes bodies anew without the items of erased people, and takes away what else was stored of these items with them: rejects, and what
 * waits for their messages. Their rows, if an earlier run made some, are left to the erasure, which is open then (F2).
 */
export async function rewriteEntries(
  tx: Sql,
  runId: string,
  rewritten: readonly RewrittenEntry[],
): Promise<void> {
  await rewriteBodies(
    tx,
    runId,
    rewritten.map(({ entry, state, bodyState, counters }) => ({
      id: state.id,
      rawBody: entry.bytes,
      bodyState,
      counters,
      fields: entry.fields,
      phoneNumberIds: entry.phoneNumberIds,
      chatIds: chatIdsOf(entry, state),
    })),
  );
  const stored = rewritten.filter(({ state }) => state.isStored);
  await moveRejects(
    tx,
    stored.flatMap(({ entry: { withdrawn }, state: { id: webhookLogId } }) =>
      withdrawn === undefined
        ? []
        : [
            ...withdrawn.gone.map((path) => ({ webhookLogId, path, to: null })),
            ...[...withdrawn.moved].flatMap(([path, to]) => (path === to ? [] : { webhookLogId, path, to })),
          ],
    ),
  );
  await erasePending(
    tx,
    stored.flatMap(({ entry }) => entry.withdrawn?.messages ?? []),
  );
}

/** What an entry is found by. Other runs may have brought in more of its chats than this one reads. */
function chatIdsOf(
  { chatIds, included, withdrawn }: PreparedEntry,
  { filing, included: before }: KnownState,
): readonly string[] {
  if (filing === null || before.every((chat) => included.some((one) => one === chat))) return chatIds;
  const more = filing.chatIds.filter((name) => withdrawn?.chatIds.has(name) !== true);
  return [...new Set([...chatIds, ...more])];
}
