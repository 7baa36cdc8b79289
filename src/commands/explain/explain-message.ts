import { decodeWamid, isWamid } from '../../identity/wamid.js';
import { fileOfOrigin } from '../../model/raw-entry.js';
import { messageIdOfFact } from '../../rules/fact-traits.js';
import { readPathsOfRun } from '../../store/checks/messages.js';
import type { ExplainedMessage, PlacedMessage, FoundEntry } from '../../store/queries/explain.js';
import { readNamesOfLeads } from '../../store/tables/leads.js';
import { readMessagesById } from '../../store/tables/messages.js';
import { readPendingOf, type PendingRecord, readReactions } from '../../store/tables/amendments.js';
import { readRejectsOfMessages, type RejectRow } from '../../store/tables/rejects.js';
import { readEntryHeads, readLoggedEntries } from '../../store/tables/stored-entries.js';
import { readTicketsOfLeads } from '../../store/tables/tickets.js';
import { Keys } from '../../audit/window.js';
import { adviseReplay, type WaitingItem } from './advise.js';
import { firstWords, iso, originOf, viewOf } from './fact-view.js';
import { isFault } from './fates.js';
import type { Investigation } from './investigation.js';
import { journalOfMessage } from './journal-notes.js';
import { tellStory, type FatedItem, type Story } from './message-story.js';
import { itemHasId, namesIn } from './names.js';
import { pendingNotes } from './pending-notes.js';
import type { LoggedItem, LoggedItems } from './read-items.js';
import type { ExplainedFact, MessageExplanation, PendingNote, RowDifference } from './result.js';
import { findNamedEntries, findNeighbours, scanLog } from './search-log.js';

/** What is known of one id, with or without a row. */
export interface MessageFindings {
  messages: MessageExplanation[];
  facts: ExplainedFact[];
  pending: PendingNote[];
  /** Items that are not in the database yet. */
  waiting: WaitingItem[];
}

/** More rows of one id than this are doubles, which dedupe lists. */
const MOST_ROWS = 5;

/** Explains the rows that bear an id: each with everything that the raw log says about it. */
export async function explainRows(
  inv: Investigation,
  rows: readonly ExplainedMessage[],
): Promise<MessageFindings> {
  if (rows.length > MOST_ROWS) inv.cutOff(`Only the first ${MOST_ROWS} of ${rows.length} rows are shown.`);
  const shown = rows.slice(0, MOST_ROWS);
  const findings: MessageFindings = { messages: [], facts: [], pending: [], waiting: [] };
  const evidence = await gatherForRows(inv, shown);
  for (const row of shown) {
    const found = await explainRow(inv, row, evidence);
    findings.messages.push(found.message);
    findings.facts.push(...found.facts);
    findings.pending.push(...found.pending);
    findings.waiting.push(...found.waiting);
  }
  return findings;
}

interface Evidence {
  items: readonly LoggedItem[];
  pending: readonly PendingRecord[];
}

/** What the log says about all of the rows: an entry is decoded once, also where several rows have one id. */
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
): Promise<Omit<MessageFindings, 'messages'> & { message: MessageExplanation }> {
  const ids = new Set(idsOfRow(row));
  const pending = evidence.pending.filter(
    ({ connectionId, targetExternalId }) => connectionId === row.connectionId && ids.has(targetExternalId),
  );
  const own = evidence.items.filter(
    (item) => isAbout(item, ids) && (item.connection === null || item.connection.id === row.connectionId),
  );
  const stored = await readMessagesById(inv.sql, [row.id], { lock: false });
  const fates = await inv.fatesOf(
    own,
    stored.filter(({ externalId }) => externalId !== ''),
  );
  const fated = [...fates]
    .map(([item, fate]): FatedItem => ({ item, fate }))
    .filter(({ fate }) => fate.row === null || fate.row.id === row.id);
  const differences = differencesIn(fated, inv.options.bodies);
  const story = tellStory(row, fated, new Set(differences.map(({ field }) => field)));
  adviseReplayOf(inv, fated);
  if (fated.some(({ fate }) => fate.reason === 'doubled')) inv.remedy({ do: 'dedupe' });
  return {
    message: await describeRow(inv, row, story, differences),
    facts: story.told.map(({ item, fate, changes }) =>
      viewOf(item, fate, { bodies: inv.options.bodies, changes }),
    ),
    pending: await pendingNotes(inv, pending),
    waiting: waitingOf(fated),
  };
}

/** Explains an id that no row bears: what waits for it, what was left out, and whether the raw log names it at all. */
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
  const concerned = items.filter((item) => inv.concerns(item));
  const fates = await inv.fatesOf(concerned);
  const fated = [...fates].map(([item, fate]): FatedItem => ({ item, fate }));
  adviseReplayOf(inv, fated);
  return {
    messages: [],
    facts: fated.map(({ item, fate }) => viewOf(item, fate, { bodies: inv.options.bodies })),
    pending: await pendingNotes(inv, pending),
    waiting: waitingOf(fated),
  };
}

function waitingOf(fated: readonly FatedItem[]): WaitingItem[] {
  return fated
    .filter(({ fate }) => fate.outcome === 'pending')
    .map(({ item, fate }) => ({ item, reason: fate.reason }));
}

