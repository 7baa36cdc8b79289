import { isUndecided, verdictsOf } from '../../rawlog/claim-verdict.js';
import { RawLog } from '../../rawlog/raw-log.js';
import { isIdOf, kindOfEntryId } from '../../store/entry-id.js';
import { readStoringRun } from '../../store/queries/storing-run.js';
import { linkMessages, type StoredMessageRow } from '../../store/tables/messages.js';
import { findUnlikelyClaims } from '../../store/tables/altered-entries.js';
import { findGoneEntries } from '../../store/tables/webhook-log.js';
import { sha256Of } from '../batch/batch.js';
import type { FoldedMessages } from './fold-messages.js';
import type { BatchWork } from './work.js';

/** A row, the entry that it names, and those of the batch that hold it. */
interface Held {
  messageId: string;
  claimedId: string | null;
  logIds: readonly string[];
  row: StoredMessageRow;
}

interface Link {
  messageId: string;
  claimedId: string | null;
  logId: string;
  row: StoredMessageRow;
}

/**
 * Points messages to the entry of this batch that holds them, if theirs does not hold them, was never set, or has come again:
 * replaying a log again restores the evidence of its messages. A row that named another entry may also have been changed, so
 * it is contested.
 */
export async function relinkMessages(work: BatchWork, folded: FoldedMessages): Promise<void> {
  const held = [...folded.heldBy].flatMap(([{ state, stored, gone }, logIds]): Held[] =>
    stored === null || gone || (stored.batchId !== null && logIds.includes(stored.batchId))
      ? []
      : [{ messageId: state.id, claimedId: stored.batchId, logIds, row: stored }],
  );
  if (held.length === 0) return;
  const gone = await findGoneEntries(work.tx, [...new Set(held.flatMap(({ claimedId }) => claimedId ?? []))]);
  const links = held.flatMap(({ logIds, ...of }): Link[] =>
    logIds.slice(0, 1).map((logId) => ({ ...of, logId })),
  );
  const others = links.filter(({ claimedId }) => claimedId !== null && !gone.has(claimedId));
  const again = others.filter(({ logId }) => work.repeated.has(logId));
  // A new entry is another copy of the message, as a rule: what costs little is asked of the one that the row names.
  const copies = others.filter(({ logId }) => !work.repeated.has(logId));
  const wrong = new Set([
    ...(await findWrong(work, again, 'many')),
    ...(await findWrong(work, copies, 'few')),
  ]);
  const due = links.filter(({ claimedId, messageId }) => claimedId === null || wrong.has(messageId));
  const lost = held.filter(({ claimedId }) => claimedId !== null && gone.has(claimedId));
  due.push(...(await comeAgain(work, lost)));
  await linkMessages(work.tx, due);
  for (const { messageId, claimedId } of due) if (claimedId !== null) work.contested.add(messageId);
}

/**
 * Links rows whose entry is gone to that entry, come again. Another copy of the message does not do: the row may be the last
 * that names the entry, and the loss would be known no more.
 */
async function comeAgain(work: BatchWork, lost: readonly Held[]): Promise<Link[]> {
  const links: Link[] = [];
  const asked = new Map<string, boolean>();
  // By its bytes: another program may have changed the id of an entry that is there.
  const hashes = new Map([...work.logIds].map(([key, id]) => [id, sha256Of(key)]));
  for (const { logIds, claimedId, ...of } of lost) {
    if (claimedId === null) continue;
    const isAgain = (id: string): boolean => {
      const sha256 = hashes.get(id);
      return sha256 !== undefined && isIdOf(claimedId, sha256);
    };
    if (!asked.has(claimedId)) asked.set(claimedId, await isAskedAgain(work, of.row, claimedId));
    const logId = logIds.find((id) => {
      switch (kindOfEntryId(claimedId)) {
        case 'hash':
          return isAgain(id) || (asked.get(claimedId) === true && !work.repeated.has(id));
        case 'random':
          return work.brought.has(id);
        case 'none':
          return true;
      }
    });
    if (logId !== undefined) links.push({ ...of, claimedId, logId });
  }
  return links;
}

/** Whether this is an import, and so was what stored the entry: the phone answers with the same messages in other bytes. */
async function isAskedAgain(
  { tx, settings }: BatchWork,
  { runId }: StoredMessageRow,
  entryId: string,
): Promise<boolean> {
  if (settings.syncSource !== 'manual_sync') return false;
  const run = await readStoringRun(tx, { runId, entryId });
  return run !== null && ['import', 'link'].includes(run.command);
}

/** Rows that name an entry which is there and does not hold them. Only entries that do not name them are decoded. */
async function findWrong(
  { tx }: BatchWork,
  links: readonly Link[],
  searches: 'many' | 'few',
): Promise<Set<string>> {
  const wrong = new Set<string>();
  const unlikely = await findUnlikelyClaims(
    tx,
    links.map(({ messageId }) => messageId),
    searches,
  );
  if (unlikely.size === 0) return wrong;
  const suspects = links.filter(({ messageId }) => unlikely.has(messageId));
  const log = await RawLog.open(tx);
  const ids = [...new Set(suspects.flatMap(({ claimedId }) => claimedId ?? []))];
  for await (const decoded of log.entries({ statuses: [], ids })) {
    const { id } = decoded.entry;
    if (isUndecided(decoded)) continue;
    const verdictOn = verdictsOf(decoded, log);
    for (const { messageId, claimedId, row } of suspects)
      if (claimedId === id && !verdictOn(row).holds) wrong.add(messageId);
  }
  return wrong;
}
