import type { MessagesResult, MessageView } from '../../commands/messages/result.js';
import type { Remedy } from '../../model/remedy.js';
import type { Cell, Presentation } from '../ui/presentation.js';
import { drawing, table } from '../ui/document.js';
import { renderChat } from './chat.js';
import { errorsInWords } from './delivery-errors.js';

/** A page of messages; `older` is the command that shows the next one. */
export function presentMessages(
  result: MessagesResult,
  timeZone: string,
  older: Remedy | undefined,
): Presentation {
  return {
    json: result,
    lines: result.messages,
    csv: {
      columns: CSV.map(([column]) => column),
      rows: result.messages.map((message) => CSV.map(([, of]) => of(message))),
      words: 'strangers',
    },
    document: {
      blocks: [drawing((look) => renderChat(result, timeZone, look), [messageTable(result)])],
      next: older === undefined ? [] : [older],
    },
  };
}

function messageTable({ messages }: MessagesResult) {
  // Only where there is something to say.
  const hasProviders = messages.some(({ provider }) => provider !== undefined);
  return table(
    ['timestamp', 'from', 'type', 'body', 'status', ...(hasProviders ? ['provider'] : [])],
    messages.map((message) => [
      message.timestamp,
      message.from.name ?? message.from.number ?? '',
      message.type,
      message.deletedAt === undefined ? (message.body ?? '') : '(deleted)',
      message.status ?? '',
      ...(hasProviders ? [message.provider ?? ''] : []),
    ]),
  );
}

const CSV: readonly (readonly [column: string, of: (message: MessageView) => Cell])[] = [
  ['id', ({ id }) => id],
  ['external_id', ({ externalId }) => externalId],
  ['timestamp', ({ timestamp }) => timestamp],
  ['direction', ({ direction }) => direction],
  ['from_name', ({ from }) => from.name],
  ['from_number', ({ from }) => from.number],
  ['type', ({ type }) => type],
  ['body', ({ body }) => body],
  ['media_id', ({ media }) => media?.id ?? null],
  ['media_type', ({ media }) => media?.mimeType ?? null],
  ['media_file', ({ media }) => media?.fileName ?? null],
  ['status', ({ status }) => status],
  ['source', ({ source }) => source],
  ['reply_to', ({ context }) => context?.messageId ?? null],
  ['edited_at', ({ editedAt }) => editedAt ?? null],
  ['deleted_at', ({ deletedAt }) => deletedAt ?? null],
  ['connection', ({ connection }) => connection ?? null],
  ['errors', ({ errors }) => (errors === undefined ? null : errorsInWords(errors))],
  ['provider', ({ provider }) => provider ?? null],
];
