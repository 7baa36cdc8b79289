import { createHash } from 'node:crypto';
import type { MessageRow, StoredMessageRow } from '../store/tables/messages.js';
import { rowOfState } from '../rules/message-book.js';
import { stableJson, textOfErrors } from '../rules/merge-values.js';
import { areTwins, type MessageState, type TwinTraits } from '../rules/message-state.js';

/** Readable names of the columns decided by a message's own entries; the others follow from these. */
const WORDS: readonly (readonly [keyof MessageRow, string])[] = [
  ['externalId', 'id'],
  ['direction', 'direction'],
  ['timestamp', 'time'],
  ['type', 'type'],
  ['body', 'body'],
  ['media', 'media'],
  ['contextExternalId', 'reply'],
  ['rawMeta', 'other content'],
  ['status', 'status'],
  ['historyStatus', 'history status'],
  ['errors', 'errors'],
  ['source', 'source'],
  ['syncSource', 'import source'],
  ['stanzaId', 'key id'],
  ['isSyncInitial', 'first-sync mark'],
  ['metaConfirmedAt', 'confirmation'],
  ['editedAt', 'edit'],
  ['deletedAt', 'revoke'],
];

/** A column whose value differs from the raw log. */
export interface Difference {
  column: keyof MessageRow;
  /** Its readable name. */
  word: string;
  /** The row's value, and the log's; the caller decides whether to show texts and media. */
  row: string | null;
  log: string | null;
}

/** The columns in which a stored row differs from `state`; empty if they differ only in evidence or old versions. */
export function differencesOf(state: MessageState, stored: MessageRow): Difference[] {
  const { row } = rowOfState(state);
  return WORDS.flatMap(([column, word]) => {
    const before = plain(stored, column);
    const after = plain(row, column);
    return before === after ? [] : [{ column, word, row: words(column, before), log: words(column, after) }];
  });
}

/** The differences as one clause without contents, which may be printed. */
export function describeDifferences(differences: readonly Difference[]): string {
  if (differences.length === 0) return 'has less evidence than the raw log';
  const parts = differences.map(({ column, word, row, log }) =>
    column === 'status' || column === 'direction'
      ? `${word} (${row ?? 'none'}, the log says ${log ?? 'none'})`
      : word,
  );
  return `differs in ${parts.join(', ')}`;
}

/** Columns that later statuses and copies of a message change by themselves. */
const PROGRESS: ReadonlySet<keyof MessageRow> = new Set([
  'status',
  'historyStatus',
  'errors',
  'source',
  'syncSource',
  'isSyncInitial',
  'metaConfirmedAt',
]);

/**
 * A digest of what a row says in place of the log: what an acknowledgement of it is for. It holds everything that the message
 * says, because one item does not show every difference: of two equally good values a merge keeps one (M2).
 */
export function damageOf(stored: MessageRow, differences: readonly Difference[]): string {
  const differing = new Set(differences.map(({ column }) => column));
  const values = WORDS.flatMap(([column]) =>
    PROGRESS.has(column) && !differing.has(column) ? [] : [[column, plain(stored, column)]],
  );
  return createHash('sha1').update(JSON.stringify(values)).digest('hex');
}

/** What is wrong with a row that is not with its contact's lead. */
export const LEAD_WORDS = {
  elsewhere: 'is with another lead, and no rejection explains it',
  leadless: 'is there, but its contact has no lead',
} as const;

/** A row with what tells whether another one is the same message. */
export type TwinRow = TwinTraits & Pick<StoredMessageRow, 'id' | 'connectionId' | 'leadId'>;

/** Another row that is the same message by M10: a wamid beside its key id, with the same lead. */
export function isTwinOf(a: TwinRow, b: TwinRow): boolean {
  return a.id !== b.id && a.connectionId === b.connectionId && a.leadId === b.leadId && areTwins(a, b);
}

/** How many of these rows are the second one of their message. */
export function countTwins(rows: readonly TwinRow[]): number {
  return rows.filter((row, place) => rows.slice(0, place).some((other) => isTwinOf(row, other))).length;
}

/** A column as a value that can be compared. */
function plain(row: MessageRow, column: keyof MessageRow): string | number | boolean | null {
  if (column === 'errors') return row.errors === null ? null : textOfErrors(row.errors);
  const value = row[column];
  return typeof value === 'object' && value !== null ? stableJson({ ...value }) : value;
}

const TIMES: ReadonlySet<keyof MessageRow> = new Set([
  'timestamp',
  'metaConfirmedAt',
  'editedAt',
  'deletedAt',
]);

function words(column: keyof MessageRow, value: string | number | boolean | null): string | null {
  if (value === null) return null;
  return TIMES.has(column) && typeof value === 'number' ? new Date(value).toISOString() : String(value);
}
