import type { Dialect, LackedField, NotKeptReason } from '../../crm/crm.js';
import { CAPTIONED, isOtherKind } from '../../crm/kinds.js';
import type { ComparedPair, MissingMessage } from '../../store/queries/comparison.js';
import { isChatExportId } from '../../model/chat-line.js';
import { hasWeakTime, unpackEvidence } from '../../rules/evidence.js';
import type { ComparedField } from './types.js';

/** Seconds and milliseconds of one moment, and the 2 s difference between WhatsApp's own two paths (M10). */
const SAME_MOMENT_MS = 2_000;

/** The verdict on the rows of one message. */
export interface Judged {
  kind: 'same' | 'differs' | 'other_contact';
  /** The row that is the message. */
  row: ComparedPair;
  fields: ComparedField[];
  /** The row has words that the log does not have, by an edit from after its end. */
  isEditedLater: boolean;
  /** Further rows of the same message; `isEqual`: as good as the best one by everything in the log. */
  doubles: { row: ComparedPair; isEqual: boolean }[];
}

/**
 * Judges one message by all the CRM's rows for it: the best row is the message, every other one a duplicate. Compares
 * only fields that the CRM keeps truthfully, and the time only where ours is the message's own.
 */
export function judgeMessage(
  rows: readonly ComparedPair[],
  dialect: Pick<Dialect, 'bodyOfEdited' | 'wordsOf'>,
): Judged {
  const judged = rows.map((row) => ({ row, fields: differencesOf(row, dialect) }));
  judged.sort((a, b) => byGoodness(a, b) || a.row.ordinal - b.row.ordinal);
  const [best, ...others] = judged;
  if (best === undefined) throw new Error('a message was judged without a row');
  const kind = !best.row.isSamePerson ? 'other_contact' : best.fields.length > 0 ? 'differs' : 'same';
  return {
    kind,
    row: best.row,
    fields: best.fields,
    isEditedLater: hasUnknownWords(best.row, dialect) && best.row.isEditedLater,
    doubles: others.map((other) => ({ row: other.row, isEqual: byGoodness(best, other) === 0 })),
  };
}

/** Better one first. */
function byGoodness(a: RowAndFields, b: RowAndFields): number {
  return (
    Number(b.row.isSamePerson) - Number(a.row.isSamePerson) ||
    a.fields.length - b.fields.length ||
    Number(b.row.isExact) - Number(a.row.isExact)
  );
}

interface RowAndFields {
  row: ComparedPair;
  fields: ComparedField[];
}

function differencesOf(
  row: ComparedPair,
  dialect: Pick<Dialect, 'bodyOfEdited' | 'wordsOf'>,
): ComparedField[] {
  const fields: ComparedField[] = [];
  if (row.direction === null ? lacks(row, 'direction') : row.direction !== row.messageDirection)
    fields.push('direction');
  if (isOtherKind(row.messageType, row.kinds)) fields.push('type');
  // What was edited after the end of the log the log cannot have.
  if (!row.isEditedLater && hasUnknownWords(row, dialect)) fields.push('body');
  if (!hasBorrowedTime(row) && isOtherTime(row)) fields.push('timestamp');
  return fields;
}

function isOtherTime(row: ComparedPair): boolean {
  return row.at === null ? lacks(row, 'timestamp') : Math.abs(row.at - row.timestamp) > SAME_MOMENT_MS;
}

function lacks(row: ComparedPair, field: LackedField): boolean {
  return row.lacks.includes(field);
}

/** Why the CRM has no row of a message by design; null if it should have one. */
export function whyNotKept(
  message: MissingMessage,
  dialect: Pick<Dialect, 'notKept'>,
  { isCloudApi, isGone }: { isCloudApi: boolean; isGone: boolean },
): NotKeptReason | null {
  // A line of an exported chat has no id to find it by: a row that may be it is no proof of a loss.
  if (message.mayBeThere && isChatExportId(message.messageExternalId ?? '')) return 'chat_export';
  return dialect.notKept({
    type: message.messageType,
    direction: message.messageDirection,
    source: message.arrival,
    body: message.messageBody,
    isGroup: message.isGroup,
    isRevoked: message.isRevoked,
    hasErrors: message.hasErrors,
    // Where the CRM has nothing any more, nothing says when it began.
    isBeforeCrm: message.isBeforeCrm && !isGone,
    isBeforeSource: message.isBeforeSource,
    isCloudApi,
  });
}

/** Whether our time is when a CRM stored the message, or when it was received: then the CRM's may be the truer one. */
function hasBorrowedTime({ timeFrom, evidence }: ComparedPair): boolean {
  // What a CRM's copy said of its time stays in the row where WhatsApp's own data has replaced it.
  return timeFrom === 'crm_stored_at' ? hasWeakTime(unpackEvidence(evidence)) : timeFrom !== null;
}

/** Whether the row's text is none of those that the log has of the message. */
function hasUnknownWords(
  row: ComparedPair,
  { bodyOfEdited, wordsOf = asIs }: Pick<Dialect, 'bodyOfEdited' | 'wordsOf'>,
): boolean {
  if (!comparesBody(row, bodyOfEdited)) return false;
  const known = bodyOfEdited === 'latest' ? [row.messageBody] : [row.messageBody, ...row.earlierBodies];
  const shown = readable(row.body, wordsOf);
  return known.every((body) => readable(body, wordsOf) !== shown);
}

function comparesBody(row: ComparedPair, bodyOfEdited: Dialect['bodyOfEdited']): boolean {
  if (!row.comparesBody || row.messageBody === null || row.isRevoked) return false;
  // A file's body is a caption only where the row itself says which file it is.
  const isCaption = CAPTIONED.has(row.messageType) && row.kinds.includes(row.messageType);
  if (row.messageType !== 'text' && !isCaption) return false;
  // What a message said before an edit the log may never have had.
  return row.hasOriginal || bodyOfEdited === 'latest';
}

/** Whether a row says something else than a text message; of other content CRMs have words of their own. */
export function contradicts(
  {
    body,
    comparesBody: isCompared,
    messageType,
    messageBody,
  }: Pick<ComparedPair, 'body' | 'comparesBody' | 'messageType' | 'messageBody'>,
  { wordsOf = asIs }: Pick<Dialect, 'wordsOf'>,
): boolean {
  return isCompared && messageType === 'text' && readable(body, wordsOf) !== readable(messageBody, wordsOf);
}

/** What a reader sees: CRMs trim, and change line ends and accent composition. */
function readable(body: string | null, wordsOf: (text: string) => string): string {
  return wordsOf(body ?? '')
    .normalize('NFC')
    .replace(/\s+/gu, ' ')
    .trim();
}

function asIs(text: string): string {
  return text;
}
