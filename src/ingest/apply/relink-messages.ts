import { verdictOnClaim } from '../../rawlog/claim-verdict.js';
import { RawLog } from '../../rawlog/raw-log.js';
import { linkMessages, type StoredMessageRow } from '../../store/tables/messages.js';
import { findGoneEntries, findUnlikelyClaims } from '../../store/tables/webhook-log.js';
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
  // Only a repeated entry finds its own rows; a new one is another copy of the message.
  const others = links.filter((link) => link.claimedId !== null && !isLost(link));
  const wrong = await findWrong(
    work,
    others.filter(({ logId }) => work.repeated.has(logId)),
  );
  const due = links.filter((link) => link.claimedId === null || isLost(link) || wrong.has(link.messageId));
  await linkMessages(work.tx, due);
  for (const { messageId, claimedId } of due) if (claimedId !== null) work.contested.add(messageId);
}

/** Rows that name an existing entry that does not hold them. Decodes only entries without their id. */
async function findWrong({ tx }: BatchWork, links: readonly Link[]): Promise<Set<string>> {
  const wrong = new Set<string>();
  const unlikely = await findUnlikelyClaims(
    tx,
    links.map(({ messageId }) => messageId),
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
