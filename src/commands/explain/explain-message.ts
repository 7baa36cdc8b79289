import { countTwins, isTwinOf, type TwinRow } from '../../audit/differences.js';
import { findHolders } from '../../audit/find-holders.js';
import { decodeWamid, isWamid } from '../../identity/wamid.js';
import { readLostId, readMarks } from '../../store/checks/messages.js';
import { TWIN_TOLERANCE_MS } from '../../rules/message-state.js';
import { findMessages, type ExplainedMessage, type PlacedMessage } from '../../store/queries/explain.js';
import { readNamesOfLeads } from '../../store/tables/leads.js';
import { readMessagesById } from '../../store/tables/messages.js';
import { readPendingOf, readReactions, type PendingRecord } from '../../store/tables/amendments.js';
import { readRejectsOfMessages, type RejectRow } from '../../store/tables/rejects.js';
import { readEntryHeads, readLoggedEntries, type LoggedEntry } from '../../store/tables/stored-entries.js';
import { readTicketsOfLeads } from '../../store/tables/tickets.js';
import { findReplacedEntry } from '../../store/tables/altered-entries.js';
import { markWords } from '../../audit/alert.js';
import { isBeingErased } from '../../rawlog/claim-verdict.js';
import { unfoundedOf } from '../../audit/claims.js';
import { Keys } from '../../audit/window.js';
import { messageIdOfFact } from '../../rules/fact-traits.js';
import { firstWords, originOf, pendingNotes } from './fact-view.js';
import { findNamedEntries, findNeighbors, scanLog, type Investigation } from './investigation.js';
import type { ItemVerdict } from './item-verdicts.js';
import { itemHasId, type EntryItem, type EntryItems } from './log-items.js';
import { journalOfMessage, storyOf, type Story } from './message-story.js';
import type { ExplainedFact, MessageExplanation, PendingNote, RowDifference } from './result.js';
import { rfc3339 } from '../../model/time.js';

/** What is known about one id, with or without a row. */
export interface MessageFindings {
  messages: MessageExplanation[];
  verdicts: ItemVerdict[];
  facts: ExplainedFact[];
  pending: PendingNote[];
  /** Of the rows, how many are the second one of their message (M10). */
  twins: number;
}

/** More rows of one id are duplicates, which `dedupe` lists. */
const MOST_ROWS = 5;

/** Explains the rows with an id: each with everything in the raw log about it. */
export async function explainRows(
  inv: Investigation,
  rows: readonly ExplainedMessage[],
): Promise<MessageFindings> {
  const all = [...rows, ...(await findTwins(inv, rows))];
  if (all.length > MOST_ROWS) inv.cutOff(`Only the first ${MOST_ROWS} of ${all.length} rows are shown.`);
  const shown = all.slice(0, MOST_ROWS);
  const twins = countTwins(shown.map(asTwinRow).filter((row) => row !== null));
  const findings: MessageFindings = { messages: [], verdicts: [], facts: [], pending: [], twins };
  const evidence = await gatherForRows(inv, shown);
  for (const row of shown) await explainRow(inv, row, evidence, findings);
  return findings;
}

/** Other rows of the same messages under their other id (M10): duplicates of them. */
async function findTwins(inv: Investigation, rows: readonly ExplainedMessage[]): Promise<ExplainedMessage[]> {
  const known = new Set(rows.map(({ id }) => id));
  const twins: ExplainedMessage[] = [];
  for (const row of rows) {
    for (const id of idsOfRow(row)) {
      for (const other of await findMessages(inv.sql, id, [row.connectionId])) {
        if (known.has(other.id) || !isTwin(row, other)) continue;
        known.add(other.id);
        twins.push(other);
      }
    }
  }
  return twins;
}

function isTwin(a: ExplainedMessage, b: ExplainedMessage): boolean {
  const [one, other] = [a, b].map(asTwinRow);
  return one != null && other != null && isTwinOf(one, other);
}

