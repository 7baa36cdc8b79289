import { phonesToLookUp } from '../../identity/phone.js';
import type { JsonObject, JsonValue } from '../../model/json.js';
import {
  readJournalOfMessage,
  readMergesInto,
  type JournalRecord,
} from '../../store/journal/journal-records.js';
import { iso } from './fact-view.js';
import type { Investigation } from './investigation.js';
import type { JournalNote } from './result.js';

/** Columns that say what was said: a change is told, what it was is not. */
const CONTENT: ReadonlySet<string> = new Set(['body', 'media', 'raw_meta']);

/** Columns that say nothing to a person. */
const SILENT: ReadonlySet<string> = new Set([
  'id',
  'evidence',
  'conversation_id',
  'created_at',
  'last_synced_at',
]);

/** What merges, dedupes and undos did to a message's row, and which copies of it they removed. */
export async function journalOfMessage(
  inv: Investigation,
  rowId: string | null,
  ids: readonly string[],
): Promise<JournalNote[]> {
  return notesOf(inv, await readJournalOfMessage(inv.sql, rowId, ids));
}

/** The leads that were merged into these people, over any number of mergers. */
export async function mergesInto(
  inv: Investigation,
  personIds: readonly string[],
  phone: string | null,
): Promise<JournalNote[]> {
  const phones = phone === null ? [] : phonesToLookUp(phone);
  const notes = await notesOf(inv, await readMergesInto(inv.sql, personIds, phones));
  return notes.map((note) => {
    const isThis = personIds.some((id) => note.what === mergedInto(id));
    return isThis ? { ...note, what: 'merged into this lead' } : note;
  });
}

async function notesOf(inv: Investigation, records: readonly JournalRecord[]): Promise<JournalNote[]> {
  const runs = new Map(
    (await inv.runs(records.map((record) => record.runId))).map((run) => [run.id, run.command]),
  );
  return records.map((record) => ({
    at: iso(record.createdAt),
    runId: record.runId,
    command: runs.get(record.runId) ?? null,
    table: record.table,
    rowId: textOf(record.key['id']),
    what: whatHappened(record),
    was: whatItWas(record),
  }));
}

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
      // An entry that only moves a row names no other columns before.
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

/** What people knew the row by. */
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
