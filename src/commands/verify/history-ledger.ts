import { acknowledge, alert } from '../../audit/alert.js';
import { readAlertAcks } from '../../store/tables/alert-acks.js';
import { remedy, type Remedy } from '../../model/remedy.js';
import {
  readConnections,
  readConnectionTimes,
  type ConnectionRow,
  type ConnectionTimes,
} from '../../store/tables/connections.js';
import { readMissingChunks, readOwedHistory } from '../../store/tables/history.js';
import { amount } from '../../model/amount.js';
import { answerDueAt, isAwaited } from '../../audit/awaited-request.js';
import { readHistoryRequests, type HistoryRequestRow } from '../../store/tables/graph.js';
import { readEntriesOfFields } from '../../store/tables/stored-entries.js';
import { readAccountEvents, withConnecting } from '../../rawlog/account-events.js';
import { owedHistoryWords, owedRemedies } from '../../audit/owed-history.js';
import { joined, type Check, type Recorder, type Subject, type VerifyView } from './check.js';

/** A history arrives within hours; a chunk or an end that has not come after a day is missing. */
const LATE_MS = 24 * 60 * 60 * 1000;

/** Every connection's history arrived complete (H2). Only another log can replay what was lost on the way. */
export const historyLedgerCheck: Check = {
  severity: 'degraded',
  async run(view, recorder) {
    const times = new Map((await readTimes(view)).map((row) => [row.id, row]));
    // Nothing is expected of an archived connection.
    const inUse = view.connections.filter(({ id }) => (times.get(id)?.archivedAt ?? null) === null);
    const gaps = await readMissingChunks(
      view.sql,
      inUse.map(({ id }) => id),
    );
    const owedOf = new Map((await readOwedHistory(view.sql)).map((row) => [row.connectionId, row]));
    const requests = await readAwaitedRequests(view, inUse, times);
    const acks = await readAlertAcks(view.sql);
    const isAcknowledged = (connection: ConnectionRow, kind: HistoryAlert, state: string | number | null) =>
      acknowledge([alert(kind, connection, { since: null, state, message: '' })], acks, view.now).some(
        ({ acknowledged }) => acknowledged !== null,
      );
    const counts = { gaps: 0, acknowledged: 0, owed: 0, owedAcknowledged: 0, coming: 0 };
    let fetches: Remedy | null = null;
    let accepted = 0;
    for (const connection of inUse) {
      const own = gaps.filter(({ connectionId }) => connectionId === connection.id);
      const missing = own.map(({ phase, chunkOrder }) => `${phase}/${chunkOrder}`).join(' ');
      const areAcknowledged = own.length > 0 && isAcknowledged(connection, 'chunk_missing', missing);
      for (const { phase, chunkOrder } of own) {
        const detail = `chunk ${chunkOrder} of phase ${phase} is missing, later ones arrived`;
        const item = { connectionId: connection.id, subject: `${phase}/${chunkOrder}`, detail };
        if (areAcknowledged) {
          counts.acknowledged += 1;
          accepted += 1;
          await recorder.note('!', item);
        } else {
          counts.gaps += 1;
          await recorder.finding('!', item);
        }
      }
      const owed = owedOf.get(connection.id);
      if (owed !== undefined) {
        const { files, gaps: parts } = owed;
        const detail = owedHistoryWords(owed);
        const item = { connectionId: connection.id, subject: connection.name, detail };
        if (isAcknowledged(connection, 'history_owed', `${files} ${parts}`)) {
          counts.owedAcknowledged += 1;
          accepted += 1;
          await recorder.note('!', item);
        } else {
          counts.owed += 1;
          fetches ??= owedRemedies(connection.name, owed)[0] ?? null;
          await recorder.finding('!', item);
        }
      }
      const state = stateOf(connection, missing, {
        times: times.get(connection.id),
        request: requests.get(connection.id),
        view,
      });
      if (state === null) continue;
      recorder.checked += 1;
      const item: Subject = { connectionId: connection.id, subject: connection.name, detail: state.detail };
      const isAccepted = state.alert !== undefined && isAcknowledged(connection, ...state.alert);
      if (isAccepted) accepted += 1;
      if (state.is === 'late' && !isAccepted) await recorder.finding('!', item);
      else if (state.is !== 'complete') {
        if (state.alert === undefined) counts.coming += 1;
        await recorder.note('!', item);
      } else if (own.length === 0 && owed === undefined) await recorder.good(item);
    }
    return {
      summary: summaryOf(recorder, counts),
      ...(accepted === 0 ? {} : { acknowledged: accepted }),
      // No alert tells of what is still to come: beside something worse it is no note.
      notes: recorder.noted - accepted - (recorder.found === 0 ? 0 : counts.coming),
      // A chunk from another log fills the gap; otherwise Meta resends it only after a new onboarding.
      remedy:
        counts.gaps > 0
          ? remedy('replay', ['LOG'], 'fills the gaps from a log that holds the missing chunks')
          : fetches,
    };
  },
};

/** The raw log is asked when a number was connected only if its history is awaited: that takes a pass over the log. */
async function readTimes({ sql, connections }: VerifyView): Promise<ConnectionTimes[]> {
  const times = await readConnectionTimes(sql);
  return connections.some(isExpected)
    ? withConnecting(times, await readConnections(sql), await readAccountEvents(sql))
    : times;
}

