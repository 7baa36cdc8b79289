import type { MessageRow } from '../../store/tables/messages.js';
import { stableJson, textOfErrors } from '../../rules/merge-values.js';
import type { Revision } from '../../rules/message-projection.js';

/** Whether writing `row` would change what is stored. */
export function differs(stored: MessageRow, row: MessageRow): boolean {
  return (
    textOfJson(stored.media) !== textOfJson(row.media) ||
    textOfJson(stored.rawMeta) !== textOfJson(row.rawMeta) ||
    textOfErrors(stored.errors) !== textOfErrors(row.errors) ||
    PLAIN.some((key) => stored[key] !== row[key])
  );
}

const PLAIN = [
  'externalId',
  'stanzaId',
  'direction',
  'type',
  'body',
  'contextExternalId',
  'timestamp',
  'status',
  'historyStatus',
  'source',
  'syncSource',
  'isSyncInitial',
  'editedAt',
  'editExternalId',
  'deletedAt',
  'metaConfirmedAt',
  'evidence',
] as const;

export function sameRevisions(a: readonly Revision[], b: readonly Revision[]): boolean {
  const text = (revisions: readonly Revision[]): string => revisions.map(textOfRevision).sort().join('\n');
  return a.length === b.length && text(a) === text(b);
}

function textOfRevision({ version, type, body, media, rawMeta, at }: Revision): string {
  return JSON.stringify([version, type, body, textOfJson(media), textOfJson(rawMeta), at]);
}

function textOfJson(value: object | null): string {
  return value === null ? 'null' : stableJson({ ...value });
}
