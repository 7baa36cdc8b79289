import { remedy } from '../../model/remedy.js';
import {
  readConnectionTimes,
  type ConnectionRow,
  type ConnectionTimes,
} from '../../store/tables/connections.js';
import { readMissingChunks } from '../../store/tables/history.js';
import { amount } from '../../model/amount.js';
import { joined, type Check, type Recorder, type Subject } from './check.js';

/** A history comes within hours; a chunk or an end that has not come after a day is missing. */
const LATE_MS = 24 * 60 * 60 * 1000;

/** The history of every connection came whole (H2). What was lost on the way can only be replayed from another log. */
export const historyLedgerCheck: Check = {
  severity: 'degraded',
  async run(view, recorder) {
    const times = new Map((await readConnectionTimes(view.sql)).map((row) => [row.id, row]));
    // Nothing is expected of an archived connection.
    const inUse = view.connections.filter(({ id }) => (times.get(id)?.archivedAt ?? null) === null);
    const gaps = await readMissingChunks(
      view.sql,
      inUse.map(({ id }) => id),
    );
    for (const connection of inUse) {
      const own = gaps.filter(({ connectionId }) => connectionId === connection.id);
      for (const { phase, chunkOrder } of own) {
        const detail = `chunk ${chunkOrder} of phase ${phase} is missing, later ones arrived`;
        await recorder.finding('!', {
          connectionId: connection.id,
          subject: `${phase}/${chunkOrder}`,
          detail,
        });
      }
      const state = stateOf(connection, times.get(connection.id), view.now);
      if (state === null) continue;
      recorder.checked += 1;
      const item: Subject = { connectionId: connection.id, subject: connection.name, detail: state.detail };
      if (state.is === 'late') await recorder.finding('!', item);
      else if (state.is === 'noted') await recorder.note('!', item);
      else if (own.length === 0) await recorder.good(item);
    }
    return {
      summary: summaryOf(recorder, gaps.length),
      // A chunk that another log holds fills the gap; the rest Meta sends again only to a number that is onboarded again.
      remedy:
        gaps.length > 0
          ? remedy('replay', ['LOG'], 'fills the gaps from a log that holds the missing chunks')
          : null,
    };
  },
};

interface State {
  is: 'complete' | 'noted' | 'late';
  detail: string;
}

/** Null for a connection that no history is expected of. */
function stateOf(connection: ConnectionRow, times: ConnectionTimes | undefined, now: number): State | null {
  const isLate = (since: number | null): boolean => since !== null && now - since > LATE_MS;
  const { historySyncStatus: status, historySyncProgress: progress, historySyncError: error } = connection;
  switch (status) {
    case 'not_supported':
      return null;
    case 'completed':
      return { is: 'complete', detail: 'complete' };
    case 'declined':
      return { is: 'noted', detail: 'the business declined to share its history' };
    case 'failed':
      return { is: 'late', detail: `failed: ${error ?? 'no reason given'}` };
    case 'syncing': {
      const detail = `came up to ${progress ?? 0} %`;
      return isLate(times?.lastChunkAt ?? null)
        ? { is: 'late', detail: `${detail}, and nothing more since` }
        : { is: 'noted', detail: `${detail} until now` };
    }
    case 'pending_history':
    case 'pending_consent': {
      // WhatsApp Web sends a history, or part of it, when it likes.
      if (connection.kind === 'baileys') return null;
      const onboardedAt =
        times?.webhookActivatedAt ?? (status === 'pending_history' ? (times?.createdAt ?? null) : null);
      return isLate(onboardedAt)
        ? { is: 'late', detail: 'onboarded, but no history arrived' }
        : { is: 'noted', detail: 'its history has not come yet' };
    }
  }
}

function summaryOf({ checked, found, noted }: Recorder, gaps: number): string {
  const late = found - gaps;
  const parts = joined([
    [gaps, `${amount(gaps, 'history chunk')} missing`],
    [late, `${amount(late, 'history', 'histories')} incomplete`],
    [noted, `${amount(noted, 'history', 'histories')} declined or not complete yet`],
  ]);
  if (parts !== '') return parts;
  return checked === 0 ? 'No history is expected' : `${amount(checked, 'history', 'histories')} complete`;
}
