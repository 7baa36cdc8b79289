import { verdictOnClaim } from '../../rawlog/claim-verdict.js';
import { RawLog } from '../../rawlog/raw-log.js';
import { linkMessages, type StoredMessageRow } from '../../store/tables/messages.js';
import { findUnlikelyClaims } from '../../store/tables/altered-entries.js';
import { findGoneEntries } from '../../store/tables/webhook-log.js';
import type { FoldedMessages } from './fold-messages.js';
import type { BatchWork } from './work.js';

interface Link {
  messageId: string;
  claimedId: string | null;
  logId: string;
  row: StoredMessageRow;
}

/**
 * Points messages to the entry of this batch that holds them, if theirs is missing, does not hold them, or was never
 * set: replaying a log again restores the evidence of its messages. A row that named another entry may also have been
 * changed, so it is contested.
 */
export async function relinkMessages(work: BatchWork, folded: FoldedMessages): Promise<void> {
  const links = [...folded.heldBy].flatMap(([{ state, stored, gone }, logId]): Link[] =>
    stored === null || stored.batchId === logId || gone
      ? []
      : [{ messageId: state.id, claimedId: stored.batchId, logId, row: stored }],
  );
  if (links.length === 0) return;
  const gone = await findGoneEntries(work.tx, [
    ...new Set(links.flatMap(({ claimedId }) => claimedId ?? [])),
  ]);
  const isLost = ({ claimedId }: Link): boolean => claimedId !== null && gone.has(claimedId);
  const others = links.filter((link) => link.claimedId !== null && !isLost(link));
  const again = others.filter(({ logId }) => work.repeated.has(logId));
  // A new entry is another copy of the message, as a rule: what costs little is asked of the one that the row names.
  const copies = others.filter(({ logId }) => !work.repeated.has(logId));
  const wrong = new Set([
    ...(await findWrong(work, again, 'many')),
    ...(await findWrong(work, copies, 'few')),
  ]);
  const due = links.filter((link) => link.claimedId === null || isLost(link) || wrong.has(link.messageId));
  await linkMessages(work.tx, due);
  for (const { messageId, claimedId } of due) if (claimedId !== null) work.contested.add(messageId);
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
    const { id, status } = decoded.entry;
    // The next replay of such an entry decides about its rows.
    if (status === 'pending' || status === 'failed') continue;
    for (const { messageId, claimedId, row } of suspects)
      if (claimedId === id && !verdictOnClaim(decoded, row, log).holds) wrong.add(messageId);
  }
  return wrong;
}
