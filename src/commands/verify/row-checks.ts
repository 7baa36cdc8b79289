import { ENFORCE_VALUES_REMEDY } from '../../audit/derived-rows.js';
import { acknowledge, foreignAlert, markAlert, markWords } from '../../audit/alert.js';
import { sourceRemedy, STORE_AGAIN, type LostEntry } from '../../audit/source-remedy.js';
import { amount } from '../../model/amount.js';
import { remedy, type Remedy } from '../../model/remedy.js';
import {
  countConversations,
  countLeads,
  countOpenTickets,
  streamCrowdedTickets,
  streamDoubledConversations,
  streamWrongTimes,
  type CrowdedRows,
  type MessageEnds,
  type WrongTimes,
} from '../../store/checks/conversations.js';
import {
  countMessages,
  countPendingFacts,
  streamMarked,
  streamMessagesFromElsewhere,
  streamOverdueFacts,
  streamOwedMedia,
  type Marked,
  type MessageFromElsewhere,
  type OverdueFact,
  type OwedMedia,
} from '../../store/checks/messages.js';
import { TWIN_TOLERANCE_MS } from '../../rules/message-state.js';
import { streamGoneRecords, type GoneRecord } from '../../store/checks/gone-entries.js';
import { OVERDUE_MS } from '../../rules/amendments.js';
import type { Sql } from '../../store/sql.js';
import { readAlertAcks } from '../../store/tables/alert-acks.js';
import type { ConnectionRow } from '../../store/tables/connections.js';
import {
  DEDUPE_REMEDY,
  explainRemedy,
  FETCH_MEDIA_AGAIN_REMEDY,
  FETCH_MEDIA_REMEDY,
  joined,
  REPLAY_ALL_REMEDY,
  rowCheck,
  type Check,
  type RowCheck,
} from './check.js';
import { rfc3339 } from '../../model/time.js';

/** A check that each key has at most one row; `dedupe` merges the extra ones. */
function oneCheck(
  { one, of, per }: { one: string; of: string; per: string },
  query: Pick<RowCheck<CrowdedRows>, 'count' | 'stream'>,
): Check {
  return rowCheck({
    severity: 'degraded',
    ...query,
    begin: () => ({
      item: ({ connectionId, key, rows }) => {
        return { sign: '*', connectionId, subject: `${of} ${key}`, detail: `has ${amount(rows, one)}` };
      },
      conclude: ({ checked, found }) =>
        found === 0
          ? { summary: `${amount(checked, one)}, one per ${per}` }
          : {
              summary: `${amount(found, `${of} has`, `${of}s have`)} more than one ${one}`,
              remedy: DEDUPE_REMEDY,
            },
    }),
  });
}

/** One lead has one conversation on one connection. */
export const oneConversationCheck = oneCheck(
  { one: 'conversation', of: 'lead', per: 'lead and connection' },
  { count: countConversations, stream: streamDoubledConversations },
);

/** One conversation has at most one open ticket. */
export const oneOpenTicketCheck = oneCheck(
  { one: 'open ticket', of: 'conversation', per: 'conversation' },
  { count: countOpenTickets, stream: streamCrowdedTickets },
);

const RECORD_WORDS: Readonly<Record<GoneRecord['ledger'], string>> = {
  reject: 'rejected item',
  chunk: 'history chunk',
  update: 'pending',
  message: 'message',
};

/**
 * Every message, and every other record, can be traced to its raw entry. A message without one is from another program,
 * or predates the log, which is no fault; one whose entry is gone has lost its evidence.
 */
