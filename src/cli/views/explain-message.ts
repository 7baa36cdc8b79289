import type { JournalNote, MessageExplanation } from '../../commands/explain/result.js';
import { formatAmount } from '../ui/quantities.js';
import { faint, fields, list, section, type Block } from '../ui/document.js';
import { errorsInWords } from './delivery-errors.js';
import { changeInWords, clock } from './explain-facts.js';

const SOURCES = { live: 'live', history: 'history', app_echo: 'sent from the app (echo)' } as const;

/** One row of messages, field by field, and what merges did to it. */
export function messageBlocks(message: MessageExplanation): Block[] {
  const way = message.direction === 'INBOUND' ? 'from' : 'to';
  const person = [message.name, message.contact].filter((word) => word !== null).join(', ');
  const shown = fields([
    [
      'id',
      message.externalId ??
        (message.run === null ? 'none (written by another program)' : 'none (taken by another program)'),
    ],
    ['key id', message.stanzaId === message.externalId ? '' : (message.stanzaId ?? '')],
    ['other ids', message.twins.filter((id) => id !== message.stanzaId).join(', ')],
    ['row', message.id],
    [way, `${person === '' ? 'unknown name' : person}  (lead ${message.leadId})`],
    ['connection', message.connection],
    ['sent', `${clock(message.timestamp)} UTC`],
    ['type', message.type],
    ['text', message.excerpt ?? ''],
    ['status', message.status ?? 'none'],
    [message.status === 'failed' ? 'failed for' : 'failed first', errorsInWords(message.errors)],
    ['source', `${SOURCES[message.source]}, by ${message.syncSource}`],
    ['edited', message.editedAt === null ? '' : clock(message.editedAt)],
    ['revoked', message.deletedAt === null ? '' : clock(message.deletedAt)],
    ['versions', message.revisions === 0 ? '' : formatAmount(message.revisions, 'earlier version')],
    ['reactions', message.reactions === 0 ? '' : String(message.reactions)],
    [
      'raw entry',
      message.broughtBy === null
        ? message.goneEntry === null
          ? 'no raw log entry (deleted, or written by another program)'
          : `log:${message.goneEntry}, no longer in the raw log`
        : `${message.broughtBy.origin}  (log:${message.broughtBy.entryId})`,
    ],
    [
      'run',
      message.run === null
        ? ''
        : `${message.run.command} of ${clock(message.run.startedAt)}  (${message.run.id})`,
    ],
    ['ticket', message.openedTicket === null ? '' : `opened ${message.openedTicket}`],
    ...message.differences.map(({ what, row, log }): [string, string] => [
      'differs',
      row === undefined && log === undefined
        ? `${what}: differs from the raw log (--bodies shows both)`
        : `${what}: ${row ?? 'none'}; in the raw log: ${log ?? 'none'}`,
    ]),
    ['unexplained', message.unexplained.map(changeInWords).join(', ')],
  ]);
  return [section('Message', [shown]), journalSection('Merges', message.journal)];
}

/** Merges and dedupes, one line each. */
export function journalSection(title: string, journal: readonly JournalNote[]): Block {
  return section(title, [
    list(
      journal.map(({ at, command, table, what, was, runId, rowId }) => {
        const row = `${table === 'leads' ? 'lead' : 'row'} ${rowId ?? ''}`;
        const subject = was === null ? row : `${was} (${row})`;
        return { line: [faint(clock(at)), `  ${subject} ${what}  `, faint(`${command ?? 'run'} ${runId}`)] };
      }),
    ),
  ]);
}
