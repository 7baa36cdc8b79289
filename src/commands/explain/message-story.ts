import { isWamid } from '../../identity/wamid.js';
import type { MessageError, MessageFact } from '../../model/facts.js';
import type { PlacedMessage } from '../../store/queries/explain.js';
import { amendState, payloadOf, ReactionBook, type Amendment } from '../../rules/amendments.js';
import { projectMessage } from '../../rules/message-projection.js';
import { absorbState, stateOfFact, type MessageState } from '../../rules/message-state.js';
import { isFault, type ItemVerdict } from './item-verdicts.js';
import type { EntryItem } from './log-items.js';
import type { Change, Outcome, JournalNote } from './result.js';
import { phonesToLookUp } from '../../identity/phone.js';
import type { JsonObject, JsonValue } from '../../model/json.js';
import {
  readJournalOfMessage,
  readMergesInto,
  type JournalRecord,
} from '../../store/journal/journal-records.js';
import type { Investigation } from './investigation.js';
import { rfc3339 } from '../../model/time.js';

/** An item with what it changed, by the rules of merging. */
export interface AppliedItem extends ItemVerdict {
  changes: Change[];
}

export interface Story {
  applied: AppliedItem[];
  /** A disagreement between facts and row: `from` is the facts' value, `to` the row's. */
  unexplained: Change[];
  /** Other ids of the message, according to its facts. */
  twins: string[];
}

/**
 * Explains how a row got its values: merges its facts again in their original order, with the functions of a replay
 * (M2, M3, M5), and notes each change. Pure.
 */
export function storyOf(
  row: PlacedMessage,
  items: readonly ItemVerdict[],
  /** Fields of the row known to be wrong, which need no explanation. */
  wrong: ReadonlySet<string> = new Set(),
): Story {
  const story = new Replay(row);
  const applied = [...items]
    .sort((a, b) => compareArrival(a.item, b.item, row))
    .map((one) => story.apply(one));
  story.settle();
  const unexplained = story.unexplained().filter(({ field }) => !wrong.has(field));
  return { applied, unexplained, twins: story.twins() };
}

class Replay {
  private state: MessageState | null = null;
  private readonly pending: { fact: Amendment; applied: AppliedItem }[] = [];
  private readonly reactions = new ReactionBook([]);
  private readonly ids = new Set<string>();

  constructor(private readonly row: PlacedMessage) {}

  apply(verdict: ItemVerdict): AppliedItem {
    const applied: AppliedItem = { ...verdict, changes: [] };
    const { item, row } = verdict;
    const fact = item.fact.kind === 'skipped' ? item.included : item.fact;
    if (fact === null || row?.id !== this.row.id) return applied;
    switch (fact.kind) {
      case 'message':
        this.ids.add(fact.externalId);
        this.message(fact, applied);
        break;
      case 'status':
      case 'edit':
      case 'revoke':
      case 'reaction':
        if (this.state === null) this.pending.push({ fact, applied });
        else this.amend(fact, applied);
        break;
      default:
        break;
    }
    return applied;
  }

  /** Amendments were applied to a row even if its message is not in the log. */
  settle(): void {
    for (const { applied } of this.pending) became(applied, 'applied', null);
  }

  unexplained(): Change[] {
    if (this.state === null) return [];
    const facts = shown(this.state);
    const changes: Change[] = [];
    for (const [field, to] of Object.entries(shownOfRow(this.row))) {
      const from = facts[field] ?? null;
      if (from !== to) changes.push({ field, from, to });
    }
    return changes;
  }

  twins(): string[] {
    return [...this.ids].filter((id) => id !== this.row.externalId);
  }

  private message(fact: MessageFact, applied: AppliedItem): void {
    const { row } = this;
    const incoming = stateOfFact(fact, {
      id: row.id,
      connectionId: row.connectionId,
      conversationId: row.conversationId,
      leadId: row.leadId,
      batchId: null,
      runId: row.runId ?? '',
      syncSource: row.syncSource,
    });
    if (this.state === null) {
      this.state = incoming;
      became(applied, 'created');
      for (const pending of this.pending.splice(0)) {
        this.amend(pending.fact, pending.applied);
        if (!isFault(pending.applied)) pending.applied.reason = 'waited_for_message';
      }
      return;
    }
    const before = shown(this.state);
    absorbState(this.state, incoming);
    if (isWamid(incoming.externalId) && !isWamid(this.state.externalId)) {
      this.state.externalId = incoming.externalId;
    }
    this.note(applied, before);
  }

  private amend(fact: Amendment, applied: AppliedItem): void {
    if (this.state === null) return;
    const before = shown(this.state);
    const payload = payloadOf(fact);
    const isChanged = amendState(payload, this.state, this.reactions);
    if (payload.kind === 'reaction') {
      if (isChanged)
        applied.changes.push({ field: 'reaction', to: payload.emoji === null ? null : payload.reactor });
      became(applied, isChanged ? 'changed' : 'unchanged');
      return;
    }
    this.note(applied, before);
  }

  private note(applied: AppliedItem, before: Readonly<Record<string, string | null>>): void {
    if (this.state === null) return;
    for (const [field, to] of Object.entries(shown(this.state))) {
      const from = before[field] ?? null;
      if (from === to) continue;
      // Texts stay hidden; it is enough to show whether there was one before.
      if (!PRIVATE.has(field)) applied.changes.push({ field, from, to });
      else applied.changes.push({ field, ...(from === null ? { from } : to === null ? { to } : {}) });
    }
    became(applied, applied.changes.length > 0 ? 'changed' : 'unchanged');
  }
}

/** Notes what a fact did to the row; a current fault of the row matters more. */
function became(applied: AppliedItem, outcome: Outcome, reason: string | null = applied.reason): void {
  if (!isFault(applied)) Object.assign(applied, { outcome, reason });
}

