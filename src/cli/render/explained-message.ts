import type { MessageExplanation } from '../../core/explain/result.js';
import { errorsInWords } from './delivery-errors.js';
import { changeInWords, clock } from './explained-facts.js';
import { fieldLines, journalSection } from './explained-lines.js';
import type { Look } from './look.js';
import { formatAmount } from './quantities.js';

const SOURCES = { live: 'live', history: 'history', app_echo: 'echo of the app' } as const;

/** One row of messages, field by field, and what merges did to it. */
export function messageSections(message: MessageExplanation, look: Look): string {
  const way = message.direction === 'INBOUND' ? 'from' : 'to';
  const person = [message.name, message.contact].filter((word) => word !== null).join(', ');
  const fields = fieldLines(
    'Message',
    [
      ['id', message.externalId ?? 'none: another program wrote it'],
      ['key id', message.stanzaId === message.externalId ? '' : (message.stanzaId ?? '')],
      ['other ids', message.twins.filter((id) => id !== message.stanzaId).join(', ')],
      ['row', message.id],
      [way, `${person === '' ? 'somebody without a name' : person}  (lead ${message.leadId})`],
      ['connection', message.connection],
      ['sent', `${clock(message.timestamp)} UTC`],
      ['type', message.type],
      ['text', message.excerpt ?? ''],
      ['status', message.status ?? 'none'],
      [message.status === 'failed' ? 'failed for' : 'failed first', errorsInWords(message.errors)],
      ['source', `${SOURCES[message.source]}, by ${message.syncSource}`],
      ['edited', message.editedAt === null ? '' : clock(message.editedAt)],
      ['revoked', message.deletedAt === null ? '' : clock(message.deletedAt)],
      ['kept', message.revisions === 0 ? '' : formatAmount(message.revisions, 'earlier version')],
      ['reactions', message.reactions === 0 ? '' : String(message.reactions)],
      [
        'brought by',
        message.broughtBy === null
          ? message.goneEntry === null
            ? 'no raw entry'
            : `log:${message.goneEntry}, which is gone from the raw log`
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
          ? `${what}: not what the raw log says (--bodies shows both)`
          : `${what}: ${row ?? 'none'}; the raw log says ${log ?? 'none'}`,
      ]),
      ['unexplained', message.unexplained.map(changeInWords).join(', ')],
    ],
    look,
  );
  const journal = journalSection('Merges and dedupes', message.journal, look);
  return journal === '' ? fields : `${fields}\n\n${journal}`;
}
