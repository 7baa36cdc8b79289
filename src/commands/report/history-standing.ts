import { listOf } from '../../audit/waiting-alerts.js';
import { amount } from '../../model/amount.js';
import type { SmbSyncType } from '../../model/enumerations.js';
import { remedy, type Advice, type Remedy } from '../../model/remedy.js';
import { minuteOf } from '../../model/time.js';
import type { HistoryRequestRow } from '../../store/tables/graph.js';

/** How a number whose history Meta refuses gets another chance. */
export const RECONNECT =
  'Disconnect the number from the API in the WhatsApp Business app, and connect it again: that opens another 24 hours.';

/** Meta’s code for a request after its 24 hours: it refuses contacts and history alike. */
const WINDOW_OVER = '2593108';

const CHUNKS_NAMED = 5;

/** What is missing of a history, as a clause. `chunks`: each as `phase/chunk_order`; at least one. */
export function missingChunksWords(chunks: readonly string[]): string {
  return `${amount(chunks.length, 'chunk')} of history missing (phase/chunk): ${listOf(chunks, CHUNKS_NAMED)}. A log that holds ${chunks.length === 1 ? 'it' : 'them'} can still be replayed`;
}

/** Lists the chunks that are missing. */
export function missingChunksRemedy(connection: string): Remedy {
  return remedy(
    'verify',
    ['--check', 'history_ledger', '--connection', connection],
    'lists every chunk that is missing',
  );
}

/** What has become of the requests since a number was connected. Messages are clauses without a full stop. */
export type HistoryStanding =
  /** The history can be requested. */
  | { kind: 'open' }
  | { kind: 'accepted'; request: HistoryRequestRow }
  | { kind: 'refused'; message: string }
  /** One message per request without a known answer. */
  | { kind: 'untold'; messages: readonly string[] };

/**
 * The only place that decides whether history may still be requested, by what is on record. `requests`: those since the
 * number was connected.
 */
export function standingOf(requests: readonly HistoryRequestRow[]): HistoryStanding {
  const history = requests.find(({ syncType }) => syncType === 'history');
  if (history?.outcome === 'accepted') return { kind: 'accepted', request: history };
  // Contacts that were requested before do not block the history; a window that is over does.
  const refused = requests.find(
    (request) =>
      request.outcome === 'refused' && (request === history || codeOf(request.error) === WINDOW_OVER),
  );
  if (refused !== undefined) {
    const { requestedAt, error } = refused;
    const why = codeOf(error) ?? error ?? 'no reason given';
    return { kind: 'refused', message: `Meta refused the request on ${minuteOf(requestedAt)} (${why})` };
  }
  const untold = requests.filter(({ outcome }) => outcome === 'sent' || outcome === 'unknown');
  return untold.length === 0 ? { kind: 'open' } : { kind: 'untold', messages: untold.map(untoldWords) };
}

/** As the subject of a sentence, and of the next one. */
const WHAT: Readonly<Record<SmbSyncType, readonly [string, string]>> = {
  smb_app_state_sync: ['contacts were', 'they'],
  history: ['history was', 'it'],
};

function untoldWords({ syncType, requestedAt }: HistoryRequestRow): string {
  const [what, it] = WHAT[syncType];
  return `${what} requested on ${minuteOf(requestedAt)}, and no answer of Meta’s is known: ${it} may be on the way`;
}

/** Repeats a request whose outcome is unknown. */
export function againRemedy(connection: string): Remedy {
  return remedy('history request', [connection, '--again'], 'asks once more; Meta refuses what it has taken');
}

/** What to do about a request whose outcome is unknown. */
export function untoldAdvice(connection: string): readonly Advice[] {
  return ['Wait for its webhooks first. If nothing comes within the hour:', againRemedy(connection)];
}

/** Meta’s code in the message of a refusal on record. */
function codeOf(error: string | null): string | undefined {
  return error === null ? undefined : /\(code (\d+)/.exec(error)?.[1];
}