const PRIVATE: ReadonlySet<string> = new Set(['text', 'media']);

/** The visible fields of a state, as texts to compare. */
function shown(state: MessageState): Record<string, string | null> {
  const projected = projectMessage(state);
  return {
    externalId: state.externalId,
    source: state.source,
    direction: state.direction,
    timestamp: rfc3339(state.timestamp),
    status: state.status,
    type: projected.type,
    editedAt: rfc3339(projected.editedAt),
    deletedAt: rfc3339(projected.deletedAt),
    text: projected.body,
    media: projected.media === null ? null : JSON.stringify(projected.media),
    answers: state.contextExternalId,
    errors: codesOf(state.errors),
  };
}

function shownOfRow(row: PlacedMessage): Record<string, string | null> {
  return {
    source: row.source,
    direction: row.direction,
    timestamp: rfc3339(row.timestamp),
    status: row.status,
    type: row.type,
    editedAt: rfc3339(row.editedAt),
    deletedAt: rfc3339(row.deletedAt),
  };
}

/** `131026, 131047`: why it failed, without the words. */
function codesOf(errors: readonly MessageError[] | null): string | null {
  return errors === null || errors.length === 0
    ? null
    : errors.map(({ code, title }) => (code === undefined ? (title ?? 'error') : String(code))).join(', ');
}

/**
 * The order in which items were applied: the storage order of their entries. One replayed later (its connection was
 * unknown) counts from then, unless it created the row.
 */
function compareArrival(a: EntryItem, b: EntryItem, row: PlacedMessage): number {
  const left = appliedAt(a, row);
  const right = appliedAt(b, row);
  if (left !== right) return left - right;
  return a.entry.id < b.entry.id ? -1 : a.entry.id > b.entry.id ? 1 : 0;
}

function appliedAt({ entry }: EntryItem, row: PlacedMessage): number {
  const again = entry.attempts > 1 && entry.id !== row.batchId;
  return again ? (entry.processedAt ?? entry.createdAt) : entry.createdAt;
}

/** Columns with message content: the change is shown, the content is not. */
const CONTENT: ReadonlySet<string> = new Set(['body', 'media', 'raw_meta']);

/** Columns without meaning to a reader. */
const SILENT: ReadonlySet<string> = new Set([
  'id',
  'evidence',
  'conversation_id',
  'created_at',
  'last_synced_at',
]);

/** What merges, dedupes and undos did to a message's row, and which copies of it they deleted. */
export async function journalOfMessage(
  inv: Investigation,
  rowId: string | null,
  ids: readonly string[],
): Promise<JournalNote[]> {
  return notesOf(inv, await readJournalOfMessage(inv.sql, rowId, ids));
}

/** The leads merged into these people, over any number of merges. */
export async function mergesInto(
  inv: Investigation,
  personIds: readonly string[],
  phone: string | null,
): Promise<JournalNote[]> {
  const phones = phone === null ? [] : phonesToLookUp(phone);
  const notes = await notesOf(inv, await readMergesInto(inv.sql, personIds, phones));
  return notes.flatMap((note) => {
    if (note.what === CREATED) return [];
    const isThis = personIds.some((id) => note.what === mergedInto(id));
    return isThis ? { ...note, what: 'merged into this lead' } : note;
  });
}

async function notesOf(inv: Investigation, records: readonly JournalRecord[]): Promise<JournalNote[]> {
  const runs = new Map(
    (await inv.runs(records.map((record) => record.runId))).map((run) => [run.id, run.command]),
  );
  return records.map((record) => {
    const command = runs.get(record.runId) ?? null;
    return {
      at: rfc3339(record.createdAt),
      runId: record.runId,
      command,
      table: record.table,
      rowId: textOf(record.key['id']),
      what: record.before === null && command !== 'undo' ? CREATED : whatHappened(record),
      was: whatItWas(record),
    };
  });
}

/** A row that an adoption or an import made. */
const CREATED = 'created';

function whatHappened({ before, after, table }: JournalRecord): string {
  const into = textOf(after?.['merged_into']);
  if (into !== null) return mergedInto(into);
  if (before === null) return 'put back';
  if (after === null) return table === 'leads' ? 'merged into this lead' : 'removed';
  const lead = textOf(after['lead_id']);
  const moved = lead !== null && lead !== textOf(before['lead_id']) ? [`moved to lead ${lead}`] : [];
  const changed = Object.keys(after).filter(
    (column) =>
      !SILENT.has(column) &&
      column !== 'lead_id' &&
      // An entry that only moves a row has no other columns in `before`.
      Object.hasOwn(before, column) &&
      JSON.stringify(after[column]) !== JSON.stringify(before[column]),
  );
  const words = new Set(changed.map((column) => (CONTENT.has(column) ? 'content' : column)));
  const rest = words.size === 0 ? [] : [`changed ${[...words].join(', ')}`];
  return [...moved, ...rest].join(', ') || 'kept';
}

function mergedInto(leadId: string): string {
  return `merged into lead ${leadId}`;
}

/** The names by which people knew the row. */
function whatItWas({ before, table }: JournalRecord): string | null {
  if (before === null) return null;
  const columns = table === 'leads' ? ['phone_number', 'push_name', 'username'] : ['external_id'];
  const words = columns.flatMap((column) => textOf(valueOf(before, column)) ?? []);
  return words.length === 0 ? null : words.join(', ');
}

function valueOf(object: JsonObject, key: string): JsonValue | undefined {
  return Object.hasOwn(object, key) ? object[key] : undefined;
}

function textOf(value: JsonValue | undefined): string | null {
  return typeof value === 'string' && value !== '' ? value : null;
}