/** The items about these ids: in the entries that are known to hold them, in those about the people, and near both. */
async function gather(
  inv: Investigation,
  ids: readonly string[],
  names: readonly string[],
  entryIds: readonly string[],
): Promise<LoggedItem[]> {
  const wanted = new Set(ids);
  const pick = (logged: LoggedItems): LoggedItems | null => {
    const items = logged.items.filter((item) => isAbout(item, wanted));
    return items.length === 0 ? null : { ...logged, items };
  };
  const heads = await readEntryHeads(inv.sql, [...new Set(entryIds)]);
  const named = await findNamedEntries(inv, ids, names);
  const first = await inv.decode([...heads, ...named], pick);
  const near = await findNeighbours(inv, ids, anchorsOf(first));
  const second = await inv.decode(near, pick);
  const third = inv.options.scan && !inv.scanned ? await inv.decode(await scanLog(inv, ids), pick) : [];
  return [...first, ...second, ...third].flatMap((logged) => logged.items);
}

async function searchEverywhere(inv: Investigation, ids: readonly string[]): Promise<LoggedItem[]> {
  const wanted = new Set(ids);
  const found: FoundEntry[] = await scanLog(inv, ids);
  const decoded = await inv.decode(found, (logged) => {
    const items = logged.items.filter((item) => isAbout(item, wanted));
    return { ...logged, items };
  });
  for (const { entry, items, failure, unrecognized } of decoded) {
    const broken = failure ?? unrecognized[0]?.reason;
    if (items.length === 0 && broken !== undefined) {
      inv.notice(`${originOf(entry)} holds the id, but was not understood: ${broken}.`);
    }
  }
  return decoded.flatMap((logged) => logged.items);
}

/** Statuses come after the message itself, so it is around those entries that they are looked for. */
function anchorsOf(found: readonly LoggedItems[]): string[] {
  const messages = found.filter(({ items }) => items.some(({ fact }) => fact.kind === 'message'));
  return (messages.length > 0 ? messages : found).map(({ entry }) => entry.id);
}

function isAbout(item: LoggedItem, ids: ReadonlySet<string>): boolean {
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

/** What the row says otherwise than the log, once per column; what was said is shown only with --bodies. */
function differencesIn(fated: readonly FatedItem[], bodies: boolean): RowDifference[] {
  const byField = new Map<string, RowDifference>();
  for (const { fate } of fated) {
    for (const { column, word, row, log } of fate.differences) {
      const isShown = bodies || !SAID.has(column);
      byField.set(column, { field: column, what: word, ...(isShown ? { row, log } : {}) });
    }
  }
  return [...byField.values()];
}

/** Columns that hold what people said. */
const SAID: ReadonlySet<string> = new Set(['body', 'media', 'rawMeta']);

/** Advises the replay that sets wrong items right: that of one contact's entries, if all of the items name the contact. */
function adviseReplayOf(inv: Investigation, fated: readonly FatedItem[]): void {
  const faults = fated.filter(({ fate }) => isFault(fate) && fate.reason !== 'doubled');
  if (faults.length === 0) return;
  // A status names nobody: the entries of a contact leave it out.
  adviseReplay(
    inv,
    faults.map(({ item }) => namesIn(item.fact)[0] ?? null),
  );
}

async function describeRow(
  inv: Investigation,
  row: ExplainedMessage,
  story: Story,
  differences: RowDifference[],
): Promise<MessageExplanation> {
  const { sql } = inv;
  const [head] = row.batchId === null ? [] : await readLoggedEntries(sql, [row.batchId]);
  const tickets = await readTicketsOfLeads(sql, [row.leadId]);
  const reactions =
    row.externalId === null
      ? []
      : await readReactions(sql, [{ connectionId: row.connectionId, id: row.externalId }]);
  const [run] = await inv.runs([row.runId]);
  if (row.batchId !== null && head === undefined) {
    const [file, other] = row.runId === null ? [] : await readPathsOfRun(sql, row.runId);
    inv.remedy({
      do: 'replay_file',
      file: file === undefined || file === '-' || other !== undefined ? null : file,
    });
  }
  if (head?.isIntact === false) inv.remedy({ do: 'replay_file', file: fileOfOrigin(head.origin) });
  if (story.unexplained.length > 0 && !inv.scanned) {
    const fields = story.unexplained.map((change) => change.field).join(', ');
    inv.notice(
      `What the row says in ${fields} came from an entry elsewhere in the log, or from another program; --scan searches all of it.`,
    );
    inv.remedy({ do: 'scan' });
  }
  return {
    id: row.id,
    externalId: row.externalId,
    stanzaId: row.stanzaId,
    connection: inv.nameOf(row.connectionId),
    leadId: row.leadId,
    contact: row.phone,
    name: row.name,
    direction: row.direction,
    type: row.type,
    timestamp: iso(row.timestamp),
    status: row.status,
    errors: row.errors ?? [],
    source: row.source,
    syncSource: row.syncSource,
    editedAt: iso(row.editedAt),
    deletedAt: iso(row.deletedAt),
    revisions: row.revisions,
    reactions: reactions.filter((reaction) => reaction.emoji !== null).length,
    broughtBy:
      head === undefined
        ? null
        : {
            entryId: head.id,
            origin: originOf(head),
            receivedAt: iso(head.receivedAt),
            storedAt: iso(head.createdAt),
            isIntact: head.isIntact,
          },
    run: run ?? null,
    twins: story.twins.filter((id) => isWamid(id) !== isWamid(row.externalId ?? '')),
    openedTicket:
      tickets.find((ticket) => row.externalId !== null && ticket.openedByExternalId === row.externalId)?.id ??
      null,
    journal: await journalOfMessage(inv, row.id, idsOfRow(row)),
    unexplained: story.unexplained,
    differences,
    goneEntry: row.batchId !== null && head === undefined ? row.batchId : null,
    excerpt: inv.options.bodies && row.body !== null ? firstWords(row.body) : null,
  };
}