/** WhatsApp Web sends a history, or part of it, at its own pace. */
function isExpected({ kind, historySyncStatus: status }: ConnectionRow): boolean {
  return kind !== 'baileys' && (status === 'pending_history' || status === 'pending_consent');
}

/** The requests whose answer may still come, by connection: whatever was before them is of an earlier onboarding. */
async function readAwaitedRequests(
  { sql }: VerifyView,
  connections: readonly ConnectionRow[],
  times: ReadonlyMap<string, ConnectionTimes>,
): Promise<Map<string, HistoryRequestRow>> {
  const requests = (await readHistoryRequests(sql)).filter(({ syncType }) => syncType === 'history');
  const awaited = new Map<string, HistoryRequestRow>();
  for (const { id, phoneNumberId } of connections) {
    const connectedAt = times.get(id)?.webhookActivatedAt ?? null;
    const newest = requests.find(({ connectionId }) => connectionId === id);
    if (newest === undefined || !isAwaited(newest, { lastHistoryAt: null, connectedAt })) continue;
    const since = newest.requestedAt;
    const came = await readEntriesOfFields(sql, { connectionId: id, phoneNumberId }, ['history'], {
      ...{ since, after: null, most: 1 },
    });
    if (came.length === 0) awaited.set(id, newest);
  }
  return awaited;
}

/** The history alerts of `report`. An acknowledged one is no finding and no note here either. */
type HistoryAlert = 'chunk_missing' | 'history_owed' | 'failed' | 'no_history' | 'declined';

interface State {
  is: 'complete' | 'noted' | 'late';
  detail: string;
  /** The matching report alert, if there is one, and the state on which its acknowledgement depends. */
  alert?: [HistoryAlert, string | number | null];
}

/** Null for a connection without an expected history. `missing`: its missing chunks, as in their alert. */
function stateOf(
  connection: ConnectionRow,
  missing: string,
  {
    times,
    request,
    view: { now, historyMinutes },
  }: { times: ConnectionTimes | undefined; request: HistoryRequestRow | undefined; view: VerifyView },
): State | null {
  const isLate = (since: number | null): boolean => since !== null && now - since > LATE_MS;
  const { historySyncStatus: status, historySyncProgress: progress, historySyncError: error } = connection;
  if (request !== undefined) {
    // A request in the last hour of the day has its time, too.
    const isOver =
      isLate(times?.webhookActivatedAt ?? request.onboardedAt) &&
      now >= answerDueAt(request.requestedAt, historyMinutes);
    const alerted: State['alert'] = ['no_history', status];
    return isOver
      ? { is: 'late', detail: 'requested, but no history arrived', alert: alerted }
      : { is: 'noted', detail: 'requested, not received yet' };
  }
  switch (status) {
    case 'not_supported':
      return null;
    case 'completed':
      return { is: 'complete', detail: 'complete' };
    case 'declined':
      return {
        is: 'noted',
        detail: 'the business declined to share its history',
        alert: ['declined', error],
      };
    case 'failed':
      return { is: 'late', detail: `failed: ${error ?? 'no reason given'}`, alert: ['failed', error] };
    case 'syncing': {
      const detail = `arrived up to ${progress ?? 0}%`;
      return isLate(times?.lastChunkAt ?? null)
        ? {
            is: 'late',
            detail: `${detail}, then stopped`,
            // If chunks are missing between others, report raises one alert for both.
            alert: ['chunk_missing', missing === '' ? (times?.lastChunkAt ?? null) : missing],
          }
        : { is: 'noted', detail: `${detail} so far` };
    }
    case 'pending_history':
    case 'pending_consent': {
      if (!isExpected(connection)) return null;
      const onboardedAt =
        times?.webhookActivatedAt ?? (status === 'pending_history' ? (times?.createdAt ?? null) : null);
      return isLate(onboardedAt)
        ? { is: 'late', detail: 'onboarded, but no history arrived', alert: ['no_history', status] }
        : { is: 'noted', detail: 'history not received yet' };
    }
  }
}

function summaryOf(
  { checked, found, noted }: Recorder,
  {
    gaps,
    acknowledged,
    owed,
    owedAcknowledged,
  }: { gaps: number; acknowledged: number; owed: number; owedAcknowledged: number },
): string {
  const late = found - gaps - owed;
  const declined = noted - acknowledged - owedAcknowledged;
  const parts = joined([
    [gaps, `${amount(gaps, 'history chunk')} missing`],
    [acknowledged, `${amount(acknowledged, 'history chunk')} missing and acknowledged`],
    [owed, `${amount(owed, 'history', 'histories')} with parts that did not arrive`],
    [
      owedAcknowledged,
      `${amount(owedAcknowledged, 'history', 'histories')} with parts that did not arrive, acknowledged`,
    ],
    [late, `${amount(late, 'history', 'histories')} incomplete`],
    [declined, `${amount(declined, 'history', 'histories')} declined or not complete yet`],
  ]);
  if (parts !== '') return parts;
  return checked === 0 ? 'No history is expected' : `${amount(checked, 'history', 'histories')} complete`;
}