export const rawEntryCheck = rowCheck<MessageFromElsewhere | Marked | GoneRecord>({
  severity: 'loss',
  count: countMessages,
  // Other programs' marks are noted beside their rows: true, and nothing to do.
  stream: async function* (sql, scope) {
    yield* streamMessagesFromElsewhere(sql, scope, TWIN_TOLERANCE_MS);
    yield* streamMarked(sql, scope);
    yield* streamGoneRecords(sql, scope);
  },
  begin: ({ sql, connections, now }) => {
    let lost: LostEntry | null = null;
    let records = 0;
    const runs = new Set<string | null>();
    const leftovers: string[] = [];
    const foreign = new Map<string, number>();
    const marked = new Map<string, number>();
    return {
      item: (row) => {
        if ('ledger' in row) {
          const { ledger, connectionId, entryId, runId, what } = row;
          records += 1;
          lost ??= { id: entryId, runId, origin: null };
          runs.add(runId);
          const detail = `${RECORD_WORDS[ledger]} ${what}: its raw entry is gone`;
          return { sign: '-', connectionId, subject: `log:${entryId}`, detail };
        }
        const { id, connectionId, externalId } = row;
        const subject = externalId ?? `message ${id}`;
        if ('marks' in row) {
          marked.set(connectionId, (marked.get(connectionId) ?? 0) + 1);
          return { as: 'note', sign: '*', connectionId, subject, detail: markWords(row.marks.split(' ')) };
        }
        const { batchId } = row;
        if (batchId === null) {
          foreign.set(connectionId, (foreign.get(connectionId) ?? 0) + 1);
          return { as: 'note', sign: '-', connectionId, subject, detail: 'names no raw entry' };
        }
        if (row.isReplaced) leftovers.push(id);
        else {
          lost ??= { id: batchId, runId: row.runId, origin: null };
          runs.add(row.runId);
        }
        const detail = `its raw entry log:${batchId} is gone${row.isReplaced ? ', and so is its id; a later run stored another text of the same second' : ''}`;
        return { sign: '-', connectionId, subject, detail };
      },
      conclude: async ({ checked, found, noted }) => {
        const lack = 'a raw entry that is gone from the raw log';
        const gone = `${amount(found - records, 'message names', 'messages name')} ${lack}`;
        const named = `${amount(records, 'rejected item, history chunk or pending update names', 'rejected items, history chunks or pending updates name')} ${lack}`;
        const marks = sumOf(marked);
        const none = `${amount(noted - marks, 'message has', 'messages have')} no raw log entry (deleted, or written by another program)`;
        return {
          summary:
            found + noted === 0
              ? `${amount(checked, 'message')}, each with its raw entry`
              : joined([
                  [found - records, gone],
                  [records, named],
                  [noted - marks, none],
                  [
                    marks,
                    `${amount(marks, 'message is', 'messages are')} marked by another program, and no raw entry says so`,
                  ],
                ]),
          // A leftover's file would bring what is already there: only a person can see whether it is the same message.
          remedy:
            found === 0
              ? null
              : lost === null
                ? leftoverRemedy(leftovers[0] ?? '')
                : await sourceRemedy(sql, lost, runs.size < 2 ? STORE_AGAIN : ofSeveral(runs.size)),
          notes: await countOpenNotes(sql, connections, { foreign, marked }, now),
        };
      },
    };
  },
});

/** What one of several commands does. */
function ofSeveral(runs: number): string {
  return `${STORE_AGAIN}; they came from ${runs} runs, and verify names the next one after this`;
}

function leftoverRemedy(rowId: string): Remedy {
  return remedy('explain', [rowId], 'shows the row; if nothing is lost with it, acknowledge the alert');
}

function sumOf(counts: ReadonlyMap<string, number>): number {
  return [...counts.values()].reduce((sum, count) => sum + count, 0);
}

/**
 * The number of open alerts about messages without an entry, and about those that another program marked, per connection, as
 * `report` counts them.
 */
