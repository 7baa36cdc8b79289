import type { HistoryArrival } from '../../commands/graph/follow-history.js';
import type { HistoryPlan, HistoryStep } from '../../commands/graph/history-plan.js';
import type { HistoryRequestResult } from '../../commands/graph/request-history.js';
import {
  adviceLines,
  fields,
  list,
  section,
  type Block,
  type Item,
  type Mark,
  type Verdict,
} from '../ui/document.js';
import type { Presentation } from '../ui/presentation.js';
import { formatAmount } from '../ui/quantities.js';
import { remedy } from '../../model/remedy.js';
import { missingChunksWords } from '../../commands/report/history-standing.js';
import { checkList } from './graph-check.js';
import { minute } from './report-words.js';

const WHAT: Readonly<Record<HistoryStep['syncType'], string>> = {
  smb_app_state_sync: 'contacts',
  history: 'messages',
};

/** `arrival`: what has come of it, where that was waited for. */
export function presentHistoryRequest(
  result: HistoryRequestResult,
  arrival: HistoryArrival | null,
): Presentation {
  const { connection, steps, obstacles, warnings } = result;
  return {
    json: arrival === null ? result : { ...result, arrival: shownArrival(arrival) },
    lines: steps.map((step) => ({ connection: connection.name, ...step })),
    csv: {
      columns: ['connection', 'sync_type', 'state', 'requested_at', 'request_id', 'error'],
      rows: steps.map(({ syncType, state, requestedAt, requestId, error }) => [
        connection.name,
        syncType,
        state,
        requestedAt,
        requestId,
        error,
      ]),
    },
    isNews: true,
    document: {
      verdict: verdictOf(result, arrival),
      blocks: [
        fields([
          ['connection', connection.name],
          ['number', result.phone],
          ['connected', result.onboardedAt === null ? 'not known' : `${minute(result.onboardedAt)} UTC`],
          ['until', result.until === null ? null : `${minute(result.until)} UTC (${leftWords(result)})`],
        ]),
        list(steps.map(stepItem)),
        ...(obstacles.length === 0 ? [] : [section('In the way', [obstacleList(result)])]),
        // What is followed was requested: nothing of it is uncertain any more.
        ...(warnings.length === 0 || arrival !== null ? [] : [section('Not certain', [checkList(warnings)])]),
      ],
      ...(result.status === 'requested' && arrival === null
        ? {
            next: [
              remedy('history request', [connection.name, '--wait'], 'follows what comes of it'),
              remedy('report', ['--connection', connection.name], 'shows how far the history is'),
            ],
          }
        : arrival !== null && arrival.pending > 0
          ? { next: [remedy('replay', [], 'imports what has come')] }
          : {}),
    },
  };
}

function shownArrival(arrival: HistoryArrival): Omit<HistoryArrival, 'lastEntryId'> {
  const { contacts, messages, chunks, progress, status, error, pending, missingChunks } = arrival;
  return { status, progress, contacts, messages, chunks, missingChunks, error, pending };
}

function stepItem({ syncType, state, requestedAt, requestId, error }: HistoryStep): Item {
  const when = requestedAt === null ? '' : ` on ${minute(requestedAt)} UTC`;
  const what = WHAT[syncType];
  const marked = (mark: Mark, words: string): Item => ({ mark, label: what, line: words });
  switch (state) {
    case 'to_request':
      return marked('note', 'not requested yet');
    case 'accepted':
      return marked('good', `requested${when}, request_id ${requestId ?? 'unknown'}`);
    case 'refused':
      return marked('bad', `refused${when}: ${error ?? 'no reason'}`);
    case 'sent':
    case 'unknown':
      return marked('warn', `requested${when}, and no answer is known${error === null ? '' : `: ${error}`}`);
  }
}

function obstacleList({ obstacles }: HistoryPlan): Block {
  return list(
    obstacles.map(({ message, remedy: advice }): Item => ({
      mark: 'bad',
      line: message,
      under: adviceLines(advice),
    })),
  );
}

function verdictOf(result: HistoryRequestResult, arrival: HistoryArrival | null): Verdict {
  const { name } = result.connection;
  if (arrival !== null) return arrivalVerdict(name, arrival);
  switch (result.status) {
    case 'planned': {
      const unsure = result.warnings.map(({ check }) => check);
      if (unsure.length > 0) {
        return {
          mark: 'warn',
          text: `Nothing known stands in the way of requesting the history of ${name}, but Meta does not confirm ${unsure.join(', ')}; nothing was requested.`,
          remarks: ['If Meta sends it and no program receives it, it is lost: Meta sends it once.'],
        };
      }
      return {
        mark: 'good',
        text: `Nothing stands in the way of requesting the history of ${name}; nothing was requested.`,
      };
    }
    case 'refused':
      return { mark: 'bad', text: `The history of ${name} is not requested.` };
    case 'requested':
      return {
        mark: 'good',
        text: `The history of ${name} is requested.`,
        remarks: [
          'Meta has accepted it, and not yet sent it. Keep the request_id: Meta’s support asks for it.',
        ],
      };
  }
}

function arrivalVerdict(
  name: string,
  { status, error, messages, contacts, missingChunks }: HistoryArrival,
): Verdict {
  const came = `${formatAmount(messages, 'message')}, ${formatAmount(contacts, 'contact')}`;
  switch (status) {
    case 'waiting':
      return { mark: 'stopped', text: `Nothing of the history of ${name} has come yet (${came}).` };
    case 'arriving':
      return { mark: 'stopped', text: `The history of ${name} is on its way: ${came} so far.` };
    case 'completed':
      if (missingChunks.length > 0)
        return {
          mark: 'warn',
          text: `The history of ${name} has ended with gaps: ${came}.`,
          remarks: [`${missingChunksWords(missingChunks)}.`],
        };
      return { mark: 'good', text: `The history of ${name} is complete: ${came}.` };
    case 'declined':
      return {
        mark: 'warn',
        text: `The business does not share the history of ${name} (${error ?? 'no reason'}).`,
      };
    case 'failed':
      return { mark: 'bad', text: `The history of ${name} failed: ${error ?? 'no reason'}.` };
  }
}

/** `phase 1, chunk 3: 55 %, 1,234 messages, 12 contacts`. */
export function arrivalLine({ chunks, progress, messages, contacts, status, error }: HistoryArrival): string {
  const last = chunks.at(-1);
  const place = last === undefined ? status : `phase ${last.phase ?? '?'}, chunk ${last.chunkOrder ?? '?'}`;
  return [
    `${place}: ${progress === null ? '' : `${progress} %, `}${formatAmount(messages, 'message')}`,
    formatAmount(contacts, 'contact'),
    ...(error === null ? [] : [error]),
  ].join(', ');
}

/** What a person is to read before typing the number. */
export function planLines(plan: HistoryPlan): string[] {
  const { connection, phone, until, steps, warnings } = plan;
  const left = until === null ? '' : ` until ${minute(until)} UTC (${leftWords(plan)})`;
  const what = steps.filter(({ state }) => state !== 'accepted').map(({ syncType }) => WHAT[syncType]);
  return [
    `Meta will be asked for the ${what.join(', then the ')} of ${connection.name} (${phone ?? ''}), once; it takes the request${left}.`,
    ...warnings.map(({ check, message }) => `Not certain: ${check}: ${message}.`),
  ];
}

function leftWords({ hoursLeft }: Pick<HistoryPlan, 'hoursLeft'>): string {
  if (hoursLeft === null) return '';
  if (hoursLeft === 0) return 'over';
  return hoursLeft > 0.1 ? `${hoursLeft} h left` : 'less than 10 minutes left';
}
