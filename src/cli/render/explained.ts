import type { ExplainedFact, ExplainResult } from '../../core/explain/result.js';
import { explainSteps, withCommands } from './explained-next.js';
import { errorsInWords } from './delivery-errors.js';
import { renderExplanation } from './explained-text.js';
import type { Cell, Grid, Presentation } from './presentation.js';

const COLUMNS = [
  'received_at',
  'stored_at',
  'at',
  'kind',
  'how',
  'type',
  'direction',
  'status',
  'external_id',
  'outcome',
  'reason',
  'changes',
  'connection',
  'chunk',
  'origin',
  'path',
  'entry_id',
  'run_id',
  'message_id',
  'excerpt',
] as const;

/** An explanation in every format; a line of NDJSON, and a row of CSV, is one fact. */
export function presentExplanation(result: ExplainResult, argv: readonly string[]): Presentation {
  const next = explainSteps(result, argv);
  const facts: Grid = { columns: COLUMNS, rows: result.facts.map(factRow) };
  return {
    json: withCommands(result, argv),
    lines: result.facts,
    csv: facts,
    markdown: withRows([
      {
        title: `explain ${result.query}`,
        columns: ['verdict'],
        rows: [[result.verdict], ...result.notices.map((notice) => [notice])],
      },
      {
        title: 'Findings',
        columns: ['outcome', 'count', 'reason'],
        rows: result.findings.map(({ outcome, count, reason }) => [outcome, count, reason]),
      },
      {
        title: 'Messages',
        columns: [
          'external id',
          'connection',
          'contact',
          'direction',
          'type',
          'at',
          'status',
          'source',
          'brought by',
          'errors',
        ],
        rows: result.messages.map((message) => [
          message.externalId,
          message.connection,
          message.contact ?? message.name ?? message.leadId,
          message.direction,
          message.type,
          message.timestamp,
          message.status,
          message.source,
          message.broughtBy?.origin ?? null,
          errorsInWords(message.errors),
        ]),
      },
      {
        title: 'Conversations',
        columns: [
          'connection',
          'messages',
          'inbound',
          'outbound',
          'live',
          'history',
          'echoes',
          'first',
          'last',
        ],
        rows: (result.contact?.conversations ?? []).map((one) => [
          one.connection,
          one.messages,
          one.inbound,
          one.outbound,
          one.live,
          one.fromHistory,
          one.echoes,
          one.firstMessageAt,
          one.lastMessageAt,
        ]),
      },
      { title: 'What the raw log says', ...facts },
      { title: 'Next', columns: ['command', 'why'], rows: next.map((step) => [step, step.why]) },
    ]),
    text: (look) => renderExplanation(result, next, look),
  };
}

function factRow(fact: ExplainedFact): Cell[] {
  return [
    fact.receivedAt,
    fact.storedAt,
    fact.at,
    fact.kind,
    fact.origin,
    fact.type,
    fact.direction,
    fact.status,
    fact.externalId,
    fact.outcome,
    fact.reason,
    fact.changes.map(({ field, from, to }) => `${field} ${from ?? '–'} → ${to ?? '–'}`).join('; '),
    fact.connection ?? fact.connectionHint,
    fact.chunk === null ? null : `${fact.chunk.phase ?? '?'}/${fact.chunk.chunkOrder ?? '?'}`,
    fact.entryOrigin,
    fact.path,
    fact.entryId,
    fact.runId,
    fact.messageId,
    fact.excerpt,
  ];
}

function withRows(grids: readonly Grid[]): Grid[] {
  return grids.filter((grid) => grid.rows.length > 0);
}