async function countOpenNotes(
  sql: Sql,
  connections: readonly ConnectionRow[],
  { foreign, marked }: Record<'foreign' | 'marked', ReadonlyMap<string, number>>,
  now: number,
): Promise<number> {
  if (foreign.size + marked.size === 0) return 0;
  const raised = connections.flatMap((connection) => [
    ...foreignAlert(connection, foreign.get(connection.id) ?? 0),
    ...markAlert(connection, marked.get(connection.id) ?? 0),
  ]);
  const alerts = acknowledge(raised, await readAlertAcks(sql), now);
  const known = new Set(connections.map(({ id }) => id));
  // Rows of a connection that is gone raise no alert of it; they are noted all the same.
  const strangers = [...foreign.keys(), ...marked.keys()].filter((id) => !known.has(id)).length;
  return strangers + alerts.filter(({ acknowledged }) => acknowledged === null).length;
}

/** No status, edit, revoke or reaction has waited more than a day for its message. */
export const pendingFactsCheck = rowCheck<OverdueFact>({
  severity: 'degraded',
  count: countPendingFacts,
  stream: (sql, scope, { now }) => streamOverdueFacts(sql, scope, now - OVERDUE_MS),
  begin: () => {
    let stored = 0;
    let replayable = false;
    let example: string | null = null;
    return {
      item: ({ connectionId, targetExternalId, kind, at, webhookLogId, isStored, isInLog }) => {
        if (isStored) stored += 1;
        // A replay applies an update when it meets it or its message again; it never meets what is not in the log.
        if (isStored && isInLog) replayable = true;
        else example ??= targetExternalId;
        const entry = webhookLogId === null ? '' : `, log:${webhookLogId}`;
        const why = isStored
          ? 'its message is stored, and it was not applied'
          : 'target message not received';
        return {
          sign: isStored ? '*' : '-',
          connectionId,
          subject: targetExternalId,
          detail: `${kind} of ${new Date(at).toISOString()}${entry}: ${why}`,
        };
      },
      conclude: ({ checked, found }) => {
        if (found === 0) {
          const pending = amount(checked, 'pending update');
          return { summary: checked === 0 ? 'No pending updates' : `${pending}, none for more than a day` };
        }
        const parts = joined(
          [
            [found - stored, `${amount(found - stored, 'update')} whose target message was not received`],
            [stored, `${amount(stored, 'update')} not applied although the target message is stored`],
          ],
          ', ',
        );
        return {
          summary: `Pending for more than a day: ${parts}`,
          remedy: replayable ? REPLAY_ALL_REMEDY : explainRemedy(example),
        };
      },
    };
  },
});

/**
 * A conversation's first and last message times match its messages, and a lead's last message is the last of all of
 * them.
 */
export const conversationTimesCheck = rowCheck<WrongTimes>({
  severity: 'degraded',
  count: async (sql, scope) => (await countConversations(sql, scope)) + (await countLeads(sql, scope)),
  stream: streamWrongTimes,
  begin: () => {
    let leads = 0;
    return {
      item: ({ of, id, connectionId, stored, actual }) => {
        if (of === 'lead') leads += 1;
        return {
          sign: '*',
          connectionId,
          subject: `${of} ${id}`,
          detail: differences(stored, actual).join('; '),
        };
      },
      conclude: ({ checked, found }) => {
        if (found === 0) {
          const all = amount(checked, 'conversation or lead', 'conversations and leads');
          return { summary: `First and last messages are correct in ${all}` };
        }
        const who = joined(
          [
            [found - leads, amount(found - leads, 'conversation')],
            [leads, amount(leads, 'lead')],
          ],
          ' and ',
        );
        return { summary: `Wrong first or last message: ${who}`, remedy: ENFORCE_VALUES_REMEDY };
      },
    };
  },
});

function differences(stored: MessageEnds, actual: MessageEnds): string[] {
  const parts: [what: string, stored: string | null, actual: string | null][] = [
    ['first message', rfc3339(stored.firstAt), rfc3339(actual.firstAt)],
    ['its source', stored.firstSource, actual.firstSource],
    ['last message', rfc3339(stored.lastAt), rfc3339(actual.lastAt)],
  ];
  return parts
    .filter(([, is, was]) => is !== was)
    .map(([what, is, was]) => `${what}: ${is ?? 'none'} instead of ${was ?? 'none'}`);
}