/** A row without an id has no twin: it is told by itself. */
function asTwinRow({ externalId, ...row }: ExplainedMessage): TwinRow | null {
  return externalId === null ? null : { ...row, externalId };
}

interface Evidence {
  items: readonly EntryItem[];
  pending: readonly PendingRecord[];
}

/** Everything in the log about all of the rows, so an entry is decoded once even if several rows have one id. */
async function gatherForRows(inv: Investigation, rows: readonly ExplainedMessage[]): Promise<Evidence> {
  const { sql } = inv;
  const keys = new Keys();
  for (const row of rows) for (const id of idsOfRow(row)) keys.add(row.connectionId, id);
  const leadIds = [...new Set(rows.map(({ leadId }) => leadId))];
  const [names, rejects, pending] = await Promise.all([
    readNamesOfLeads(sql, leadIds),
    readRejectsOfMessages(sql, keys.all()),
    readPendingOf(sql, keys.all()),
  ]);
  const items = await gather(
    inv,
    [...new Set(rows.flatMap(idsOfRow))],
    leadIds.flatMap((leadId) => names.get(leadId) ?? []),
    [...rows.flatMap(({ batchId }) => batchId ?? []), ...entriesOf(rejects, pending)],
  );
  return { items, pending };
}

async function explainRow(
  inv: Investigation,
  row: ExplainedMessage,
  evidence: Evidence,
  findings: MessageFindings,
): Promise<void> {
  const { bodies } = inv.options;
  const ids = new Set(idsOfRow(row));
  const pending = evidence.pending.filter(
    ({ connectionId, targetExternalId }) => connectionId === row.connectionId && ids.has(targetExternalId),
  );
  const own = evidence.items.filter(
    (item) => isAbout(item, ids) && (item.connection === null || item.connection.id === row.connectionId),
  );
  const stored = await readMessagesById(inv.sql, [row.id], { lock: false });
  const all = await inv.verdictsOn(
    own,
    stored.filter(({ externalId }) => externalId !== ''),
  );
  const verdicts = all.filter((verdict) => verdict.row === null || verdict.row.id === row.id);
  const differences = differencesIn(verdicts, bodies);
  const story = storyOf(row, verdicts, new Set(differences.map(({ field }) => field)));
  findings.messages.push(await describeRow(inv, row, story, differences));
  findings.verdicts.push(...verdicts);
  findings.facts.push(...story.applied.map((one) => inv.view(one, one.changes)));
  findings.pending.push(...(await pendingNotes(inv, pending)));
}

/** Explains an id without a row: what is pending for it, what was skipped, and whether the raw log contains it at all. */
export async function explainUnstored(inv: Investigation, id: string): Promise<MessageFindings> {
  const inside = decodeWamid(id);
  const ids = inside === undefined ? [id] : [id, inside.stanzaId];
  const keys = inv.connectionIds.flatMap((connectionId) => ids.map((one) => ({ connectionId, id: one })));
  const [rejects, pending] = await Promise.all([
    readRejectsOfMessages(inv.sql, keys),
    readPendingOf(inv.sql, keys),
  ]);
  const names = inside === undefined ? [] : [inside.phone];
  let items = await gather(inv, ids, names, entriesOf(rejects, pending));
  if (items.length === 0 && !inv.scanned) items = await searchEverywhere(inv, ids);
  const verdicts = await inv.verdictsOn(items.filter((item) => inv.concerns(item)));
  return {
    messages: [],
    verdicts,
    facts: verdicts.map((verdict) => inv.view(verdict)),
    pending: await pendingNotes(inv, pending),
    twins: 0,
  };
}

