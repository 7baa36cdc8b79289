import { readPendingFacts, readReactions } from '../../../store/amendments.js';
import type { Sql } from '../../../store/sql.js';
import {
  applyAmendment,
  payloadOf,
  pendingRow,
  ReactionBook,
  type Amendment,
} from '../../plan/amendments.js';
import { keyOf, type Leaf, type MessageBook } from '../../plan/message-book.js';
import type { Recorder } from '../recorder.js';
import type { LeadFinder } from './lead-finder.js';
import type { ToldOnce } from './told-once.js';
import { Keys, type LogItem } from './window.js';

/** What the amendments of a window are held against. */
export interface AmendmentSight {
  sql: Sql;
  recorder: Recorder;
  leads: LeadFinder;
  /** The messages of the window, with what its messages say already merged in. */
  book: MessageBook;
  /** Messages that were told as missing: their amendments are not told again. */
  missing: ToldOnce;
}

/**
 * Finds every status, edit, revoke and reaction of a window in its message (applying it would change nothing; M3, M5), or
 * waiting for it in pending_facts. Gives the number of those that are neither.
 */
export async function settleAmendments(
  items: readonly LogItem<Amendment>[],
  { sql, recorder, leads, book, missing }: AmendmentSight,
): Promise<number> {
  const targets = items.map((item) => targetOf(item, book, leads));
  const reactions = new ReactionBook(await readReactions(sql, reactionKeys(items, targets)));
  const doubts = items.filter((item, index) => {
    const leaf = targets[index] ?? null;
    // A message that is not there takes its amendments with it: it is told itself.
    if (item.teller.isOpen || leaf?.stored === null) return false;
    return leaf === null || applyAmendment(payloadOf(item.fact), leaf, reactions);
  });
  if (doubts.length === 0) return 0;
  const waiting = await readWaiting(sql, doubts);
  let unsettled = 0;
  for (const { fact, connection, teller } of doubts) {
    const target = keyOf(connection.id, fact.targetExternalId);
    if (waiting.has(`${target} ${waitingKey(fact)}`) || missing.has(target)) continue;
    unsettled += 1;
    const what = fact.kind === 'status' ? `status ${fact.status}` : fact.kind;
    await recorder.finding('*', {
      connectionId: connection.id,
      subject: fact.targetExternalId,
      detail: `${teller.origin}: ${what} is neither applied nor waiting`,
    });
  }
  return unsettled;
}

function targetOf(
  { fact, connection }: LogItem<Amendment>,
  book: MessageBook,
  leads: LeadFinder,
): Leaf | null {
  const own = fact.kind === 'status' ? [] : leads.find(connection.organizationId, fact.counterpart);
  for (const lead of own) {
    const leaf = book.find(connection.id, fact.targetExternalId, lead);
    if (leaf !== null) return leaf;
  }
  return book.find(connection.id, fact.targetExternalId, null);
}

function reactionKeys(
  items: readonly LogItem<Amendment>[],
  targets: readonly (Leaf | null)[],
): ReturnType<Keys['all']> {
  const keys = new Keys();
  items.forEach(({ fact }, index) => {
    const leaf = targets[index] ?? null;
    if (fact.kind === 'reaction' && leaf !== null) keys.add(leaf.state.connectionId, leaf.state.externalId);
  });
  return keys.all();
}

async function readWaiting(sql: Sql, items: readonly LogItem<Amendment>[]): Promise<Set<string>> {
  const keys = new Keys();
  for (const { fact, connection } of items) keys.add(connection.id, fact.targetExternalId);
  const rows = await readPendingFacts(sql, keys.all());
  return new Set(
    rows.map((row) => `${keyOf(row.connectionId, row.targetExternalId)} ${row.kind} ${row.factKey}`),
  );
}

function waitingKey(fact: Amendment): string {
  const target = { connectionId: '', externalId: fact.targetExternalId, webhookLogId: null };
  const { kind, factKey } = pendingRow(payloadOf(fact), target);
  return `${kind} ${factKey}`;
}
