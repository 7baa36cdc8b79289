import type { Dialect } from '../../crm/crm.js';
import { CAPTIONED } from '../../crm/kinds.js';
import { cutOfId } from '../../model/chat-line.js';
import { isNear, MINUTES, precisionOf } from '../../rules/chat-clock.js';
import { isCutOf } from '../../rules/chat-witness.js';
import {
  hasRowsWithoutId,
  noteCutPairs,
  noteLikely,
  pairCuts,
  streamCutCandidates,
  streamLikelyCandidates,
  type LikelyCandidate,
  type LikelyPair,
} from '../../store/queries/comparison-candidates.js';
import type { ComparedPair, ComparisonScope } from '../../store/queries/comparison.js';
import type { Sql } from '../../store/sql.js';
import { hasChatExportRows, hasCutRows } from '../../store/tables/messages.js';
import { contradicts } from './judge.js';

/**
 * Pairs messages of which only the beginning of the key id is known with the CRM's rows, by the rule that replaces them when their
 * message arrives (M12). Where two fit, neither does.
 */
export async function pairCutIds(tx: Sql, connectionIds: readonly string[]): Promise<void> {
  if (connectionIds.length === 0 || !(await hasCutRows(tx, connectionIds))) return;
  for await (const page of streamCutCandidates(tx, connectionIds)) {
    await noteCutPairs(
      tx,
      page.filter(({ externalId, ...row }) => {
        const cut = cutOfId(externalId);
        return cut !== undefined && isCutOf(cut, row);
      }),
    );
  }
  await pairCuts(tx);
}

/** Whether adopting a row gives a cut id the whole one: M12 needs the time, and the row must not say less than the phone did. */
export function namesCutId({ messageExternalId, at, direction, comparesBody, kinds }: ComparedPair): boolean {
  if (cutOfId(messageExternalId ?? '') === undefined || at === null || direction === null) return false;
  return comparesBody && !kinds.some((kind) => CAPTIONED.has(kind));
}

/** How long after its message a CRM may store a row, and how far its clock may be from WhatsApp's. */
const STORED_WITHIN_MS = 15_000;

/**
 * Notes which messages without a row may be there all the same: in a row without an id, or as a line of an exported chat, which has
 * none itself, in any row that no message explains. Each row may be one message, the earliest first.
 */
export async function noteLikelyRows(
  tx: Sql,
  scope: ComparisonScope,
  dialect: Pick<Dialect, 'wordsOf'>,
): Promise<void> {
  if (!(await hasRowsWithoutId(tx)) && !(await hasChatExportRows(tx, scope.connectionIds))) return;
  let leadId: string | undefined;
  let taken = new Set<number>();
  let found: string | undefined;
  for await (const page of streamLikelyCandidates(tx, scope)) {
    const pairs: LikelyPair[] = [];
    for (const candidate of page) {
      const { messageId, ordinal } = candidate;
      // A row is a candidate of one lead's messages, unless its contact is two people.
      if (candidate.leadId !== leadId) taken = new Set();
      leadId = candidate.leadId;
      if (messageId === found || taken.has(ordinal) || !mayBe(candidate, dialect)) continue;
      found = messageId;
      taken.add(ordinal);
      pairs.push({ messageId, ordinal });
    }
    await noteLikely(tx, pairs);
  }
}

function mayBe(candidate: LikelyCandidate, dialect: Pick<Dialect, 'wordsOf'>): boolean {
  const { isLine, isToTheMinute, timestamp, at, storedAt } = candidate;
  if (contradicts(candidate, dialect)) return false;
  if (isLine && at !== null) return isNear(timestamp, at, precisionOf({ hasSeconds: !isToTheMinute }));
  const time = at ?? storedAt;
  if (time === null) return false;
  const { unit, tolerance } = isToTheMinute ? MINUTES : { unit: 0, tolerance: 0 };
  const since = timestamp - tolerance - STORED_WITHIN_MS;
  return time >= since && time <= timestamp + unit + tolerance + STORED_WITHIN_MS;
}
