import type { MessageFact } from '../../../model/facts.js';
import type { MessageRow } from '../../../store/messages.js';
import { structureRank, unpackEvidence } from '../../plan/evidence.js';
import { isWamid, rowOfState, TWIN_TOLERANCE_MS, type Leaf } from '../../plan/message-book.js';
import { stableJson } from '../../plan/stable-json.js';

/** What people call the columns that a message's own entries decide; the others follow from these. */
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
  ['source', 'source'],
  ['stanzaId', 'key id'],
  ['isSyncInitial', 'first-sync mark'],
  ['metaConfirmedAt', 'confirmation'],
  ['editedAt', 'edit'],
  ['deletedAt', 'revoke'],
];

/**
 * In which parts a stored row knows less than the raw log, in words. `leaf` has
 * taken over what the log says, its `stored` is the row. No contents: what is found may be printed.
 */
export function differencesOf(leaf: Leaf, stored: MessageRow): string {
  const { row } = rowOfState(leaf.state);
  const parts = WORDS.flatMap(([column, word]) => {
    const before = stored[column];
    const after = row[column];
    if (plain(before) === plain(after)) return [];
    return column === 'status' || column === 'direction'
      ? [`${word} (${words(before)}, the log says ${words(after)})`]
      : [word];
  });
  return parts.length === 0 ? 'its evidence is less than the log’s' : `differs in ${parts.join(', ')}`;
}

/**
 * Whether the row says the other direction than evidence that is at least as good (M2). Merging alone does not tell: of two
 * tellings that are equally good it takes one, and here is only one of them.
 */
export function contradictsDirection(fact: MessageFact, stored: MessageRow): boolean {
  return (
    fact.direction !== stored.direction &&
    structureRank(fact.origin) >= unpackEvidence(stored.evidence).structure
  );
}

/** Another row that is the same message by M10: a wamid beside its key id. */
export function isTwin(a: MessageRow, b: MessageRow): boolean {
  return (
    a.id !== b.id &&
    a.stanzaId !== null &&
    a.stanzaId === b.stanzaId &&
    a.connectionId === b.connectionId &&
    a.leadId === b.leadId &&
    a.direction === b.direction &&
    isWamid(a.externalId) !== isWamid(b.externalId) &&
    Math.abs(a.timestamp - b.timestamp) <= TWIN_TOLERANCE_MS
  );
}

function plain(value: MessageRow[keyof MessageRow]): string | number | boolean | null {
  return typeof value === 'object' && value !== null ? stableJson({ ...value }) : value;
}

function words(value: MessageRow[keyof MessageRow]): string {
  return typeof value === 'string' ? value : 'none';
}