/** The items about these ids: in the entries known to contain them, in those about the people, and nearby in time. */
async function gather(
  inv: Investigation,
  ids: readonly string[],
  names: readonly string[],
  entryIds: readonly string[],
): Promise<EntryItem[]> {
  const wanted = new Set(ids);
  const pick = (logged: EntryItems): EntryItems | null => {
    const items = logged.items.filter((item) => isAbout(item, wanted));
    return items.length === 0 ? null : { ...logged, items };
  };
  const heads = await readEntryHeads(inv.sql, [...new Set(entryIds)]);
  const named = await findNamedEntries(inv, ids, names);
  const first = await inv.decode([...heads, ...named], pick);
  const near = await findNeighbors(inv, ids, anchorsOf(first));
  const second = await inv.decode(near, pick);
  const third = inv.options.scan && !inv.scanned ? await inv.decode(await scanLog(inv, ids), pick) : [];
  return [...first, ...second, ...third].flatMap((logged) => logged.items);
}

async function searchEverywhere(inv: Investigation, ids: readonly string[]): Promise<EntryItem[]> {
  const wanted = new Set(ids);
  const decoded = await inv.decode(await scanLog(inv, ids), (logged) => ({
    ...logged,
    items: logged.items.filter((item) => isAbout(item, wanted)),
  }));
  for (const { entry, items, failure, unrecognized } of decoded) {
    const broken = failure ?? unrecognized[0]?.reason;
    if (items.length === 0 && broken !== undefined) {
      inv.unread ??= originOf(entry);
      inv.notice(`${originOf(entry)} contains the id, but could not be parsed: ${broken}.`);
    }
  }
  return decoded.flatMap((logged) => logged.items);
}

/** Statuses follow the message, so search around its entries. */
function anchorsOf(found: readonly EntryItems[]): string[] {
  const messages = found.filter(({ items }) => items.some(({ fact }) => fact.kind === 'message'));
  return (messages.length > 0 ? messages : found).map(({ entry }) => entry.id);
}

function isAbout(item: EntryItem, ids: ReadonlySet<string>): boolean {
  const { fact } = item;
  switch (fact.kind) {
    case 'message':
      return ids.has(fact.externalId) || (fact.stanzaId !== undefined && ids.has(fact.stanzaId));
    case 'status':
    case 'edit':
    case 'revoke':
    case 'reaction':
      return ids.has(fact.targetExternalId) || (fact.kind === 'edit' && ids.has(fact.editId));
    case 'skipped':
      if (item.included !== null && ids.has(messageIdOfFact(item.included) ?? '')) return true;
      return itemHasId(item.raw(), ids);
    case 'rejected':
      return itemHasId(item.raw(), ids);
    default:
      return false;
  }
}

function idsOfRow(row: PlacedMessage): string[] {
  const stanza =
    row.stanzaId ?? (row.externalId === null ? null : (decodeWamid(row.externalId)?.stanzaId ?? null));
  return [...new Set([row.externalId, stanza].filter((id) => id !== null))];
}

function entriesOf(rejects: readonly RejectRow[], pending: readonly PendingRecord[]): string[] {
  return [
    ...rejects.map((reject) => reject.webhookLogId),
    ...pending.flatMap((one) => one.webhookLogId ?? []),
  ];
}

/** Where the row differs from the log, once per column; message content is shown only with --bodies. */
function differencesIn(verdicts: readonly ItemVerdict[], bodies: boolean): RowDifference[] {
  const byField = new Map<string, RowDifference>();
  for (const { differences } of verdicts) {
    for (const { column, word, row, log } of differences) {
      const isShown = bodies || !CONTENT.has(column);
      byField.set(column, { field: column, what: word, ...(isShown ? { row, log } : {}) });
    }
  }
  return [...byField.values()];
}

const CONTENT: ReadonlySet<string> = new Set(['body', 'media', 'rawMeta']);

