import type { Sql } from '../store/sql.js';
import { readPendingFacts, readReactions, type PendingFactRow } from '../store/tables/amendments.js';
import {
  applyAmendment,
  contradictsReaction,
  payloadOf,
  pendingRow,
  ReactionBook,
  type Amendment,
} from '../rules/amendments.js';
import { contradictsAmendment } from '../rules/contradictions.js';
import { stableJson } from '../rules/merge-values.js';
import { keyOf, type TrackedMessage, type MessageBook } from '../rules/message-book.js';
import type { LeadFinder } from '../rawlog/lead-finder.js';
import type { ContestedItem, JudgedItem, LogItem } from './outcome.js';
import { Keys, type SeenKeys } from './window.js';

/** What the amendments of a window are compared with. */
interface AmendmentSight {
  sql: Sql;
  leads: LeadFinder;
  /** The messages of the window, with its message items merged in. */
  book: MessageBook;
  /** Messages that are known to be missing, by connection and id. */
  missing: SeenKeys;
}

/**
 * Finds every status, edit, revoke and reaction of a window in its message (applying it would change nothing; M3, M5), or
 * waiting for it in pending_facts.
 */
export async function judgeAmendments(
  items: readonly LogItem<Amendment>[],
  { sql, leads, book, missing }: AmendmentSight,
): Promise<(JudgedItem | ContestedItem)[]> {
  const targets = items.map((item) => targetOf(item, book, leads));
  const reactions = new ReactionBook(await readReactions(sql, reactionKeys(items, targets)));
  const judged: (JudgedItem | ContestedItem)[] = [];
  const doubts: { item: LogItem<Amendment>; tracked: TrackedMessage | null }[] = [];
  const sighted = items.map((item, index) => ({ item, tracked: targets[index] ?? null }));
  const closedFirst = [
    ...sighted.filter(({ item }) => !item.entry.isOpen),
    ...sighted.filter(({ item }) => item.entry.isOpen),
  ];
  // A pending entry's amendments, merged first, would hide that a processed entry's are missing.
  for (const { item, tracked } of closedFirst) {
    const row = tracked?.stored ?? null;
    // Without its message an amendment cannot be applied: the message is what is missing.
    if (tracked !== null && row === null) judged.push({ item, outcome: { kind: 'targetless' } });
    else if (tracked === null || row === null || applyAmendment(payloadOf(item.fact), tracked, reactions)) {
      if (item.entry.isOpen) judged.push({ item, outcome: { kind: 'pending' } });
      else doubts.push({ item, tracked });
    } else {
      const payload = payloadOf(item.fact);
      const isContested =
        !item.entry.isOpen &&
        (payload.kind === 'reaction'
          ? contradictsReaction(payload, tracked.state, reactions)
          : contradictsAmendment(tracked.state, payload));
      judged.push(
        isContested
          ? { item, outcome: { kind: 'contested', row } }
          : { item, outcome: { kind: 'applied', row } },
      );
    }
  }
  if (doubts.length === 0) return judged;
  const waiting = await readWaiting(
    sql,
    doubts.map(({ item }) => item),
  );
  for (const { item, tracked } of doubts) {
    const target = keyOf(item.connection.id, item.fact.targetExternalId);
    if (isWaiting(item, waiting)) judged.push({ item, outcome: { kind: 'waiting' } });
    else if (missing.has(target)) judged.push({ item, outcome: { kind: 'targetless' } });
    else judged.push({ item, outcome: { kind: 'unapplied', row: tracked?.stored ?? null } });
  }
  return judged;
}

/** An amendment in words: `status read`, `edit`. */
export function amendmentWords(fact: Amendment): string {
  return fact.kind === 'status' ? `status ${fact.status}` : fact.kind;
}

function targetOf(
  { fact, connection }: LogItem<Amendment>,
  book: MessageBook,
  leads: LeadFinder,
): TrackedMessage | null {
  const own = fact.kind === 'status' ? [] : leads.find(connection.organizationId, fact.counterpart);
  for (const lead of own) {
    const tracked = book.find(connection.id, fact.targetExternalId, lead);
    if (tracked !== null) return tracked;
  }
  return book.find(connection.id, fact.targetExternalId, null);
}

function reactionKeys(
  items: readonly LogItem<Amendment>[],
  targets: readonly (TrackedMessage | null)[],
): ReturnType<Keys['all']> {
  const keys = new Keys();
  items.forEach(({ fact }, index) => {
    const tracked = targets[index] ?? null;
    if (fact.kind === 'reaction' && tracked !== null)
      keys.add(tracked.state.connectionId, tracked.state.externalId);
  });
  return keys.all();
}

/** What waits for these items' messages, by its key. */
async function readWaiting(
  sql: Sql,
  items: readonly LogItem<Amendment>[],
): Promise<Map<string, PendingFactRow>> {
  const keys = new Keys();
  for (const { fact, connection } of items) keys.add(connection.id, fact.targetExternalId);
  const rows = await readPendingFacts(sql, keys.all());
  return new Map(rows.map((row) => [waitingKey(row), row]));
}

/** Whether it waits, as its entry says it: two edits of one key may differ, and only the entry that the row names decides. */
function isWaiting(
  { fact, connection, entry }: LogItem<Amendment>,
  waiting: ReadonlyMap<string, PendingFactRow>,
): boolean {
  const target = { connectionId: connection.id, externalId: fact.targetExternalId, webhookLogId: entry.id };
  const said = pendingRow(payloadOf(fact), target);
  const row = waiting.get(waitingKey(said));
  if (row === undefined) return false;
  const isOfOther = said.kind === 'edit' && row.webhookLogId !== entry.id;
  return isOfOther || (row.at === said.at && stableJson(row.payload) === stableJson(said.payload));
}

function waitingKey({ connectionId, targetExternalId, kind, factKey }: PendingFactRow): string {
  return `${keyOf(connectionId, targetExternalId)} ${kind} ${factKey}`;
}