/**
 * Media that a history announced and that did not arrive: nothing to fix, Meta sends them within the window, or never.
 * And the files that are not here: a note, but a finding where this tool was told to fetch them and they are about to
 * expire, expired, refused or wrong.
 */
export const mediaOwedCheck = rowCheck<OwedMedia>({
  severity: 'degraded',
  count: countMessages,
  stream: (sql, scope, { now }) => streamOwedMedia(sql, scope, now),
  begin: ({ now }) => {
    let open = 0;
    let over = 0;
    let lastDay = 0;
    const counts = { owed: 0, due: 0, expired: 0, denied: 0, mismatch: 0, past: 0 };
    return {
      item: ({ connectionId, externalId, type, endsAt, state, isDue, files }) => {
        if (state === 'past') {
          counts.past += files;
          const detail = 'expired before this tool was told to fetch them';
          return { as: 'good', connectionId, subject: amount(files, 'file'), detail };
        }
        const subject = externalId ?? 'no id';
        const isOpen = endsAt !== null && endsAt > now;
        if (state === 'announced') {
          if (isOpen) open += 1;
          else over += 1;
          lastDay = Math.max(lastDay, endsAt ?? 0);
          const until = endsAt === null ? 'some day' : dayOf(endsAt);
          const detail = `${type}, ${isOpen ? 'can arrive until' : 'could arrive until'} ${until}`;
          return { as: 'note', sign: isOpen ? '!' : '-', connectionId, subject, detail };
        }
        counts[state === 'owed' && isDue ? 'due' : state] += 1;
        const detail = `${type}, ${fileWords(state, endsAt)}`;
        const sign = state === 'owed' ? '!' : '-';
        return { as: isDue ? 'finding' : 'note', sign, connectionId, subject, detail };
      },
      conclude: ({ found, noted }) => {
        const { owed, due, expired, denied, mismatch, past } = counts;
        const parts = joined([
          [
            expired,
            `${amount(expired, 'file')} expired before ${expired === 1 ? 'it was' : 'they were'} fetched`,
          ],
          [due, `${amount(due, 'file expires', 'files expire')} within a day`],
          [denied, `${amount(denied, 'file was', 'files were')} refused`],
          [mismatch, `${amount(mismatch, 'file was', 'files were')} not what was announced`],
          [owed, `${amount(owed, 'file')} to fetch`],
          [open, `${amount(open, 'file')} can still arrive, the last until ${dayOf(lastDay)}`],
          [over, `${amount(over, 'file')} can no longer be fetched`],
        ]);
        const named = owed + due + expired + denied + mismatch;
        const what =
          found + noted === 0
            ? 'No media outstanding'
            : `${named > 0 ? 'Media outstanding' : 'History media outstanding'}: ${parts}`;
        const them = past === 1 ? 'it' : 'them';
        const before = `; ${amount(past, 'file')} expired before this tool was told to fetch ${them}`;
        return {
          summary: past === 0 ? what : `${what}${before}`,
          ...(owed + due > 0 ? { remedy: FETCH_MEDIA_REMEDY } : {}),
          ...(owed + due === 0 && denied + mismatch > 0 ? { remedy: FETCH_MEDIA_AGAIN_REMEDY } : {}),
        };
      },
    };
  },
});

function fileWords(state: Exclude<OwedMedia['state'], 'announced' | 'past'>, endsAt: number | null): string {
  const end = endsAt === null ? '' : ` ${new Date(endsAt).toISOString()}`;
  switch (state) {
    case 'owed':
      return endsAt === null ? 'to fetch' : `expires${end}`;
    case 'expired':
      return endsAt === null ? 'gone at WhatsApp' : `expired${end}`;
    case 'denied':
      return 'refused';
    case 'mismatch':
      return 'not what was announced';
  }
}

/** `2026-11-03`. */
function dayOf(ms: number): string {
  return new Date(ms).toISOString().slice(0, 10);
}