async function describeRow(
  inv: Investigation,
  row: ExplainedMessage,
  story: Story,
  differences: RowDifference[],
): Promise<MessageExplanation> {
  const { sql } = inv;
  const { externalId } = row;
  const [head] = row.batchId === null ? [] : await readLoggedEntries(sql, [row.batchId]);
  const marks = await readMarks(sql, row.id);
  if (marks.length > 0) inv.notice(`The message is ${markWords(marks)}. The mark stays as it is.`);
  const tickets = await readTicketsOfLeads(sql, [row.leadId]);
  const reactions =
    externalId === null ? [] : await readReactions(sql, [{ connectionId: row.connectionId, id: externalId }]);
  const [run] = await inv.runs([row.runId]);
  const withoutId = externalId === null ? await readLostId(sql, row.id, TWIN_TOLERANCE_MS) : null;
  const isBack = withoutId !== null && (withoutId.twin !== null || withoutId.isReplaced);
  if (row.batchId !== null && head === undefined && !isBack)
    await inv.adviseSource({ id: row.batchId, runId: row.runId, origin: null });
  if (head?.isIntact === false) await inv.adviseSource(head);
  // What nobody can read any more may explain it.
  const unexplained = inv.hasRemoved ? [] : story.unexplained;
  if (unexplained.length > 0 && !inv.scanned) {
    const fields = unexplained.map((change) => change.field).join(', ');
    inv.notice(
      `The entries found do not explain the row’s ${fields}: another entry set it, or another program. --scan searches the whole raw log.`,
    );
  }
  return {
    id: row.id,
    externalId,
    stanzaId: row.stanzaId,
    connection: inv.nameOf(row.connectionId),
    leadId: row.leadId,
    contact: row.phone,
    name: row.name,
    direction: row.direction,
    type: row.type,
    timestamp: rfc3339(row.timestamp),
    status: row.status,
    errors: row.errors ?? [],
    source: row.source,
    syncSource: row.syncSource,
    editedAt: rfc3339(row.editedAt),
    deletedAt: rfc3339(row.deletedAt),
    revisions: row.revisions,
    reactions: reactions.filter((reaction) => reaction.emoji !== null).length,
    broughtBy:
      head === undefined
        ? null
        : {
            entryId: head.id,
            origin: originOf(head),
            receivedAt: rfc3339(head.receivedAt),
            storedAt: rfc3339(head.createdAt),
            isIntact: head.isIntact,
            bodyState: head.bodyState,
          },
    run: run ?? null,
    twins: story.twins.filter((id) => isWamid(id) !== isWamid(externalId ?? '')),
    openedTicket:
      tickets.find((ticket) => externalId !== null && ticket.openedByExternalId === externalId)?.id ?? null,
    journal: await journalOfMessage(inv, row.id, idsOfRow(row)),
    unexplained,
    differences,
    marks,
    unfounded: await unfoundedRow(inv, row, head),
    goneEntry: row.batchId !== null && head === undefined ? row.batchId : null,
    withoutId,
    excerpt: inv.options.bodies && row.body !== null ? firstWords(row.body) : null,
  };
}

/** Whether the row's entry does not hold it, by verify's rule. */
async function unfoundedRow(
  inv: Investigation,
  { externalId, ...row }: ExplainedMessage,
  entry: LoggedEntry | undefined,
): Promise<MessageExplanation['unfounded']> {
  if (entry === undefined || externalId === null || externalId.trim() === '') return null;
  const [decoded] = await inv.log.decode([entry]);
  if (decoded === undefined) return null;
  if (isBeingErased(decoded, { ...row, externalId }, inv.log)) inv.isErasing = true;
  const unfounded = await unfoundedOf(inv.sql, decoded, { ...row, externalId }, inv.log);
  if (unfounded === null) return null;
  const isHeld = !unfounded.isCopy && (await findHolders(inv.sql, inv.log, [row.id])).size > 0;
  const replaced = unfounded.isCopy || isHeld ? null : await findReplacedEntry(inv.sql, [row.id]);
  if (replaced !== null) await inv.adviseSource(replaced);
  return { ...unfounded, isHeld, isReplaced: replaced !== null };
}
